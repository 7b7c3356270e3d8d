"""Paths: one place, derived from the environment."""

from pathlib import Path

from workloadd.settings import Paths

NOBODY = 54321  # a user without an entry in the password database


def test_the_defaults() -> None:
    paths = Paths.from_environment({"HOME": "/var/home/w", "USER": "w"}, NOBODY)
    assert paths.workload_roots == tuple(
        Path(root) / "workloads.d"
        for root in (
            "/usr/lib/workloadd",
            "/etc/workloadd",
            "/run/workloadd",
            "/var/home/w/.config/workloadd",
            "/etc/workloadd/users/w",
        )
    )
    assert paths.unit_dir == Path("/var/home/w/.local/share/systemd/user")
    assert paths.unit_config_dir == Path("/var/home/w/.config/systemd/user")
    assert paths.history_file == Path("/var/home/w/.local/state/workloadd/history.sqlite3")
    assert paths.socket == Path(f"/run/user/{NOBODY}/workloadd/workloadd.sock")
    assert paths.podman_socket == Path(f"/run/user/{NOBODY}/podman/podman.sock")
    assert paths.bus_address == f"unix:path=/run/user/{NOBODY}/bus"
    assert paths.linger_file == Path("/var/lib/systemd/linger/w")


def test_the_environment_counts() -> None:
    environ = {
        "HOME": "/h",
        "XDG_CONFIG_HOME": "/c",
        "XDG_DATA_HOME": "/d",
        "XDG_STATE_HOME": "/s",
        "XDG_RUNTIME_DIR": "/r",
        "DBUS_SESSION_BUS_ADDRESS": "unix:abstract=x",
        "WORKLOADD_ROOT": "/try",
    }
    paths = Paths.from_environment(environ, NOBODY)
    assert paths.user == str(NOBODY)
    assert paths.config_roots == (
        Path("/try/usr/lib/workloadd"),
        Path("/try/etc/workloadd"),
        Path("/try/run/workloadd"),
        Path("/c/workloadd"),
        Path(f"/try/etc/workloadd/users/{NOBODY}"),
    )
    assert paths.unit_dir == Path("/d/systemd/user")
    assert paths.unit_config_dir == Path("/c/systemd/user")
    assert paths.unit_dir not in paths.unit_overrides
    assert Path("/try/etc/systemd/user") in paths.unit_overrides
    assert paths.state_dir == Path("/s/workloadd")
    assert paths.runtime_dir == Path("/r/workloadd")
    assert paths.bus_address == "unix:abstract=x"


def test_relative_xdg_paths_are_ignored() -> None:
    paths = Paths.from_environment({"HOME": "/h", "XDG_CONFIG_HOME": "conf"}, NOBODY)
    assert paths.unit_config_dir == Path("/h/.config/systemd/user")


def test_the_account_is_the_password_databases() -> None:
    assert Paths.from_environment({"USER": "somebody-else"}, 0).user == "root"


def test_under_keeps_everything_below(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    everything = (
        *paths.workload_roots, paths.unit_dir, *paths.unit_overrides, paths.state_dir, paths.socket,
        paths.podman_socket, paths.linger_file, paths.home,
    )  # fmt: skip
    assert all(path.is_relative_to(tmp_path) for path in everything)
