"""How exactly a container began and ended, over the libpod API."""

import json
from datetime import datetime
from urllib.parse import quote

from workloadd.core.runs import Ending
from workloadd.host.podman_http import Request, Requests


class PodmanRuns:
    """What a listing of containers does not tell of their runs.

    `Transient` is raised where asking again later may help, `Permanent` where it will not.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def ending(self, container: str) -> Ending:
        """When a container last began and ended, and how."""
        doing = f"look at container {container[:12]}"
        request = Request("GET", f"containers/{quote(container)}/json", doing)
        return await self._requests.fetch(request, parse_ending)


def parse_ending(body: bytes) -> Ending:
    """The state in the answer of `GET /libpod/containers/NAME/json`."""
    state = json.loads(body)["State"]
    return Ending(
        started_at=_seconds(state["StartedAt"]),
        ended_at=_seconds(state["FinishedAt"]),
        exit_code=int(state["ExitCode"]),
        # Left out where nobody stopped it; some versions do not say it at all.
        stopped=bool(state.get("StoppedByUser")),
        oom=bool(state.get("OOMKilled")),
    )


def _seconds(text: str) -> float:
    """Seconds since the epoch; Go's zero time lies before it and means never."""
    return max(0.0, datetime.fromisoformat(text).timestamp()) if text[:4] > "1970" else 0.0
