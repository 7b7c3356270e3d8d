"""Workload files in directories: precedence, masking, what is ignored, what is refused."""

import os
from pathlib import Path
from typing import Any

import pytest

from workloadd.core.desired import Declared, Desired
from workloadd.core.revision import Image, make_revision
from workloadd.sources import files, loader, scan
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.scope import Limits
from workloadd.spec.volumes import BindVolume

WEB = "image: docker.io/library/nginx:1.27\n"


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ...]:
    return tuple(tmp_path / name for name in ("usr", "etc", "run"))


@pytest.fixture
def directories(roots: tuple[Path, ...], tmp_path: Path) -> Directories:
    facts = Facts([tmp_path / "facts"], host=lambda: {"HOST_ARCH": "arm64"})
    return Directories(roots, home=tmp_path / "home", facts=facts)


def put(root: Path, name: str, text: str = WEB) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / name
    path.write_text(text)
    return path


def only(desired: Desired) -> Declared:
    (declared,) = desired.workloads.values()
    return declared


def test_roots_that_do_not_exist_are_fine(directories: Directories) -> None:
    assert directories.load() == Desired()


def test_the_strongest_root_wins_and_names_what_it_shadows(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    weak = [put(roots[0], "web.yaml"), put(roots[1], "web.yml")]
    strong = put(roots[2], "web.yaml", WEB + "description: strong\n")
    declared = only(directories.load())
    assert declared.path == str(strong)
    assert declared.spec is not None
    assert declared.spec.description == "strong"
    assert declared.shadows == tuple(map(str, weak))


def test_a_link_to_dev_null_masks_weaker_roots_only(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[0], "web.yaml")
    roots[1].mkdir()
    (roots[1] / "web.yaml").symlink_to("../../../../../../../../../dev/null")
    assert directories.load() == Desired()
    put(roots[2], "web.yaml")
    assert only(directories.load()).spec is not None


@pytest.mark.parametrize(
    "name",
    [".web.yaml", ".web.yaml.swp", "web.yaml~", "web.yaml.bak", "web.yaml.tmp", "#web.yaml#",
     "4913", "web", "web.json", "README"],
)  # fmt: skip
def test_what_is_no_workload_file_is_ignored(
    directories: Directories, roots: tuple[Path, ...], name: str
) -> None:
    put(roots[1], name, "neither: [ YAML")
    assert directories.load() == Desired()


def test_two_files_of_one_name_in_one_root(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[1], "web.yaml")
    put(roots[1], "web.yml")
    declared = only(directories.load())
    assert declared.spec is None
    assert declared.errors[0].reason == "DuplicateFile"
    assert "web.yaml and web.yml" in declared.errors[0].message


def test_a_broken_file_hurts_only_its_own_workload(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[1], "good.yaml")
    bad = put(roots[1], "bad.yaml", "imagee: x\n")
    workloads = directories.load().workloads
    assert workloads["good"].spec is not None
    assert workloads["bad"].spec is None
    assert str(workloads["bad"].errors[0]).startswith(f"{bad}:1:")


@pytest.mark.parametrize("name", ["Web.yaml", "a_b.yaml", "a.b.yaml", "-x.yaml"])
def test_an_invalid_name_is_an_error(
    directories: Directories, roots: tuple[Path, ...], name: str
) -> None:
    put(roots[1], name)
    declared = only(directories.load())
    assert declared.spec is None
    assert declared.errors[0].reason == "InvalidName"


def test_a_name_that_is_no_text_can_still_be_shown(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    roots[1].mkdir()
    descriptor = os.open(os.fsencode(roots[1]) + b"/a\xff\nb.yaml", os.O_CREAT | os.O_WRONLY)
    os.close(descriptor)
    declared = only(directories.load())
    assert declared.name.isprintable()
    assert declared.path.isprintable()
    declared.path.encode()


def test_things_that_are_no_files_are_refused_without_opening_them(
    directories: Directories, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    roots[1].mkdir()
    (roots[1] / "dir.yaml").mkdir()
    os.mkfifo(roots[1] / "fifo.yaml")
    os.mkfifo(tmp_path / "pipe")
    (roots[1] / "link.yaml").symlink_to(tmp_path / "pipe")
    (roots[1] / "zero.yaml").symlink_to("/dev/zero")
    (roots[1] / "loop.yaml").symlink_to("loop.yaml")
    (roots[1] / "gone.yaml").symlink_to(tmp_path / "nowhere")
    workloads = directories.load().workloads
    said = {name: declared.errors[0].message for name, declared in workloads.items()}
    assert {declared.errors[0].reason for declared in workloads.values()} == {"Unreadable"}
    assert "a directory" in said["dir"]
    assert "a FIFO" in said["fifo"]
    assert "a FIFO" in said["link"]
    assert "a device" in said["zero"]
    assert "symbolic links" in said["loop"]
    assert f"the link leads to {tmp_path / 'nowhere'}, which is missing" in said["gone"]


def test_a_link_to_a_file_is_followed(
    directories: Directories, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    target = put(tmp_path / "elsewhere", "content", WEB + "volumes: ['./site:/srv']\n")
    roots[1].mkdir()
    (roots[1] / "web.yaml").symlink_to(target)
    declared = only(directories.load())
    assert declared.spec is not None
    (volume,) = declared.spec.volumes
    assert isinstance(volume, BindVolume)
    assert volume.source == str(roots[1] / "site")  # where it is named, not where it leads


def test_a_file_that_is_too_large(directories: Directories, roots: tuple[Path, ...]) -> None:
    put(roots[1], "web.yaml", WEB + "#" * files.MAX_BYTES)
    assert only(directories.load()).errors[0].reason == "TooLarge"


def test_too_many_files_hide_none_as_if_it_were_removed(
    directories: Directories, roots: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_FILES", 2)
    for name in "abc":
        put(roots[1], f"{name}.yaml")
    desired = directories.load()
    assert set(desired.workloads) == {"a", "b"}
    assert [problem.reason for problem in desired.unreadable] == ["TooManyFiles"]


def test_a_root_that_is_there_but_cannot_be_read(
    directories: Directories, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    put(roots[0], "web.yaml")
    roots[1].write_text("a file where a directory should be")
    roots[2].symlink_to(tmp_path / "not-mounted-yet")
    desired = directories.load()
    assert set(desired.workloads) == {"web"}
    assert [problem.reason for problem in desired.unreadable] == ["RootUnreadable"] * 2
    assert str(roots[1]) in desired.unreadable[0].message


def test_host_paths_become_absolute(
    directories: Directories, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    volumes = "volumes: ['./a:/a', '../b/./c:/b', '~/d:/d', '~:/e', '/f:/f', 'named:/g']\n"
    put(roots[1], "web.yaml", WEB + volumes)
    spec = only(directories.load()).spec
    assert spec is not None
    sources = [v.source for v in spec.volumes if isinstance(v, BindVolume)]
    home = tmp_path / "home"
    assert sources == [
        str(roots[1] / "a"), str(tmp_path / "b/c"), str(home / "d"), str(home), "/f",
    ]  # fmt: skip


def test_env_files_are_read_in_order(
    directories: Directories, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    put(roots[1], "one.env", "A=1\n")
    put(tmp_path / "home", "two.env", "B=2\n")
    text = "env_file: [one.env, ~/two.env, {path: none.env, required: false}]\n"
    put(roots[1], "web.yaml", WEB + text)
    declared = only(directories.load())
    assert declared.problems == ()
    assert [(f.path, f.variables) for f in declared.inputs[MAIN_CONTAINER].env_files] == [
        (str(roots[1] / "one.env"), (("A", "1"),)),
        (str(tmp_path / "home/two.env"), (("B", "2"),)),
    ]
    assert directories.read_paths == {
        roots[1] / "one.env", tmp_path / "home/two.env", roots[1] / "none.env",
    }  # fmt: skip


def test_an_env_file_that_is_missing_is_a_problem_not_an_error(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[1], "web.yaml", WEB + "env_file: web.env\n")
    declared = only(directories.load())
    assert declared.spec is not None
    assert declared.errors == ()
    (problem,) = declared.problems
    assert problem.reason == "EnvFileMissing"
    assert str(roots[1] / "web.env") in problem.message
    put(roots[1], "web.env", "A=1\n")
    assert only(directories.load()).problems == ()


def test_a_host_port_goes_to_its_holder_and_else_to_the_first(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[0], "a.yaml", WEB + "ports: ['8080:80']\n")
    put(roots[1], "b.yaml", WEB + "ports: ['8080:81']\n")
    workloads = directories.load().workloads
    assert workloads["a"].spec is not None
    assert workloads["b"].spec is None
    assert workloads["b"].errors[0].reason == "DuplicateHostPort"
    workloads = directories.load({("", 8080, "tcp"): "b"}).workloads
    assert workloads["b"].spec is not None
    assert workloads["a"].spec is None


def test_what_has_not_changed_is_not_read_again(
    directories: Directories, roots: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_SETTLED_NS", -(10**18))
    put(roots[1], "web.env", "A=1\n")
    path = put(roots[1], "web.yaml", WEB + "env_file: web.env\n")
    first = directories.load()
    with monkeypatch.context() as context:
        context.setattr(files, "read_regular", None)
        assert directories.load() == first
    path.write_text(WEB + "hostname: changed\n")
    spec = only(directories.load()).spec
    assert spec is not None
    assert spec.hostname == "changed"
    path.unlink()
    assert directories.load() == Desired()


def test_a_file_written_twice_in_one_tick_is_read_twice(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    path = put(roots[1], "web.yaml", WEB + "hostname: one\n")
    status = path.stat()
    assert only(directories.load()).spec is not None
    path.write_text(WEB + "hostname: two\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    spec = only(directories.load()).spec
    assert spec is not None
    assert spec.hostname == "two"


@pytest.mark.parametrize(
    "target", ["/proc/self/environ", "/proc/version", "/sys/kernel/uevent_seqnum"]
)
def test_what_the_kernel_makes_up_is_no_workload(
    directories: Directories, roots: tuple[Path, ...], target: str
) -> None:
    roots[1].mkdir()
    (roots[1] / "web.yaml").symlink_to(target)
    (error,) = only(directories.load()).errors
    assert error.reason == "Unreadable"
    assert "where nobody stores files" in error.message


def test_a_half_written_file_is_one_error_and_takes_no_workload_away(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    path = put(roots[1], "shop.yaml", f"name: web\n{WEB}---\nname: db\n{WEB}")
    whole = directories.load()
    assert set(whole.workloads) == {"web", "db"}
    assert whole.unsure == frozenset()
    path.write_text(f"name: web\n{WEB}---\nname: [d")
    half = directories.load()
    assert [e.reason for e in only(half).errors] == ["YamlSyntax"]
    assert half.unsure == {str(path)}


def test_a_broken_file_over_a_good_one_takes_nothing_of_that_away(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    weak = put(roots[0], "shop.yaml", f"name: web\n{WEB}---\nname: db\n{WEB}")
    strong = put(roots[1], "shop.yaml", "a: [")
    assert directories.load().unsure == {str(weak), str(strong)}


def test_drop_ins_of_any_root_in_the_order_of_their_names(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    base = put(roots[0], "web.yaml", WEB + "description: base\n")
    put(roots[0] / "web.yaml.d", "20-a.yaml", "description: shadowed\nhostname: shadowed\n")
    first = put(roots[2] / "web.yaml.d", "10-b.yaml", "description: first\nuser: '1'\n")
    second = put(roots[1] / "web.yaml.d", "20-a.yml", "description: .yml\n")
    third = put(roots[1] / "web.yaml.d", "20-a.yaml", "description: third\n")
    for ignored in (".x.yaml", "x.yaml~", "README"):
        put(roots[1] / "web.yaml.d", ignored, "a: [")
    declared = only(directories.load())
    assert declared.spec
    assert (declared.spec.description, declared.spec.user) == (".yml", "1")
    assert declared.spec.hostname is None
    assert declared.path == str(base)
    assert declared.files == tuple(map(str, (base, first, third, second)))
    (roots[2] / "web.yaml.d" / "20-a.yml").symlink_to("/dev/null")
    masked = only(directories.load())
    assert masked.spec and masked.spec.description == "third"


def test_paths_in_a_drop_in_lead_from_its_own_directory(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[0], "web.yaml", WEB + "volumes: ['./a:/a']\nenv_file: a.env\n")
    put(roots[1] / "web.yaml.d", "x.yaml", "env_file: b.env\n")
    spec = only(directories.load()).spec
    assert spec
    assert [v.source for v in spec.volumes if isinstance(v, BindVolume)] == [str(roots[0] / "a")]
    assert [e.path for e in spec.env_file] == [str(roots[1] / "web.yaml.d/b.env")]


def test_a_drop_in_that_cannot_be_read_refuses_its_workload(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[0], "web.yaml")
    put(roots[0], "other.yaml")
    (roots[1] / "web.yaml.d").mkdir(parents=True)
    fifo = roots[1] / "web.yaml.d" / "x.yaml"
    os.mkfifo(fifo)
    workloads = directories.load().workloads
    assert workloads["other"].spec
    (error,) = workloads["web"].errors
    assert (error.file, error.reason) == (str(fifo), "Unreadable")
    fifo.unlink()
    (roots[2] / "web.yaml.d").parent.mkdir()
    (roots[2] / "web.yaml.d").write_text("no directory")
    (error,) = directories.load().workloads["web"].errors
    assert (error.file, error.reason) == (str(roots[2] / "web.yaml.d"), "Unreadable")


def test_drop_ins_for_nothing_are_a_problem_unless_their_file_is_masked(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[1] / "web.yaml.d", "x.yaml", "hostname: x\n")
    desired = directories.load()
    assert desired.workloads == {}
    assert [problem.reason for problem in desired.problems] == ["DropInWithoutFile"]
    assert str(roots[1] / "web.yaml.d") in desired.problems[0].message
    (roots[1] / "web.yaml").symlink_to("/dev/null")
    assert directories.load().problems == ()


def test_a_name_that_is_declared_twice_goes_to_the_first(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    first = put(roots[0], "b.yaml", f"name: web\n{WEB}")
    second = put(roots[1], "a.yaml", f"name: web\n{WEB}---\nname: db\n{WEB}")
    third = put(roots[1], "web.yaml", WEB)
    instances = put(roots[1], "d.yaml", f"{WEB}instances: {{b: }}\n---\nname: d-b\n{WEB}")
    instances.write_text(f"name: d\n{WEB}instances: {{b: }}\n---\nname: d-b\n{WEB}")
    workloads = directories.load().workloads
    assert set(workloads) == {"web", "db", "d-b", "web#2", "web#3", "d-b#2"}
    assert workloads["web"].spec and workloads["web"].path == str(first)
    assert workloads["db"].spec and workloads["d-b"].spec
    said = {name: str(workloads[name].errors[0]) for name in ("web#2", "web#3", "d-b#2")}
    assert said["web#2"].startswith(
        f"{second}:1:7: cannot accept name: the name web is taken by {first}:1:1 "
    )
    assert said["web#3"].startswith(f"{third}:1:1: cannot accept the workload: the name web is ")
    assert said["d-b#2"].startswith(f"{instances}:5:7: ")


def test_a_name_stays_with_the_file_that_runs_under_it(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    first = put(roots[1], "web.yaml", WEB)
    second = put(roots[1], "web-2.yaml", f"name: web\n{WEB}")
    assert directories.load().workloads["web"].path == str(first)
    running = {"web": str(second)}
    workloads = directories.load(running=running).workloads
    assert workloads["web"].path == str(second)
    assert [e.reason for e in workloads["web#2"].errors] == ["DuplicateName"]
    second.unlink()
    assert directories.load(running=running).workloads["web"].path == str(first)


def test_one_name_for_several_kinds_of_host(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    text = "---\n".join(f"name: web\nwhen: {{HOST_ARCH: {a}}}\n{WEB}" for a in ("amd64", "arm64"))
    path = put(roots[1], "web.yaml", text)
    desired = directories.load()
    assert only(desired).spec
    (other,) = desired.elsewhere
    assert (other.name, other.path) == ("web", str(path))
    assert other.reason == 'HOST_ARCH is "arm64", not amd64'


def test_a_second_file_of_facts_is_a_change(
    directories: Directories, roots: tuple[Path, ...], tmp_path: Path
) -> None:
    put(roots[1], "web.yaml", WEB + "hostname: ${NAME}\n")
    assert [e.reason for e in only(directories.load()).errors] == ["UndefinedVariable"]
    put(tmp_path / "facts", "a.env", "NAME=one\n")
    spec = only(directories.load()).spec
    assert spec and spec.hostname == "one"
    broken = put(tmp_path / "facts", "b.env", "NAME\n")
    desired = directories.load()
    assert [problem.reason for problem in desired.problems] == ["FactsInvalid"]
    assert only(desired).spec
    broken.write_text("NAME=two\nNONSENSE\n")
    assert [e.reason for e in only(directories.load()).errors] == ["FactUnreadable"]


def test_a_limit_of_the_host_that_changed_is_noticed(roots: tuple[Path, ...]) -> None:
    put(roots[1], "web.yaml", WEB + "ports: ['80:80']\n")
    limits = [Limits(80), Limits(1024)]
    directories = Directories(roots, facts=Facts(limits=limits.pop))
    assert [w.reason for w in only(directories.load()).warnings] == ["PrivilegedPort"]
    assert not only(directories.load()).warnings


def test_only_what_changed_is_parsed_and_only_what_it_concerns_is_loaded(
    directories: Directories,
    roots: tuple[Path, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "_SETTLED_NS", -(10**18))
    counts = {"parsed": 0, "loaded": 0}
    read, load = loader.read_part, loader.load_file

    def counting_read(file: str, data: bytes) -> loader.Part:
        counts["parsed"] += 1
        return read(file, data)

    def counting_load(*args: Any) -> loader.FileResult:
        counts["loaded"] += 1
        return load(*args)

    monkeypatch.setattr(loader, "read_part", counting_read)
    monkeypatch.setattr(loader, "load_file", counting_load)

    def work() -> tuple[int, int]:
        counts.update(parsed=0, loaded=0)
        directories.load()
        return counts["parsed"], counts["loaded"]

    fact = put(tmp_path / "facts", "a.env", "A=1\nB=1\n")
    other = put(tmp_path / "facts", "b.env", "C=1\n")
    put(roots[0], "one.yaml", WEB + "hostname: h${A}\n")
    two = put(roots[0], "two.yaml", WEB + "hostname: h${B}\ninstances: {x: , y: }\n")
    put(roots[0], "three.yaml", WEB)
    dropin = put(roots[1] / "three.yaml.d", "x.yaml", "hostname: x\n")
    assert work() == (4, 3)
    assert work() == (0, 0)
    fact.write_text("A=22\nB=1\n")
    assert work() == (0, 1)
    other.write_text("C=22\n")
    assert work() == (0, 0)
    dropin.write_text("hostname: xx\n")
    assert work() == (1, 1)
    two.write_text(WEB)
    assert work() == (1, 1)
    dropin.unlink()
    assert work() == (0, 1)
    assert work() == (0, 0)


def test_the_files_of_a_pod_s_containers_are_their_own(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[1], "one.env", "A=1\n")
    text = """
containers:
  web: {image: r.example/web:1, env_file: one.env, volumes: ["./site:/srv"]}
  side: {image: r.example/side:1}
"""
    put(roots[1], "shop.yaml", text)
    declared = only(directories.load())
    assert declared.spec is not None and declared.problems == ()
    web = declared.spec.containers_by_name["web"]
    assert [v.source for v in web.volumes if isinstance(v, BindVolume)] == [str(roots[1] / "site")]
    (read,) = declared.inputs["web"].env_files
    assert read.variables == (("A", "1"),)
    assert declared.inputs["side"].env_files == ()


def test_the_content_of_a_seccomp_profile_is_a_part_of_what_is_declared(
    directories: Directories, roots: tuple[Path, ...]
) -> None:
    put(roots[1], "web.yaml", WEB + "seccomp: ./web.json\n")
    (problem,) = only(directories.load()).problems
    assert problem.reason == "SeccompUnreadable" and "web.json" in problem.message
    digests = set()
    for profile in ('{"defaultAction": "SCMP_ACT_ALLOW"}', '{"defaultAction": "SCMP_ACT_LOG"}'):
        put(roots[1], "web.json", profile)
        declared = only(directories.load())
        assert declared.spec is not None and declared.problems == ()
        images = {c.image: Image("i", "d") for c in declared.spec.containers_by_name.values()}
        digests.add(make_revision("web", declared.spec, images, declared.inputs).digest)
    assert len(digests) == 2
    assert roots[1] / "web.json" in directories.read_paths
