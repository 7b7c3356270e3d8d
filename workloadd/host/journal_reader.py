"""Reading the journal: what podman itself said when a unit could not be started."""

import asyncio

from systemd import journal

# Bytes of a line that are kept.
_MAX_LINE = 2048
# Seconds within which journald, however busy, will have taken down what a unit said.
_LAG = 0.5


async def awaited_podman_lines(unit: str, since: float, limit: int) -> tuple[str, ...]:
    """As `podman_lines`, for a unit that must have said something: looks twice for it."""
    found = await asyncio.to_thread(podman_lines, unit, since, limit)
    if not found:
        await asyncio.sleep(_LAG)
        found = await asyncio.to_thread(podman_lines, unit, since, limit)
    return found


def podman_lines(unit: str, since: float, limit: int) -> tuple[str, ...]:
    """The last lines that `ExecStart=` and `ExecStop=` of a user unit wrote to stderr.

    The container's own output comes by conmon and is not among them. `since` is in seconds since
    the epoch. Blocks: call it in a thread. Empty where the journal may not be read (it needs a
    persistent journal, or membership in the group systemd-journal; systemd-journald.service(8)).
    """
    try:
        with journal.Reader(journal.LOCAL_ONLY) as reader:
            reader.add_match(_SYSTEMD_USER_UNIT=unit, _TRANSPORT="stdout")
            reader.seek_tail()
            found: list[str] = []
            while len(found) < limit:
                entry = reader.get_previous()
                if not entry or entry["__REALTIME_TIMESTAMP"].timestamp() < since:
                    break
                found.append(str(entry.get("MESSAGE", ""))[:_MAX_LINE])
            return tuple(reversed(found))
    except OSError:
        return ()
