"""The daemon on its fake host, and a real Chromium that looks at its page."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.fakes.installed import Installed
from tests.wire.conftest import host, quick  # noqa: F401 - fixtures
from workloadd.settings.model import ApiSettings

CHROMIUM = Path(__file__).parents[2] / "contrib/browser/chromium"


@dataclass
class Visit:
    """A page that is open, and all that the browser complained about meanwhile."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def attach(self) -> None:
        """Hear every complaint: errors of scripts, of the policy, and of answers."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    async def go(self, path: str = "/") -> None:
        """Open an address of the daemon's."""
        await self.page.goto(self.address + path)

    async def sees(self, text: str, within: str = "body") -> None:
        """Wait until a text is shown."""
        await self.page.locator(within, has_text=text).first.wait_for()


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Debian's Chromium, fetched if need be."""
    subprocess.run([CHROMIUM, "--no-sandbox", "--version"], check=True, capture_output=True)
    return CHROMIUM


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """A browser of the test's own."""
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=chromium)
        yield made
        await made.close()


@pytest.fixture
async def listening(host: Installed, unused_tcp_port: int) -> Installed:  # noqa: F811
    """The fake host, whose daemon will listen where browsers can ask it."""
    api = ApiSettings(listen=f"127.0.0.1:{unused_tcp_port}")
    host.settings = host.settings.model_copy(update={"api": api})
    return host


@asynccontextmanager
async def visiting(browser: Browser, address: object) -> AsyncIterator[Visit]:
    """A window; all must have been shown without a complaint in the end."""
    assert isinstance(address, tuple)
    window = Visit(await browser.new_page(), f"http://{address[0]}:{address[1]}")
    window.page.set_default_timeout(15_000)
    window.attach()
    yield window
    assert not window.complaints


@pytest.fixture
async def visit(listening: Installed, browser: Browser) -> AsyncIterator[Visit]:
    """A window on the daemon of the fake host."""
    async with visiting(browser, listening.settings.api.address) as window:
        yield window
