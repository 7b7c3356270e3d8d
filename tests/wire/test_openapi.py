"""The description of the API is valid, and the server does what it says, whatever it is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from openapi_spec_validator import validate
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import unsupported_method

from tests.fakes.installed import Installed
from workloadd.api.contract import ACTIONS, ENDPOINTS
from workloadd.api.openapi import openapi
from workloadd.api.protocol import MAX_LINE
from workloadd.settings.model import ApiSettings

# The daemon draws its jitter while questions are made in another thread.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")

SCHEMA = schemathesis.openapi.from_dict(openapi())
OPERATIONS = {found.ok().definition.raw["operationId"]: found.ok()
              for found in SCHEMA.get_all_operations()}  # fmt: skip
EXAMPLES = 15
# What is answered with a stream has tests of its own.
ENDLESS = {"events"}
# Where nothing can be said, nothing can be said wrongly.
CONVERSATIONS = [
    (one.name, mode)
    for one in ENDPOINTS
    for mode in GenerationMode
    if (mode.is_positive or one.parameters or one.body) and one.name not in ENDLESS
]


def test_it_is_valid_and_whole() -> None:
    validate(openapi())
    assert set(OPERATIONS) == {one.name for one in ENDPOINTS}


async def test_all_that_is_done_by_hand_is_in_it(host: Installed) -> None:
    assert set(host.daemon.by_hand.actions) == set(ACTIONS)


@pytest.fixture
async def host(host: Installed, unused_tcp_port: int) -> Installed:
    """The whole daemon, with a service, a job and one that is broken."""
    host.settings = host.settings.model_copy(
        update={
            "fleetlock": host.settings.fleetlock.model_copy(update={"enabled": True}),
            "api": ApiSettings(listen=f"127.0.0.1:{unused_tcp_port}"),
        }
    )
    await host.start()
    host.write("web")
    host.write("nightly", "image: localhost/app:1\nkind: job\nschedule: daily\n")
    host.write("broken", "image: [\n")
    host.journal.write("workload-web.service", "listening")
    await host.settled()
    return host


@pytest.fixture
async def forwarded(host: Installed) -> AsyncIterator[str]:
    """A TCP port that leads to the Unix socket, as generators speak no other."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_unix_connection(str(host.paths.socket))
        await asyncio.gather(pump(reader, outer), pump(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def goes_on(case: Case) -> bool:
    """Whether the answer has no end."""
    return (case.query or {}).get("follow") in (True, "true")


def conversation(name: str, mode: GenerationMode, base: str) -> Callable[[], None]:
    """Ask generated questions, and hold the answers against the description."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        assume(not goes_on(case))
        answer: Any = case.call(base_url=base, timeout=10)
        if answer.status_code == 431:
            # So long that it is not read, right or wrong.
            lines = (answer.request.url, *answer.request.headers.values())
            assert max(map(len, map(str, lines))) > MAX_LINE - 100
            return
        case.validate_response(answer, excluded_checks=[unsupported_method])
        assert answer.status_code < 500 or answer.status_code == 503

    return ask


@pytest.mark.parametrize(("name", "mode"), CONVERSATIONS)
async def test_it_answers_as_described(
    host: Installed, forwarded: str, name: str, mode: GenerationMode
) -> None:
    await asyncio.to_thread(conversation(name, mode, forwarded))
    await host.passes()


@pytest.mark.parametrize(
    "name", [one.name for one in ENDPOINTS if one.method == "GET" and one.name not in ENDLESS]
)
async def test_so_it_does_over_tcp(host: Installed, name: str) -> None:
    await host.daemon.server.reachable.wait()
    address = host.daemon.server.address
    assert address
    base = f"http://127.0.0.1:{address[1]}"
    await asyncio.to_thread(conversation(name, GenerationMode.POSITIVE, base))
    await host.passes()
