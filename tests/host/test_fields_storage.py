"""Mounts of every kind and with every option are there, as Podman and the container tell."""

from tests.host.host import Document, Host
from tests.host.workloads import BUSYBOX, idle


def mount_options(host: Host, name: str) -> dict[str, set[str]]:
    """The options of the container's mounts by their target, as the kernel has them."""
    lines = [line.split() for line in host.inside(name, "cat /proc/mounts").splitlines()]
    return {line[1]: set(line[3].split(",")) for line in lines}


def test_directories_and_volumes(host: Host, name: str) -> None:
    host.write(host.files / "tree/file", "of the host\n")
    host.write(host.files / "below/file", "below\n")
    text = idle(
        'user: "7:8"',
        "volumes:",
        "  - ./tree:/tree:O",
        "  - ~/owned:/owned:U,noexec,nosuid,nodev",
        "  - {type: bind, source: ~/owned, target: /alone, nonrecursive: true, idmap: true}",
        "  - data:/data:U",
        "  - {type: volume, source: data, target: /copy, overlay: true, chown: true}",
        "  - {type: volume, source: data, target: /again, noexec: true, idmap: true}",
    )
    (host.home / "owned").mkdir(exist_ok=True)
    host.root("chown", "-R", "workloads:", host.named(host.home / "owned"))
    host.deploy(name, text)
    mounts = mount_options(host, name)
    assert {"noexec", "nosuid", "nodev"} <= mounts["/owned"]
    assert "noexec" in mounts["/again"]
    assert host.inside(name, "stat -c %u:%g /owned /data /alone").split() == 3 * ["7:8"]
    host.inside(name, "touch /data/kept /copy/lost")
    assert host.inside(name, "ls /data; ls /copy").split() == ["kept", "kept", "lost"]
    assert host.inside(name, "cat /tree/file") == "of the host"
    listed = {mount["Destination"]: mount for mount in host.inspect(name)["Mounts"]}
    assert "bind" in listed["/alone"]["Options"]
    assert "rbind" in listed["/owned"]["Options"]
    assert "idmap" in listed["/again"]["Options"]

    # What was written to an overlay goes with the container; part of a volume can be mounted.
    host.inside(name, "mkdir /data/part; touch /data/part/inside")
    part = "{type: volume, source: data, target: /part, subpath: part}"
    host.deploy(name, idle(f"volumes: ['data:/copy:O', {part}]"))
    assert host.inside(name, "ls /copy").split() == ["kept", "part"]
    assert host.inside(name, "ls /part") == "inside"


def test_memory_images_and_terminals(host: Host, name: str) -> None:
    text = idle(
        'user: "7:8"',
        "volumes:",
        "  - {type: tmpfs, target: /www, chown: true, noexec: true, mode: '0750'}",
        f"  - {{type: image, source: '{BUSYBOX}', target: /image}}",
        f"  - {{type: image, source: '{BUSYBOX}', target: /site, subpath: www, writable: true}}",
        "  - {type: devpts, target: /pts, uid: 7, gid: 5, mode: '0620', max: 9}",
    )
    host.deploy(name, text)
    mounts = mount_options(host, name)
    assert "noexec" in mounts["/www"]
    assert {"mode=620", "max=9"} <= mounts["/pts"]
    assert host.inside(name, "stat -c %u:%g /www") == "7:8"
    # What the image has in its place is there, unless nocopy says otherwise (seen below).
    assert host.inside(name, "ls /www") == "index.html"
    assert host.inside(name, "ls /site; cat /image/www/index.html").split() == [
        "index.html", "busybox", "1",
    ]  # fmt: skip
    listed: dict[str, Document] = {
        mount["Destination"]: mount
        for mount in host.inspect(name)["Mounts"]
        if mount["Type"] == "image"
    }
    assert (listed["/image"]["RW"], listed["/site"]["RW"]) == (False, True)
    assert listed["/site"]["SubPath"] == "/www"

    host.deploy(name, idle("volumes: [{type: tmpfs, target: /www, nocopy: true}]"))
    assert host.inside(name, "ls /www") == ""
