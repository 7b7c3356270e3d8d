"""A journal in memory, read as systemd.journal.Reader reads a real one."""

import os
from contextlib import suppress
from dataclasses import dataclass, field

from workloadd.host.journal_logs import JournalLog

UID = str(os.getuid())


@dataclass
class FakeJournal:
    """Entries, the oldest first; `tell` wakes those who follow."""

    entries: list[tuple[int, dict[str, bytes]]] = field(default_factory=list)
    readers: list["FakeReader"] = field(default_factory=list)
    broken: bool = False

    def log(self, workload: str) -> JournalLog:
        """What the daemon makes of it for one workload."""
        return JournalLog(workload, self.reader())

    def reader(self) -> "FakeReader":
        made = FakeReader(self)
        self.readers.append(made)
        return made

    def write(self, unit: str, text: bytes | str, at: int = 0, **fields: str) -> None:
        """What conmon takes down; the fields of a later one replace those that are usual."""
        message = text.encode() if isinstance(text, str) else text
        if "CONTAINER_PARTIAL_MESSAGE" not in fields:
            message += b"\n"
        usual = {
            "_SYSTEMD_USER_UNIT": unit,
            "_UID": UID,
            "_TRANSPORT": "journal",
            "PRIORITY": "6",
            "CONTAINER_ID_FULL": "ab" * 32,
            "CONTAINER_NAME": "web",
        }
        values = {key: value.encode() for key, value in {**usual, **fields}.items() if value}
        last = self.entries[-1][0] if self.entries else 1_800_000_000_000_000
        self.entries.append((at or last + 1, {**values, "MESSAGE": message}))
        for reader in self.readers:
            os.eventfd_write(reader.fd, 1)


class FakeReader:
    """A place in it, before which entry it is; `previous` and `next` go by the matches."""

    def __init__(self, journal: FakeJournal) -> None:
        self._journal = journal
        self._matches: dict[str, set[bytes]] = {}
        self._next_index = 0
        self._at = 0
        self.data_threshold = 0
        self.fd = os.eventfd(0, os.EFD_NONBLOCK)

    def __del__(self) -> None:
        os.close(self.fd)

    def query_unique(self, name: str) -> set[str]:
        if self._journal.broken:
            raise OSError(5, "Input/output error")
        return {fields[name].decode() for _, fields in self._journal.entries if name in fields}

    def flush_matches(self) -> None:
        self._matches = {}

    def add_match(self, *args: str, **fields: str) -> None:
        pairs = [text.split("=", 1) for text in args] + [list(pair) for pair in fields.items()]
        for name, value in pairs:
            self._matches.setdefault(name, set()).add(value.encode())

    def seek_tail(self) -> None:
        self._next_index = len(self._journal.entries)

    def seek_cursor(self, cursor: str) -> None:
        self._next_index = int(cursor)

    def seek_realtime(self, seconds: float) -> None:
        entries = self._journal.entries
        later = (i for i, (at, _) in enumerate(entries) if at >= seconds * 1e6)
        self._next_index = next(later, len(entries))

    def process(self) -> int:
        with suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        return 0

    def fileno(self) -> int:
        return self.fd

    def _previous(self) -> bool:
        indices = range(self._next_index - 1, -1, -1)
        return self._go(next((i for i in indices if self._matching(i)), None), 0)

    def _next(self) -> bool:
        indices = range(self._next_index, len(self._journal.entries))
        return self._go(next((i for i in indices if self._matching(i)), None), 1)

    def _go(self, index: int | None, past: int) -> bool:
        if index is None:
            return False
        self._at, self._next_index = index, index + past
        return True

    def _matching(self, index: int) -> bool:
        _, fields = self._journal.entries[index]
        return all(fields.get(name) in values for name, values in self._matches.items())

    def _get(self, name: str) -> bytes:
        return self._journal.entries[self._at][1][name][: self.data_threshold - len(name) - 1]

    def _get_realtime(self) -> int:
        return self._journal.entries[self._at][0]

    def _get_cursor(self) -> str:
        return str(self._at)
