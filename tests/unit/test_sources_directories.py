"""Workload files in directories: precedence, masking, what is ignored, what is refused."""

import os
from pathlib import Path

import pytest

from workloadd.core.desired import Declared, Desired
from workloadd.sources import files, scan
from workloadd.sources.directories import Directories
from workloadd.spec.volumes import BindVolume

WEB = "image: docker.io/library/nginx:1.27\n"


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ...]:
    return tuple(tmp_path / name for name in ("usr", "etc", "run"))


@pytest.fixture
def directories(roots: tuple[Path, ...], tmp_path: Path) -> Directories:
    return Directories(roots, home=tmp_path / "home")


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
    assert [(f.path, f.variables) for f in declared.env_files] == [
        (str(roots[1] / "one.env"), (("A", "1"),)),
        (str(tmp_path / "home/two.env"), (("B", "2"),)),
    ]
    assert directories.env_paths == {
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
