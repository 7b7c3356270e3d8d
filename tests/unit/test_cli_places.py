"""Where workloadctl looks for the daemon."""

import pytest

from workloadd.cli import client

SOCKET = "workloadd/workloadd.sock"


@pytest.mark.parametrize(
    ("uid", "runtime", "made", "directory"),
    [
        pytest.param(1000, "/run/user/1000", 1000, "/run/user/1000", id="the-user"),
        pytest.param(1000, None, 1000, "/run/user/1000", id="by-sudo"),
        pytest.param(1001, None, 1000, "/run/user/1001", id="somebody-else"),
        pytest.param(0, None, 1000, "/run/user/1000", id="root-by-sudo"),
        pytest.param(0, "/run/user/0", 1000, "/run/user/1000", id="root-in-a-session"),
        pytest.param(0, "/run/user/1001", 1000, "/run/user/1001", id="root-who-says-where"),
        pytest.param(0, None, None, "/run/user/0", id="no-such-user"),
    ],
)
def test_root_asks_the_daemon_of_the_user_that_is_made_for_it(
    uid: int,
    runtime: str | None,
    made: int | None,
    directory: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setattr(client.os, "geteuid", lambda: uid)
    monkeypatch.setattr(client, "_made_for_it", lambda: made)
    assert client.places(None, None)[0] == f"{directory}/{SOCKET}"
