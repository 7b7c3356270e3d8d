"""Facts: which file says what, and what a file that cannot be read puts in doubt."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workloadd.sources import files, layers
from workloadd.sources.facts import Facts
from workloadd.sources.host_facts import HostFacts, host_limits, os_release
from workloadd.spec.scope import HOST_VARIABLES, Limits, Scope, Variable

HOST = {"HOST_NAME": "h1", "HOST_ARCH": "amd64"}


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ...]:
    return tuple(tmp_path / name for name in ("usr", "etc", "run"))


@pytest.fixture
def facts(roots: tuple[Path, ...]) -> Facts:
    return Facts(roots, host=lambda: HOST)


def put(root: Path, name: str, text: str | bytes) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return root / name


def values(scope: Scope) -> dict[str, str]:
    return {
        name: one.value
        for name, one in scope.variables.items()
        if name not in HOST and not one.doubt
    }


def test_without_any_there_are_those_of_the_host(facts: Facts, roots: tuple[Path, ...]) -> None:
    scope, problems = facts.load()
    assert {name: one.value for name, one in scope.variables.items()} == HOST
    assert scope.places == tuple(map(str, roots))
    assert problems == ()


def test_later_files_and_stronger_roots_win(facts: Facts, roots: tuple[Path, ...]) -> None:
    put(roots[0], "10-vendor.env", "A=vendor\nB=vendor\n")
    put(roots[0], "20-site.env", "B=shadowed\nC=shadowed\n")
    put(roots[1], "20-site.env", "# here\nB=site\n")
    last = put(roots[2], "90.env", "D=x = 'y' \n")
    for ignored in (".30.env", "30.env~", "30.conf"):
        put(roots[2], ignored, "E=1\n")
    scope, problems = facts.load()
    assert values(scope) == {"A": "vendor", "B": "site", "D": "x = 'y' "}
    assert scope.variables["D"].origin == str(last)
    assert not problems
    (roots[2] / "20-site.env").symlink_to("/dev/null")
    assert values(facts.load()[0]) == {"A": "vendor", "B": "vendor", "D": "x = 'y' "}


def test_what_is_given_is_over_everything(roots: tuple[Path, ...]) -> None:
    put(roots[0], "a.env", "A=file\n")
    own = {"A": Variable("given"), "HOST_NAME": Variable("other")}
    scope, _ = Facts(roots, own, host=lambda: HOST).load()
    assert (scope.variables["A"].value, scope.variables["HOST_NAME"].value) == ("given", "other")


def test_a_line_that_is_wrong_puts_its_file_in_doubt(facts: Facts, roots: tuple[Path, ...]) -> None:
    put(roots[0], "10.env", "A=1\nB=1\nC=1\n")
    path = put(roots[1], "20.env", b"A=2\nB=\xff\nhunter2\nD-E=hunter2\nHOST_NAME=hunter2\n")
    put(roots[1], "30.env", "B=3\n")
    scope, problems = facts.load()
    assert values(scope) == {"B": "3", "C": "1"}
    assert scope.variables["A"].doubt
    assert not scope.doubt
    assert scope.variables["HOST_NAME"].value == "h1"
    assert [problem.message.split(": ")[0] for problem in problems] == [
        f"cannot read {path}:{line}" for line in (2, 3, 4, 5)
    ]
    assert "hunter2" not in repr((scope, problems))


def unreadable(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def too_large(path: Path) -> None:
    path.write_bytes(b"#" * (files.MAX_BYTES + 1))


@pytest.mark.parametrize("spoil", [unreadable, a_fifo, dangling, too_large])
def test_a_file_that_cannot_be_read_puts_in_doubt_what_it_may_have_said(
    facts: Facts, roots: tuple[Path, ...], spoil: Callable[[Path], None]
) -> None:
    put(roots[0], "10.env", "A=1\nB=1\n")
    path = put(roots[1], "20.env", "A=2\n")
    put(roots[1], "30.env", "B=3\n")
    spoil(path)
    scope, problems = facts.load()
    assert values(scope) == {"B": "3"}
    assert str(path) in scope.variables["A"].doubt
    assert str(path) in scope.doubt
    assert [problem.reason for problem in problems] == ["FactsUnreadable"]
    assert scope.variables["HOST_NAME"].value == "h1"


def test_a_directory_that_cannot_be_read_puts_everything_in_doubt(
    facts: Facts, roots: tuple[Path, ...]
) -> None:
    put(roots[0], "10.env", "A=1\n")
    roots[1].write_text("a file where a directory should be")
    roots[2].symlink_to("not-mounted-yet")
    scope, problems = facts.load()
    assert values(scope) == {}
    assert scope.doubt
    assert len(problems) == 2


def test_too_many_files(
    facts: Facts, roots: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workloadd.sources.facts.MAX_LAYERS", 2)
    for name in "abc":
        put(roots[0], f"{name}.env", f"{name}=1\n")
    scope, problems = facts.load()
    assert [problem.reason for problem in problems] == ["TooManyFiles"]
    assert scope.doubt
    assert layers.MAX_LAYERS > 2


def test_a_changed_file_is_read_again(facts: Facts, roots: tuple[Path, ...]) -> None:
    path = put(roots[0], "a.env", "A=1\n")
    assert values(facts.load()[0]) == {"A": "1"}
    path.write_text("A=22\n")
    assert values(facts.load()[0]) == {"A": "22"}
    path.unlink()
    assert values(facts.load()[0]) == {}


def test_the_host(tmp_path: Path) -> None:
    put(tmp_path / "etc", "machine-id", "0123456789abcdef0123456789abcdef\n")
    put(tmp_path / "usr/lib", "os-release", "ID=fedora\nVERSION_ID='44'\n")
    host = HostFacts(tmp_path)()
    assert host.keys() == HOST_VARIABLES.keys()
    assert host["HOST_MACHINE_ID"] == "0123456789abcdef0123456789abcdef"
    assert (host["HOST_OS_ID"], host["HOST_OS_VERSION"]) == ("fedora", "44")
    put(tmp_path / "etc", "os-release", "ID=debian\n")
    assert HostFacts(tmp_path)().get("HOST_OS_VERSION") is None
    assert HostFacts(tmp_path / "nothing")().keys() == {"HOST_NAME", "HOST_ARCH", "HOST_OS_ID"}


def test_os_release_is_written_as_a_shell_would() -> None:
    text = b'# ID=x\nID="a b"\nBROKEN="\n\nV=\'1\'"2"\nNO\nE=\n'
    assert os_release(text) == {"ID": "a b", "V": "12", "E": ""}


def test_the_first_unprivileged_port_is_the_kernel_s(tmp_path: Path) -> None:
    setting = put(tmp_path, "ip_unprivileged_port_start", "80\n")
    assert host_limits(setting) == Limits(first_port=80)
    setting.write_text("many")
    assert host_limits(setting) == Limits()
    assert host_limits(tmp_path / "nothing") == Limits()
    assert Facts(limits=lambda: Limits(22)).load()[0].limits == Limits(22)
