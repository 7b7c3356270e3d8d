"""The page in a real browser, of the whole daemon."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from tests.browser.conftest import Visit, visiting
from tests.fakes.installed import Installed
from tests.wire.test_api import Api, made
from workloadd.core.usage import Group, Look, Meter, Network

TOKEN = "a-token-long-enough-to-be-one"


@pytest.mark.parametrize("count", [0, 3, 300])
async def test_so_many_workloads(tmp_path: Path, browser: Browser, count: int) -> None:
    files = {f"w{n}": f"image: localhost/app:1\nports: ['{20000 + n}:80']\n" for n in range(count)}
    api = Api(tmp_path, await made(files, files))
    async with api.serving() as server, visiting(browser, server.address) as visit:
        await visit.go()
        await visit.sees(
            f"all {count} workloads are as declared" if count else "no workloads are declared"
        )
        await expect(visit.page.locator("main .state.good")).to_have_count(count)
        if not count:
            await visit.sees("Drop a file into")


async def test_what_breaks_is_seen_without_a_reload(listening: Installed, visit: Visit) -> None:
    listening.write("db")
    listening.write("web")
    await listening.start()
    await visit.go()
    await visit.sees("all 2 workloads are as declared")
    await visit.page.evaluate("document.body.dataset.same = 'yes'")
    path = listening.write("web", "image: localhost/app:1\nports: [80a]\n")
    await visit.sees("1 of 2 are as declared; not: web (Degraded)")
    first = visit.page.locator("main tbody tr").first
    assert "web" in await first.inner_text(), "what is in trouble comes first"
    await visit.page.get_by_role("link", name="web", exact=True).click()
    await visit.sees(f"{path}:2:9", ".notice")
    await visit.sees("cannot accept ports[0]", ".notice")
    listening.write("web")
    await visit.sees("Ready", "h2")
    assert await visit.page.locator(".notice").count() == 0
    assert await visit.page.evaluate("document.body.dataset.same") == "yes"


async def test_why_it_went_back(listening: Installed, visit: Visit) -> None:
    await listening.start()
    listening.write("web")
    await listening.settled()
    await visit.go("/web")
    await visit.sees("Ready", "h2")
    listening.write("web", "image: localhost/app:bad\n")
    await visit.sees("Degraded", "h2")
    await visit.sees("rolled-back", "td")
    told = visit.page.locator("tr", has_text="rolled-back")
    assert "restart" in await told.inner_text()
    assert "cannot open /data" not in await visit.page.content(), "anybody may ask here"


async def test_a_daemon_that_goes_away_and_comes_back(listening: Installed, visit: Visit) -> None:
    listening.write("web")
    await listening.start()
    await visit.go()
    await visit.sees("web is as declared")
    await listening.stop()
    await visit.sees("the daemon does not answer; what is shown may be old")
    assert await visit.page.locator("main tbody tr").count() >= 1
    listening.write("other")
    await listening.start()
    await visit.sees("all 2 workloads are as declared")
    # That nobody answered is the browser's to complain of.
    visit.complaints = [c for c in visit.complaints if "ERR_" not in c]


async def test_by_keyboard_alone(listening: Installed, visit: Visit) -> None:
    for name in ("db", "web"):
        listening.write(name)
    await listening.start()
    await visit.go()
    await visit.sees("all 2 workloads are as declared")
    for _ in range(3):
        await visit.page.keyboard.press("Tab")
    assert await visit.page.evaluate("document.activeElement.textContent") == "web"
    listening.write("app")
    await visit.sees("all 3 workloads are as declared")
    assert await visit.page.evaluate("document.activeElement.textContent") == "web"
    await visit.page.keyboard.press("Enter")
    await visit.sees("Conditions", "h3")
    assert await visit.page.evaluate("document.activeElement.id") == "view"
    assert await visit.page.title() == "web – workloadd"
    await visit.page.go_back()
    await visit.sees("The host", "summary")
    assert await visit.page.locator("main > table tbody tr").count() == 3


async def test_what_is_looked_for(listening: Installed, visit: Visit) -> None:
    for number in range(12):
        listening.write(f"w{number}", f"image: localhost/app:{1 + number % 2}\n")
    await listening.start()
    await visit.go()
    await visit.sees("all 12 workloads are as declared")
    rows = visit.page.locator("main > table tbody tr")
    await visit.page.get_by_label("Only those with").fill("app:2 w1")
    await expect(rows).to_have_count(2)
    assert "w11" in await rows.last.inner_text()
    await visit.page.get_by_label("Only those with").fill("nowhere")
    await visit.sees("None of the workloads has these words.")


@pytest.mark.parametrize("path", ["/", "/web", "/nosuch"])
async def test_on_a_phone(listening: Installed, visit: Visit, path: str) -> None:
    listening.write("web", "image: localhost/app:1\nports: ['20080:80']\n")
    await listening.start()
    await listening.settled()
    await visit.page.set_viewport_size({"width": 360, "height": 640})
    await visit.go(path)
    await visit.sees("web is as declared")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await visit.page.evaluate(wide) <= 0


@pytest.mark.parametrize("path", ["/", "/web", "/bad"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_for_everybody(
    listening: Installed, visit: Visit, path: str, scheme: Literal["light", "dark"]
) -> None:
    """What axe, which looks for what keeps people out (WCAG 2), finds fault with."""
    listening.write("web", "image: localhost/app:1\nports: ['20080:80']\n")
    listening.write("bad", "image: localhost/app:1\nports: [80a]\n")
    await listening.start()
    await listening.settled()
    await visit.page.emulate_media(color_scheme=scheme)
    await visit.go(path)
    await visit.sees("1 of 2 are as declared")
    found = await Axe().run(visit.page)
    assert not found.response["violations"], found.generate_report()


async def test_what_it_uses_is_drawn(listening: Installed, visit: Visit) -> None:
    listening.write("web")
    await listening.start()
    await listening.settled()
    await listening.daemon.usage.look()
    meter = Meter()
    for at in range(10):
        group = Group(cpu=0.25 * at, memory=(at + 1) << 20, limit=16 << 20)
        meter.add(Look(1000.0 + at, {"u": group}, {1: Network(2048 * at, at)}))
    listening.daemon.usage.meters = {"web": meter}
    await visit.go("/web")
    processor = visit.page.locator("figure", has_text="Processor")
    await expect(processor).to_contain_text("25 % of a core")
    memory = visit.page.get_by_role("img", name="Memory: 10 MiB; at most 10 MiB")
    assert "limit 16 MiB" in (await memory.get_attribute("aria-label") or "")
    await visit.sees("in 2.0 KiB/s, out 1 B/s, local 0 B/s", "figure")
    assert await visit.page.locator("figure").count() == 3, "nothing is known of block devices"
    box = await memory.locator("path.line").bounding_box()
    assert box and box["width"] > 100 and box["height"] > 20


@pytest.fixture
async def locked(listening: Installed, tmp_path: Path) -> Installed:
    """The fake host, whose daemon wants a token over TCP."""
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    api = listening.settings.api.model_copy(update={"token_file": str(path)})
    listening.settings = listening.settings.model_copy(update={"api": api})
    return listening


async def test_who_has_the_token_sees_the_logs_as_well(locked: Installed, visit: Visit) -> None:
    locked.journal.write("workload-web.service", "listening on 8080")
    locked.write("web")
    await locked.start()
    await locked.settled()
    await visit.go("/web")
    field = visit.page.get_by_label("This daemon wants a token:")
    await field.fill("another-token-altogether")
    await visit.page.keyboard.press("Enter")
    await visit.sees("cannot", "#refused")
    assert "web" not in await visit.page.locator("main").inner_text()
    await field.fill(TOKEN)
    await visit.page.keyboard.press("Enter")
    await visit.sees("Ready", "h2")
    await expect(field).not_to_be_visible()
    await visit.sees("listening on 8080", "#lines")
    locked.journal.write("workload-web.service", "GET / <b>200</b>")
    await visit.sees("GET / <b>200</b>", "#lines")
    await visit.page.reload()
    await visit.sees("GET / <b>200</b>", "#lines")
    # The browser complains of each answer that refuses.
    assert all("401" in complaint for complaint in visit.complaints)
    visit.complaints.clear()


async def test_without_a_token_it_says_how_to_see_the_logs(
    listening: Installed, visit: Visit
) -> None:
    listening.write("web")
    await listening.start()
    await listening.settled()
    await visit.go("/web")
    await visit.sees("workloadctl logs web -f", "#logs-said")
