"""The page in a real Chromium, of the real daemon: what happens is seen without a reload."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.host.host import Host
from tests.host.workloads import serving

CHROMIUM = Path(__file__).parents[2] / "contrib/browser/chromium"
# Milliseconds that what systemd and Podman do may take.
PATIENCE = 20_000


@pytest.fixture
def address(host: Host) -> str:
    """The daemon, as a browser on this machine reaches it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host.forward(port, 7780)
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def page() -> Iterator[Page]:
    """A window, in which nothing may be complained of."""
    subprocess.run([CHROMIUM, "--no-sandbox", "--version"], check=True, capture_output=True)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        made = browser.new_page()
        made.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        made.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
        made.on("pageerror", lambda error: complaints.append(str(error)))
        yield made
        browser.close()
    assert not complaints


def test_one_that_breaks_and_is_mended(
    host: Host, name: str, port: int, address: str, page: Page
) -> None:
    host.deploy(name, serving(port))
    page.goto(address)
    row = page.locator("tr", has=page.get_by_role("link", name=name, exact=True))
    expect(row).to_contain_text("Ready")
    page.evaluate("document.body.dataset.same = 'yes'")
    host.write_workload(name, serving(port, "restrat: always"))
    expect(row).to_contain_text("Degraded")
    row.get_by_role("link").click()
    expect(page.locator(".notice").first).to_contain_text(f"{name}.yaml")
    host.write_workload(name, serving(port))
    expect(page.locator("h2")).to_contain_text("Ready")
    expect(page.locator("figure", has_text="Processor")).to_contain_text("of a core")
    host.podman("kill", name)
    expect(page.locator("td", has_text="systemd started it again").first).to_be_visible()
    assert page.evaluate("document.body.dataset.same") == "yes"
