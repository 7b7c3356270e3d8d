"""A FleetLock server elsewhere, which has its own say in whether this host may be rebooted."""

import json

import aiohttp

from workloadd.core.errors import Declined, Transient
from workloadd.core.fleetlock import Client
from workloadd.spec.text import quote

# Seconds for one question; the client that asked us waits meanwhile.
_TIMEOUT = aiohttp.ClientTimeout(total=5.0)
_MAX_ANSWER = 4096
_MAX_SAID = 300


class Upstream:
    """Asks the server at a base URL, as the client that asked us."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    async def lock(self, client: Client) -> None:
        """Ask for a reboot.

        Raises:
            Declined: it refused; the reason is its own.
            Transient: it cannot be asked.
        """
        await self._post("pre-reboot", client)

    async def release(self, client: Client) -> None:
        """Say that all is well; raises as `lock` does."""
        await self._post("steady-state", client)

    async def _post(self, what: str, client: Client) -> None:
        url = f"{self._base}/v1/{what}"
        body = {"client_params": {"id": client.id, "group": client.group}}
        headers = {"fleet-lock-protocol": "true"}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as session,
                session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
            ):
                if 200 <= answer.status < 300:
                    return
                status, said = answer.status, await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = str(error) or "it did not answer in time"
            raise Transient(
                "FailedLockUpstreamAway",
                f"cannot ask the FleetLock server {url}: {why}",
                "see [fleetlock] upstream in the settings",
            ) from error
        raise _refused(url, status, said)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    data = b""
    while len(data) < _MAX_ANSWER and (chunk := await answer.content.read(_MAX_ANSWER)):
        data += chunk
    return data


def _refused(url: str, status: int, said: bytes) -> Declined:
    """Its own kind and value, where it has any."""
    try:
        document = json.loads(said)
        kind, value = str(document["kind"]), str(document["value"])
    except (ValueError, KeyError, TypeError):
        kind, value = "failed_lock_upstream", f"status {status}"
    kind = kind if kind.isidentifier() and len(kind) <= 64 else "failed_lock_upstream"
    message = f"the FleetLock server {url} refused: {quote(value[:_MAX_SAID])}"
    return Declined(kind, message)
