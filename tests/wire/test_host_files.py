"""Files, credentials, logging and sd_notify, as the operating system really does them."""

import base64
import json
import logging
import os
import socket
from pathlib import Path

import pytest

from workloadd.core.errors import Permanent
from workloadd.host import journal, notify
from workloadd.host.auth import credentials_for, registry_of
from workloadd.host.files import (
    NotARegularFileError,
    TooBigError,
    make_link,
    read_bounded,
    remove_if_exists,
    write_atomic,
)


class TestReading:
    def test_up_to_the_limit(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"12345")
        assert read_bounded(path, 5) == b"12345"
        with pytest.raises(TooBigError):
            read_bounded(path, 4)

    def test_nothing_else_makes_us_wait(self, tmp_path: Path) -> None:
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        for path in (fifo, Path("/dev/zero"), tmp_path):
            with pytest.raises(NotARegularFileError):
                read_bounded(path, 10)

    def test_links(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("text")
        (tmp_path / "link").symlink_to("file")
        assert read_bounded(tmp_path / "link", 10) == b"text"
        with pytest.raises(OSError, match="symbolic links"):
            read_bounded(tmp_path / "link", 10, follow=False)


class TestWriting:
    def test_replaces_a_link_and_not_its_target(self, tmp_path: Path) -> None:
        (tmp_path / "target").write_text("old")
        (tmp_path / "unit").symlink_to("target")
        write_atomic(tmp_path / "unit", "new", 0o600)
        assert (tmp_path / "target").read_text() == "old"
        assert not (tmp_path / "unit").is_symlink()
        assert (tmp_path / "unit").stat().st_mode & 0o777 == 0o600

    def test_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "taken").mkdir()
        with pytest.raises(IsADirectoryError):
            write_atomic(tmp_path / "taken", "text")
        assert [path.name for path in tmp_path.iterdir()] == ["taken"]

    def test_links_are_made_once(self, tmp_path: Path) -> None:
        link = tmp_path / "link"
        assert make_link(link, "../a")
        assert not make_link(link, "../a")
        assert make_link(link, "../b")
        assert str(link.readlink()) == "../b"
        (tmp_path / "file").touch()
        with pytest.raises(FileExistsError):
            make_link(tmp_path / "file", "../a")

    def test_removal(self, tmp_path: Path) -> None:
        (tmp_path / "target").touch()
        (tmp_path / "link").symlink_to("target")
        assert remove_if_exists(tmp_path / "link")
        assert not remove_if_exists(tmp_path / "link")
        assert not remove_if_exists(tmp_path / "none" / "link")
        assert (tmp_path / "target").exists()


def auth_file(path: Path, **content: object) -> Path:
    (path / "auth.json").write_text(json.dumps(content))
    return path / "auth.json"


def login(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


class TestCredentials:
    @pytest.mark.parametrize(
        ("reference", "user"),
        [
            ("r.example/team/app:1", "app"),
            ("r.example/team/app@sha256:" + "0" * 64, "app"),
            ("r.example/team/other", "team"),
            ("r.example/teams/app", "host"),
            ("r.example:5000/team/app", None),
            ("localhost:5000/x:1", "local"),
            ("docker.io/library/nginx:1", "hub"),
            ("nginx:1", None),
        ],
    )
    def test_the_most_specific_wins(self, tmp_path: Path, reference: str, user: str | None) -> None:
        auths = {
            "r.example": login("host:p"),
            "r.example/team": login("team:p"),
            "r.example/team/app": login("app:p:with:colons"),
            "localhost:5000": login("local:p"),
            "https://index.docker.io/v1/": login("hub:p"),
        }
        found = credentials_for(reference, auth_file(tmp_path, auths=auths))
        assert (found.username if found else None) == user
        if user == "app" and found:
            assert found.password == "p:with:colons"

    def test_identity_token(self, tmp_path: Path) -> None:
        path = auth_file(tmp_path, auths={"r.example": {"identitytoken": "token"}})
        found = credentials_for("r.example/x", path)
        assert found is not None
        assert json.loads(base64.urlsafe_b64decode(found.header())) == {"identitytoken": "token"}

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"credHelpers": {"r.example": "secretservice"}}, "credential helper"),
            ({"auths": {"r.example": {"auth": "%%%"}}}, "not base64"),
            ({"auths": {"r.example": login("no-colon")}}, "USER:PASSWORD"),
        ],
    )
    def test_unusable(self, tmp_path: Path, content: dict[str, object], words: str) -> None:
        with pytest.raises(Permanent, match=words) as refused:
            credentials_for("r.example/x:1", auth_file(tmp_path, **content))
        assert refused.value.problem.reason == "AuthFileUnusable"

    def test_no_file_and_no_json(self, tmp_path: Path) -> None:
        with pytest.raises(Permanent, match="No such file"):
            credentials_for("r.example/x:1", tmp_path / "none")
        (tmp_path / "bad").write_text('{"auths": s3cret')
        with pytest.raises(Permanent, match="not valid JSON") as refused:
            credentials_for("r.example/x:1", tmp_path / "bad")
        assert "s3cret" not in str(refused.value.problem)

    def test_registry_of(self) -> None:
        assert registry_of("localhost/x") == "localhost"
        assert registry_of("library/nginx") == ""


class TestJournal:
    def test_fields(self) -> None:
        adapter = journal.log("workloadd.test", workload="web", revision="abc")
        message, options = adapter.process("hello", {})
        record = logging.LogRecord(
            "workloadd.test", logging.WARNING, __file__, 7, message, (), None
        )
        record.__dict__.update(options["extra"])
        fields = journal.fields_of(record)
        assert (fields["WORKLOAD"], fields["REVISION"]) == ("web", "abc")
        assert (fields["PRIORITY"], str(fields["CODE_LINE"])) == ("4", "7")

    def test_only_where_stderr_goes_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for value in ("", "nonsense", "1:2"):
            monkeypatch.setenv("JOURNAL_STREAM", value)
            assert not journal.stderr_is_journal()


class TestNotify:
    def test_messages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(tmp_path / "notify"))
            manager.setblocking(False)
            monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
            notify.status("two\nlines")
            notify.ready()
            assert [manager.recv(100) for _ in range(2)] == [b"STATUS=two lines", b"READY=1"]

    def test_nobody_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        notify.watchdog()
        notify.stopping()

    @pytest.mark.parametrize(
        ("usec", "pid", "interval"),
        [("30000000", None, 30.0), ("30000000", "1", None), (None, None, None), ("x", None, None)],
    )
    def test_watchdog(
        self,
        monkeypatch: pytest.MonkeyPatch,
        usec: str | None,
        pid: str | None,
        interval: float | None,
    ) -> None:
        for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        assert notify.watchdog_interval() == interval
