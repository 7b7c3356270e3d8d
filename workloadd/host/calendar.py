"""What systemd itself says of a calendar expression."""

import os
import subprocess

_COMMAND = ("systemd-analyze", "calendar", "--iterations=1")
_TIMEOUT = 5.0
_MAX_KEPT = 4096
_MAX_WORDS = 300


class Calendars:
    """Asks `systemd-analyze calendar`, once for each expression. Blocks: call it in a thread."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def refusal(self, expression: str) -> str:
        """Why systemd refuses an expression; empty where it does not, or cannot be asked."""
        if expression in self._known:
            return self._known[expression]
        try:
            done = subprocess.run(
                [*_COMMAND, "--", expression],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=os.environ | {"LC_ALL": "C", "SYSTEMD_COLORS": "0"},
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        said = done.stderr.decode(errors="replace").strip()
        refusal = (said or "no reason given")[:_MAX_WORDS] if done.returncode else ""
        if len(self._known) >= _MAX_KEPT:
            self._known.clear()
        self._known[expression] = refusal
        return refusal
