"""The history's SQLite file: its schema, and a connection that is usable whatever is on disk.

Rule for later versions: tables and columns are only ever added, the columns nullable or with a
default, and `PRAGMA user_version` grows. An older workloadd (after an upgrade was undone) then
still reads and appends; it never lowers the version.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from workloadd.core.errors import Problem

VERSION = 5
_BUSY_SECONDS = 5.0
_SUFFIXES = ("", "-wal", "-shm")

_CREATE = """
CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workload TEXT NOT NULL,
    revision TEXT NOT NULL,
    from_revision TEXT NOT NULL,
    cause TEXT NOT NULL,
    started_at REAL NOT NULL,
    committed_at REAL NOT NULL DEFAULT 0,
    ended_at REAL,
    outcome TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX rollouts_of ON rollouts (workload, id);
CREATE INDEX rollouts_ended ON rollouts (workload, id) WHERE ended_at IS NOT NULL;
CREATE INDEX rollouts_open ON rollouts (workload) WHERE ended_at IS NULL;
CREATE INDEX rollouts_removed ON rollouts (ended_at) WHERE outcome = 'removed';
CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    rollout INTEGER NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE,
    at REAL NOT NULL,
    step TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX steps_of ON steps (rollout, id);
CREATE TABLE bad (
    workload TEXT NOT NULL,
    revision TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    hint TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (workload, revision)
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    workload TEXT NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX events_of ON events (workload, id);
"""

# What each version after the first added, by version.
_ADDED = {
    2: """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workload TEXT NOT NULL,
    revision TEXT NOT NULL,
    container TEXT NOT NULL,
    trigger TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    exit_code INTEGER,
    outcome TEXT NOT NULL DEFAULT '',
    log TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX runs_of ON runs (workload, id);
""",
    3: """
CREATE TABLE hands (
    workload TEXT NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    revision TEXT NOT NULL DEFAULT '',
    spec_key TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (workload, kind)
);
CREATE TABLE revisions (
    workload TEXT NOT NULL,
    revision TEXT NOT NULL,
    at REAL NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (workload, revision)
);
""",
    4: """
CREATE TABLE images (
    id TEXT NOT NULL,
    reference TEXT NOT NULL,
    pulled_at REAL NOT NULL,
    last_used REAL NOT NULL,
    PRIMARY KEY (id, reference)
);
""",
    5: """
CREATE TABLE reboot_lock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    stage TEXT NOT NULL,
    client TEXT NOT NULL,
    client_group TEXT NOT NULL,
    began REAL NOT NULL,
    at REAL NOT NULL,
    boot TEXT NOT NULL,
    undone TEXT NOT NULL DEFAULT '',
    owed INTEGER NOT NULL DEFAULT 0
);
""",
}

# What this version reads and writes; a file of a later one must have at least this.
_COLUMNS = {
    "rollouts": "id, workload, revision, from_revision, cause, started_at, committed_at, ended_at,"
    " outcome, reason, message, hint, log",
    "steps": "id, rollout, at, step, detail",
    "bad": "workload, revision, reason, message, hint, at",
    "events": "id, workload, at, kind, message",
    "runs": "id, workload, revision, container, trigger, attempt, started_at, ended_at, exit_code,"
    " outcome, log",
    "hands": "workload, kind, who, at, reason, revision, spec_key",
    "revisions": "workload, revision, at, content",
    "images": "id, reference, pulled_at, last_used",
    "reboot_lock": "stage, client, client_group, began, at, boot, undone, owed",
}


def connect(file: Path) -> tuple[sqlite3.Connection, Problem | None]:
    """A connection for writing, and what went wrong on the way.

    The history is not needed to run, so there always is one: a damaged file is moved aside (one is
    kept) for a new one, and where no file can be had it is kept in memory until the daemon ends.
    """
    try:
        try:
            return _open(file), None
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            return _replace(file, error)
    except (OSError, sqlite3.Error) as error:
        problem = Problem(
            "HistoryVolatile",
            f"cannot keep the history in {file}: {error}; it is kept in memory until a restart",
            f"check permissions and free space of {file.parent}, then restart workloadd",
        )
        return _in_memory(), problem


def connect_readonly(file: Path) -> tuple[sqlite3.Connection, Problem | None]:
    """A connection for reading beside the daemon's; an empty history where there is no file."""
    if not file.exists():
        problem = Problem("HistoryMissing", f"cannot read the history: there is no {file} yet")
        return _in_memory(), problem
    # Without a -wal file nobody has the database open and everything is in the main file; SQLite
    # would have to create the files of the WAL, which mode=ro does not let it.
    mode = "mode=ro" if Path(f"{file}-wal").exists() else "mode=ro&immutable=1"
    try:
        connection = _connection(f"file:{quote(str(file))}?{mode}")
        with closing(connection.cursor()) as cursor:
            _check_columns(cursor)
    except sqlite3.Error as error:
        return _in_memory(), Problem(
            "HistoryUnreadable", f"cannot read the history {file}: {error}"
        )
    return connection, None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault: not a database, malformed, or of another make."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, _ForeignError)
    return (code & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class _ForeignError(sqlite3.DatabaseError):
    """A database that lacks what this version needs, or fails SQLite's own check."""


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives -wal and -shm the mode of the main file: log lines are nobody else's business.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = _connection(f"file:{quote(str(file))}?mode=rw")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _replace(file: Path, error: Exception) -> tuple[sqlite3.Connection, Problem]:
    aside = file.with_name(file.name + ".damaged")
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            Path(f"{file}{suffix}").replace(f"{aside}{suffix}")
    message = f"cannot use the history {file}: {error}; a new one is begun, the old is {aside}"
    return _open(file), Problem("HistoryDamaged", message, "nothing needs to be done")


def _in_memory() -> sqlite3.Connection:
    connection = _connection("file::memory:")
    _prepare(connection)
    return connection


def _connection(uri: str) -> sqlite3.Connection:
    # Opened and used on one thread, except where a caller's close() has to do it from another.
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    with closing(connection.cursor()) as cursor:
        (found,) = cursor.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise _ForeignError(found)
        (version,) = cursor.execute("PRAGMA user_version").fetchone()
        wanted = [_CREATE] if version == 0 else []
        wanted += [added for number, added in _ADDED.items() if version < number]
        if wanted:
            script = " ".join(wanted)
            cursor.executescript(
                f"BEGIN IMMEDIATE; {script} PRAGMA user_version={VERSION}; COMMIT;"
            )
        _check_columns(cursor)


def _check_columns(cursor: sqlite3.Cursor) -> None:
    for table, columns in _COLUMNS.items():
        try:
            cursor.execute(f"SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608 - constants
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_ERROR:
                raise
            raise _ForeignError(str(error)) from None
