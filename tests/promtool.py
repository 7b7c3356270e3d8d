"""Prometheus' own checks of what it is given."""

import os
import subprocess
from pathlib import Path

PROMETHEUS = Path(__file__).parents[1] / "contrib/prometheus"


def promtool(*arguments: str, stdin: str = "") -> str:
    """What promtool says; it has to be content."""
    done = subprocess.run(
        [PROMETHEUS / "promtool", *arguments],
        cwd=PROMETHEUS,
        # That it is fetched first is no answer of it.
        env={**os.environ, "WORKLOADD_HOST_QUIET": "yes"},
        input=stdin,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
