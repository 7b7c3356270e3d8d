"""Every path that the daemon reads, writes or connects to, derived in one place."""

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

_APP = "workloadd"


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things are for one user on one host.

    `config_roots` are in order of precedence, the weakest first: the vendor's, the
    administrator's, this boot's, the user's own, and what the administrator wrote for this user.

    Generated units go to `unit_dir`, the place of units that packages bring to a home directory
    (systemd.unit(5)): what an operator does to them with `systemctl --user mask`, `edit` or
    `disable` is kept in `unit_config_dir`, which systemd prefers. `systemctl mask` refuses to
    replace a regular file, so units in the latter could not be masked at all. `unit_overrides`
    are all directories that systemd prefers to `unit_dir`.
    """

    user: str
    home: Path
    config_roots: tuple[Path, ...]
    unit_dir: Path
    unit_config_dir: Path
    unit_overrides: tuple[Path, ...]
    state_dir: Path
    xdg_runtime_dir: Path
    run_dir: Path
    podman_socket: Path
    bus_address: str
    linger_file: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], uid: int | None = None) -> "Paths":
        """The paths of the user `uid` (by default the one we run as).

        `WORKLOADD_ROOT` is put before /usr/lib, /etc and /run, for tests and try-outs. A relative
        path in an XDG variable is ignored, as the XDG base directory specification asks for.
        """
        uid = os.getuid() if uid is None else uid
        user, home = _account(environ, uid)
        system = Path(environ.get("WORKLOADD_ROOT") or "/")
        config = _xdg(environ, "XDG_CONFIG_HOME", home / ".config")
        runtime = _xdg(environ, "XDG_RUNTIME_DIR", Path(f"/run/user/{uid}"))
        return cls(
            user=user,
            home=home,
            config_roots=_roots(system, config, user),
            **_unit_paths(
                system, _xdg(environ, "XDG_DATA_HOME", home / ".local/share"), config, runtime
            ),
            state_dir=_xdg(environ, "XDG_STATE_HOME", home / ".local/state") / _APP,
            xdg_runtime_dir=runtime,
            run_dir=system / "run" / _APP,
            podman_socket=runtime / "podman/podman.sock",
            bus_address=environ.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={runtime / 'bus'}",
            linger_file=Path("/var/lib/systemd/linger") / user,
        )

    @classmethod
    def under(cls, root: Path, user: str = "workloads", bus_address: str = "") -> "Paths":
        """The same layout with everything below `root`, for tests."""
        home, runtime = root / "home" / user, root / "run/user/1000"
        return cls(
            user=user,
            home=home,
            config_roots=_roots(root, home / ".config", user),
            **_unit_paths(root, home / ".local/share", home / ".config", runtime),
            state_dir=home / ".local/state" / _APP,
            xdg_runtime_dir=runtime,
            run_dir=root / "run" / _APP,
            podman_socket=runtime / "podman/podman.sock",
            bus_address=bus_address or f"unix:path={runtime / 'bus'}",
            linger_file=root / "var/lib/systemd/linger" / user,
        )

    @property
    def workload_roots(self) -> tuple[Path, ...]:
        """The directories of workload files, the weakest first."""
        return tuple(root / "workloads.d" for root in self.config_roots)

    @property
    def facts_roots(self) -> tuple[Path, ...]:
        """The directories of facts about this host, the weakest first."""
        return tuple(root / "facts.d" for root in self.config_roots)

    @property
    def runtime_dir(self) -> Path:
        """What lives until the user's last session (or the lingering manager) ends."""
        return self.xdg_runtime_dir / _APP

    @property
    def socket(self) -> Path:
        """The API's Unix socket."""
        return self.runtime_dir / "workloadd.sock"

    @property
    def shared_socket(self) -> Path:
        """The socket for the group that the settings name: others cannot come to the one above."""
        return self.run_dir / "users" / self.user / "workloadd.sock"

    @property
    def files_dir(self) -> Path:
        """The files that containers get."""
        return self.state_dir / "files"

    @property
    def fates_file(self) -> Path:
        """What becomes of shared networks and volumes when their files go."""
        return self.state_dir / "shared.json"

    @property
    def secret_key(self) -> Path:
        """The key with which digests of secrets are made."""
        return self.state_dir / "secret.key"

    @property
    def history_file(self) -> Path:
        """The SQLite file of the history."""
        return self.state_dir / "history.sqlite3"

    @property
    def unit_sets(self) -> Path:
        """The units of workloads that have several, which those in `unit_dir` are links to."""
        return self.state_dir / "units"


class _UnitPaths(TypedDict):
    unit_dir: Path
    unit_config_dir: Path
    unit_overrides: tuple[Path, ...]


def _unit_paths(system: Path, data: Path, config: Path, runtime: Path) -> _UnitPaths:
    """The user manager's search path as far as it comes before the data home's, strongest first."""
    return {
        "unit_dir": data / "systemd/user",
        "unit_config_dir": config / "systemd/user",
        "unit_overrides": (
            config / "systemd/user.control",
            runtime / "systemd/user.control",
            config / "systemd/user",
            system / "etc/systemd/user",
            runtime / "systemd/user",
            system / "run/systemd/user",
        ),
    }


def _roots(system: Path, config: Path, user: str) -> tuple[Path, ...]:
    return (
        system / "usr/lib" / _APP,
        system / "etc" / _APP,
        system / "run" / _APP,
        config / _APP,
        system / "etc" / _APP / "users" / user,
    )


def _account(environ: Mapping[str, str], uid: int) -> tuple[str, Path]:
    """Name and home: the account's name is the password database's, its home may be overridden."""
    try:
        entry = pwd.getpwuid(uid)
        name, home = entry.pw_name, entry.pw_dir
    except KeyError:  # in a container image without a passwd entry for us
        name, home = environ.get("USER") or str(uid), "/"
    return name, _xdg(environ, "HOME", Path(home))


def _xdg(environ: Mapping[str, str], variable: str, default: Path) -> Path:
    value = environ.get(variable, "")
    return Path(value) if value.startswith("/") else default
