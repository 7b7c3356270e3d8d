"""The host that the daemon is tried on, and a Podman for its adapter alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from tests.fakes.installed import Installed, installed
from tests.fakes.libpod import FakeLibpod
from workloadd import daemon, execute, reconcile
from workloadd.host.podman import Podman


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses after failures that suit a test."""
    monkeypatch.setattr(execute, "_RETRY_BASE", 0.05)
    monkeypatch.setattr(execute, "_RETRY_CEILING", 0.1)
    monkeypatch.setattr(reconcile, "_RETRY", 0.05)
    monkeypatch.setattr(reconcile, "_PAUSE_FACTOR", 0.0)
    monkeypatch.setattr(daemon, "_RECONNECT_BASE", 0.02)
    monkeypatch.setattr(daemon, "_RECONNECT_CEILING", 0.05)


@pytest.fixture
async def host(tmp_path_factory: pytest.TempPathFactory, quick: None) -> AsyncIterator[Installed]:
    """A fake host; whatever blocks the loop from within workloadd fails the test.

    Its directory has a short name, since the path of a socket may have 107 bytes.
    """
    with blockbuster_ctx(scanned_modules=["workloadd"]) as detector:
        for function in detector.functions.values():
            # It is made (its version is read from disk) before there is anything to hold up.
            function.can_block_in("workloadd/daemon.py", "__init__")
        async with installed(tmp_path_factory.mktemp("h")) as made:
            yield made


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeLibpod]:
    libpod = FakeLibpod(tmp_path / "podman.sock")
    libpod.state.add_image("localhost/app:1")
    await libpod.start()
    yield libpod
    await libpod.stop()


@pytest.fixture
async def podman(service: FakeLibpod) -> AsyncIterator[Podman]:
    client = Podman(service.socket, user="alice")
    yield client
    await client.close()
