"""Which controllers our user manager has."""

from pathlib import Path

import pytest

from workloadd.host.cgroups import controllers_of, delegated_controllers

OURS = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/workloadd.service\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    group = tmp_path / "user.slice/user-1000.slice/user@1000.service"
    group.mkdir(parents=True)
    (group / "cgroup.controllers").write_text("memory pids\n")
    return tmp_path


@pytest.mark.parametrize("before", ["", "4:memory:/user.slice\n"])
def test_those_of_the_manager_s_group(root: Path, before: str) -> None:
    own = root / "own"
    own.write_text(before + OURS)
    assert delegated_controllers(own, root) == {"memory", "pids"}


@pytest.mark.parametrize("text", ["", "0::/\n", "0::/system.slice/x.service\n", OURS])
def test_elsewhere_it_is_not_known(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own"
    own.write_text(text)
    assert delegated_controllers(own, tmp_path) is None


def test_those_of_another_user(root: Path) -> None:
    assert controllers_of(1000, root) == {"memory", "pids"}
    assert controllers_of(1001, root) is None
