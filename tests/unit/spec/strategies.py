"""Workload files as people may write them, for hypothesis: nearly all of them are right.

Each strategy gives plain data, as the reader of YAML does. Short forms and long ones are mixed, and
what has no order is in any.
"""

from typing import Any

from hypothesis import strategies as st

Content = dict[str, Any]

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
lines = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,15}", fullmatch=True).map(str.strip)
names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
paths = st.from_regex(r"(/[a-z]{1,6}){1,3}", fullmatch=True)
images = st.sampled_from(
    ["localhost/a:1", "docker.io/nginx", "r.example:5000/x/y@sha256:" + 64 * "0"]
)
sizes = st.one_of(st.integers(2**20, 2**40), st.sampled_from(["64m", "1.5g", "2GiB"]))
waits = st.one_of(st.integers(1, 86400), st.sampled_from(["1s", "1m30s", "2h"]))
ports = st.integers(1, 65535)


def lists(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    """A few values, none twice."""
    return st.lists(values, max_size=most, unique_by=repr)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Content]:
    """A mapping with some of the keys."""
    return st.fixed_dictionaries({}, optional=optional)


def pairs(keys: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A mapping, or what it is as a list of KEY=VALUE."""
    mapped = st.dictionaries(keys, values, max_size=3)
    return st.one_of(mapped, mapped.map(lambda m: [f"{key}={value}" for key, value in m.items()]))


variables = pairs(st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), texts)
labels = pairs(st.from_regex(r"[a-z][a-z.]{0,8}", fullmatch=True), texts)
commands = st.one_of(st.lists(texts, max_size=3), st.sampled_from(["a 'b c'", "sh -c true"]))
ids = st.integers(0, 10**6)


def _mount(kind: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Content]:
    given = {key: more.pop(key) for key in ("source",) if key in more}
    return st.fixed_dictionaries({"type": st.just(kind), "target": paths, **given}, optional=more)


_flags = {
    key: st.booleans() for key in ("read_only", "noexec", "nosuid", "nodev", "chown", "idmap")
}
mounts = st.one_of(
    st.builds("{}:{}{}".format, names, paths, st.sampled_from(["", ":ro", ":U,noexec", ":O"])),
    st.builds(".{0}:{0}{1}".format, paths, st.sampled_from(["", ":ro,z", ":rslave", ":idmap"])),
    _mount("bind", source=paths, create=st.booleans(), nonrecursive=st.booleans(), **_flags),
    _mount("volume", source=names, subpath=names, **_flags),
    _mount(
        "tmpfs", size=sizes, mode=st.sampled_from(["0755", "1777"]), chown=st.booleans(),
        noexec=st.booleans(), nocopy=st.booleans(), read_only=st.booleans(),
    ),
    _mount("image", source=images, subpath=names, writable=st.booleans()),
    _mount("artifact", source=images, title=names, name=names),
    _mount("devpts", uid=ids, gid=ids, mode=st.just("0620"), max=st.integers(1, 100)),
)  # fmt: skip

devices = st.one_of(
    st.builds("/dev/{}".format, names),
    st.builds("/dev/{0}:/dev/{1}:{2}".format, names, names, st.sampled_from(["r", "rw", "rwm"])),
    st.sampled_from(["nvidia.com/gpu=all", "vendor.com/class=one"]),
    st.builds(lambda name: {"source": f"/dev/{name}", "permissions": "rw"}, names),
)
resources = some(
    memory=sizes,
    cpus=st.floats(0.01, 4096),
    cpu_shares=st.integers(2, 262144),
    cpuset=st.sampled_from(["0-3,8", "1", "2,0-1"]),
    cpuset_mems=st.integers(0, 8),
    pids=st.integers(1, 10**6),
    io_weight=st.integers(10, 1000),
)
limits = st.dictionaries(
    st.sampled_from(["nofile", "nproc", "core", "memlock"]),
    st.one_of(
        st.integers(-1, 2**40),
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(
            lambda pair: {"soft": min(pair), "hard": max(pair)}
        ),
    ),
    max_size=3,
)
startup = st.fixed_dictionaries(
    {"test": st.sampled_from(["true", ["CMD", "a", "b"]])},
    optional={"interval": waits, "timeout": waits, "retries": ids.map(lambda n: n % 9)},
)
checks = st.one_of(
    st.sampled_from([{"disable": True}, {"test": "NONE"}]),
    st.fixed_dictionaries(
        {"test": st.sampled_from(["curl x | y", ["CMD", "a"], ["CMD-SHELL", "b c"]])},
        optional={
            "interval": waits,
            "timeout": waits,
            "retries": st.integers(1, 9),
            "start_period": waits,
            "on_failure": st.sampled_from(["none", "restart"]),
            "startup": startup,
        },
    ),
)
requests = st.one_of(
    ports,
    st.builds("{}{}".format, ports, paths),
    st.builds("https://localhost{}".format, paths),
    st.fixed_dictionaries(
        {"port": ports},
        optional={
            "path": paths,
            "scheme": st.sampled_from(["http", "https"]),
            "headers": pairs(st.just("X-A"), lines.filter(bool)),
            "status": st.sampled_from([204, "200-299", [401, "200-299"]]),
            "body": st.sampled_from(["", "ok$", "[a-z]+"]),
        },
    ),
)
ways = st.one_of(
    st.builds(lambda request: {"http": request}, requests),
    st.builds(lambda port: {"tcp": port}, ports),
    st.sampled_from([{"exec": ["a", "b c"]}, {"exec": "a 'b c'"}]),
)
probes = st.builds(
    lambda way, more: {**way, **more},
    ways,
    some(
        interval=waits,
        timeout=st.sampled_from([1, "500ms"]),
        failure_threshold=st.integers(1, 9),
        success_threshold=st.integers(1, 9),
        initial_delay=st.one_of(st.just(0), waits),
    ),
)
checked = st.one_of(
    st.builds(lambda check: {"healthcheck": check}, checks),
    st.builds(
        lambda asked: {"probes": asked}, some(startup=probes, readiness=probes, liveness=probes)
    ),
)
logs = st.sampled_from(
    [{}, {"driver": "none"}, {"options": {"tag": "a"}}, {"driver": "k8s-file"},
     {"driver": "k8s-file", "options": ["max-size=10m", "path=/a/b"]}]
)  # fmt: skip
capabilities = st.sampled_from(["CHOWN", "cap_net_admin", "kill"])
rights = st.one_of(
    st.just({"privileged": True}),
    some(cap_add=lists(capabilities), cap_drop=st.sampled_from([[], ["ALL"], ["SYSLOG"]])),
)
labelling = st.one_of(
    st.just({"disable": True}),
    some(
        type=st.just("container_t"), level=st.sampled_from(["s0", "s0:c1,c2"]), nested=st.booleans()
    ),
)

_CONTAINER: dict[str, st.SearchStrategy[Any]] = {
    "pull": st.sampled_from(["always", "missing", "newer", "never"]),
    "platform": st.sampled_from(["linux/arm64", "x86_64", "linux/arm/v7"]),
    "command": commands,
    "entrypoint": commands,
    "working_dir": paths,
    "user": st.one_of(ids, st.sampled_from(["a", "1000:1000", "www-data"])),
    "init_process": st.booleans(),
    "tty": st.booleans(),
    "environment": variables,
    "env_file": st.one_of(names, lists(names)),
    "http_proxy": st.booleans(),
    "timezone": st.sampled_from(["local", "Europe/Berlin", "UTC"]),
    "ulimits": limits,
    "labels": labels,
    "annotations": labels,
    "volumes": st.lists(mounts, max_size=4),
    "devices": lists(devices),
    "resources": resources,
    "logging": logs,
    "restart": st.sampled_from(["always", "on-failure", "no", "on-failure:7"]),
    "stop_signal": st.one_of(st.integers(1, 31), st.sampled_from(["quit", "SIGRTMIN+3"])),
    "stop_timeout": st.one_of(st.integers(0, 86400), waits),
    "no_new_privileges": st.booleans(),
    "group_add": st.one_of(st.just(["keep-groups"]), lists(st.one_of(ids, names))),
    "read_only": st.booleans(),
    "read_only_tmpfs": st.booleans(),
    "umask": st.sampled_from(["0022", "0o077", "027"]),
    "seccomp": st.one_of(st.just("unconfined"), paths),
    "apparmor": st.one_of(st.just("unconfined"), names),
    "selinux": labelling,
    "mask": lists(paths),
    "unmask": st.one_of(st.just(["ALL"]), lists(paths)),
}
_USERS = st.one_of(
    st.just({}),
    st.sampled_from(
        [{"userns_mode": mode} for mode in ("host", "keep-id", "keep-id:uid=5,gid=6", "auto",
         "auto:size=100,uidmapping=0:1:2", "nomap")]
    ),
    st.sampled_from(
        [{"uid_map": ["0:1:10"]}, {"uid_map": ["5:6", "0:1:5"], "gid_map": ["0:0:1"]}]
    ),
)  # fmt: skip
_CONNECTED = st.one_of(
    some(
        network_mode=st.sampled_from(["private", "pasta:-T,80", "bridge"]),
        ports=lists(st.builds("{0}:{1}".format, ports, ports)),
        dns=st.sampled_from(["9.9.9.9", ["9.9.9.9", "2620:fe::fe"]]),
        dns_opt=st.sampled_from(["ndots:2", ["ndots:2", "use-vc"]]),
        dns_search=st.sampled_from([".", ["a.example", "b.example"]]),
        sysctls=st.sampled_from([{"net.core.somaxconn": 5}, ["kernel.shmmax=5"]]),
    ),
    st.sampled_from([{"network_mode": mode} for mode in ("host", "none", "ns:/run/netns/x")]),
)
_SANDBOX: dict[str, st.SearchStrategy[Any]] = {
    "description": lines.filter(bool),
    "enabled": st.booleans(),
    "hostname": names,
    "shm_size": sizes,
    "extra_hosts": st.one_of(
        st.dictionaries(names, st.sampled_from(["10.0.0.1", "host-gateway", ["::1", "10.0.0.2"]])),
        lists(st.builds("{}:10.0.0.1".format, names)),
    ),
}


def _merged(*parts: Content) -> Content:
    return {key: value for part in parts for key, value in part.items()}


sandboxes = st.builds(_merged, some(**_SANDBOX), _USERS, _CONNECTED)
containers = st.builds(
    _merged, st.fixed_dictionaries({"image": images}, optional=_CONTAINER), rights, checked
)
services = st.builds(
    _merged,
    containers,
    sandboxes,
    some(expose=lists(st.one_of(ports, st.just("80-82/udp")))),
)
pods = st.builds(
    lambda sandbox, parts: {**sandbox, "containers": parts},
    sandboxes,
    st.dictionaries(names, containers, min_size=1, max_size=3),
)
