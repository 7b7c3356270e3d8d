"""Networks, volumes, secrets and files in Podman's own words."""

from typing import Any

from workloadd.core.given import GivenFile, GivenSecret, applied, stored_name
from workloadd.core.names import network_name, volume_name
from workloadd.core.objects import Network, Objects, made_of, object_labels, owner_of
from workloadd.render.given import render_files, render_secrets
from workloadd.render.network import render_attachments, render_network
from workloadd.render.volume import render_volume
from workloadd.spec.model import ServiceSpec
from workloadd.spec.network import NetworkSpec
from workloadd.spec.translate import validated
from workloadd.spec.volume import VolumeSpec


def network(**content: Any) -> NetworkSpec:
    return validated(NetworkSpec, {"kind": "network", **content})


def volume(**content: Any) -> VolumeSpec:
    return validated(VolumeSpec, {"kind": "volume", **content})


def service(**content: Any) -> ServiceSpec:
    return validated(ServiceSpec, {"image": "localhost/a:1", **content})


def test_a_network_of_defaults_has_names_and_nothing_else() -> None:
    assert render_network("shop", network(), {"a": "b"}) == {
        "name": "shop",
        "driver": "bridge",
        "ipv6_enabled": False,
        "internal": False,
        "dns_enabled": True,
        "labels": {"a": "b"},
    }


def test_a_network_says_all_that_its_file_says() -> None:
    spec = network(
        subnets=[{"subnet": "10.89.7.0/24", "gateway": "10.89.7.1", "ip_range": "10.89.7.128/25"},
                 "fd00:7::/64"],
        internal=True,
        dns=["9.9.9.9"],
        options={"mtu": 1400},
        ipam_driver="host-local",
        interface_name="shop0",
        labels={"team": "shop"},
    )  # fmt: skip
    assert render_network("shop", spec, {"ours": ""}) == {
        "name": "shop",
        "driver": "bridge",
        "network_interface": "shop0",
        "subnets": [
            {
                "subnet": "10.89.7.0/24",
                "gateway": "10.89.7.1",
                "lease_range": {"start_ip": "10.89.7.128", "end_ip": "10.89.7.255"},
            },
            {"subnet": "fd00:7::/64"},
        ],
        "ipv6_enabled": True,
        "internal": True,
        "dns_enabled": True,
        "network_dns_servers": ["9.9.9.9"],
        "options": {"mtu": "1400"},
        "ipam_options": {"driver": "host-local"},
        "labels": {"team": "shop", "ours": ""},
    }


def test_nobody_answers_for_names_on_macvlan_or_where_it_is_not_wanted() -> None:
    assert not render_network("n", network(driver="macvlan"), {})["dns_enabled"]
    assert not render_network("n", network(disable_dns=True), {})["dns_enabled"]


def test_a_workload_is_known_by_its_own_name_in_each_of_its_networks() -> None:
    spec = service(
        networks={
            "shop.network": {"aliases": ["www", "web"], "ipv4_address": "10.89.7.20",
                             "ipv6_address": "fd00:7::20", "mac_address": "02:42:ac:11:00:02",
                             "interface_name": "shop0"},
            "back": {"internal": True},
        }
    )  # fmt: skip
    assert render_attachments("web", spec.networks) == {
        "netns": {"nsmode": "bridge"},
        "Networks": {
            "web_back": {"aliases": ["web"]},
            "shop": {
                "aliases": ["web", "www"],
                "static_ips": ["10.89.7.20", "fd00:7::20"],
                "static_mac": "02:42:ac:11:00:02",
                "interface_name": "shop0",
            },
        },
    }
    assert render_attachments("web", {}) == {}


def test_names_of_shared_and_own_objects_cannot_collide() -> None:
    assert network_name("web", "shop.network") == "shop"
    assert network_name("web", "shop") == "web_shop"
    assert volume_name("web", "backup.volume") == "backup"
    assert volume_name("web", "backup") == "web_backup"


def test_options_of_a_local_volume_are_those_of_a_mount() -> None:
    spec = volume(
        fstype="tmpfs", device="tmpfs", options=["size=1m", "nodev"], uid=999, gid=998, nocopy=True,
        labels={"a": "b"},
    )  # fmt: skip
    assert render_volume("data", spec, {"ours": "x"}) == {
        "Name": "data",
        "Driver": "local",
        "Labels": {"a": "b", "ours": "x"},
        "Options": {
            "type": "tmpfs",
            "device": "tmpfs",
            "o": "nodev,size=1m,uid=999,gid=998",
            "nocopy": "",
        },
    }
    assert render_volume("data", volume(), {})["Options"] == {}


def test_options_of_another_driver_are_its_own() -> None:
    image = render_volume("data", volume(image="localhost/site:1"), {})
    assert (image["Driver"], image["Options"]) == ("image", {"image": "localhost/site:1"})
    plugin = volume(driver="nfs-plugin", options={"share": "host:/x"}, uid=7)
    assert render_volume("data", plugin, {})["Options"] == {"share": "host:/x", "uid": "7"}


def test_what_an_object_is_made_of_leaves_out_what_can_change() -> None:
    assert made_of(network()) == made_of(network(labels={"a": "b"}, reclaim="retain")) == ""
    assert made_of(volume()) == made_of(volume(reclaim="delete", description="x")) == ""
    assert made_of(network(internal=True)) == made_of(network(internal=True, labels={"a": "b"}))
    different = [network(internal=True), network(interface_name="x0"), network(ipv6=True)]
    assert len({made_of(spec) for spec in different}) == 3
    assert made_of(volume(uid=1)) != made_of(volume(gid=1))


def test_an_object_is_ours_by_its_labels_alone() -> None:
    shared = object_labels("user", "", network(internal=True))
    assert owner_of(shared, "user") == ""
    assert owner_of(shared, "other") is None
    assert owner_of(object_labels("user", "web", network()), "user") == "web"
    assert owner_of({"io.workloadd.workload": "web"}, "user") is None
    assert Network("a").workload is None and Objects().secrets == frozenset()


def test_secrets_are_named_and_never_shown() -> None:
    spec = service(
        secrets={
            "pw": {"file": "/pw", "uid": 999, "mode": "0400"},
            "token": {"variable": "T", "env": "TOKEN"},
        }
    )
    given = [GivenSecret("pw", "ab" * 32, b"hunter2"), GivenSecret("token", "cd" * 32, b"hunter3")]
    rendered = render_secrets("web", spec.secrets, given)
    assert rendered == {
        "secrets": [
            {"Source": "web_pw_abababababab", "Target": "/run/secrets/pw",
             "UID": 999, "GID": 0, "Mode": 0o400},
        ],
        "secret_env": {"TOKEN": "web_token_cdcdcdcdcdcd"},
    }  # fmt: skip
    assert "hunter" not in repr(given)
    assert render_secrets("web", {}, []) == {}


def test_files_are_mounted_read_only_from_where_they_are_kept() -> None:
    spec = service(files={"/etc/motd": "hi", "/etc/app": {"source": "app"}})
    sources = {"/etc/motd": "/store/1", "/etc/app": "/store/2"}
    mounts = render_files(spec.files, sources)
    assert [(m["source"], m["destination"]) for m in mounts] == [
        ("/store/2", "/etc/app"),
        ("/store/1", "/etc/motd"),
    ]
    assert all({"ro", "nosuid", "nodev"} <= set(m["options"]) for m in mounts)


def test_contents_are_named_by_what_they_are() -> None:
    one = GivenFile("/a", (("", b"x"),))
    assert one.digest == GivenFile("/other", (("", b"x"),)).digest
    assert one.digest != GivenFile("/a", (("name", b"x"),)).digest
    assert one.digest != GivenFile("/a", ()).digest
    names = {stored_name(one, mode, owner) for mode in (0o444, 0o400) for owner in ((0, 0), (1, 0))}
    assert len(names) == 4
    assert "x" not in repr(one).removeprefix("GivenFile(target='/a'")


def test_only_what_changes_under_the_container_is_applied() -> None:
    spec = service(
        files={"/a": "x", "/b": {"content": "x", "on_change": "none"},
               "/c": {"content": "x", "on_change": "reload"}},
        reload={"signal": "hup"},
    )  # fmt: skip
    given = tuple(GivenFile(path, (("", b"x"),)) for path in spec.files)
    assert set(applied(given, spec.files)) == {"/b", "/c"}
