"""The page for browsers, as it is served."""

import re
from pathlib import Path

import pytest

from tests.fakes.statuses import GOOD
from tests.wire.test_api import Api, made

BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FILES = Path(__file__).parents[2] / "workloadd/api/page"


@pytest.fixture
async def api(tmp_path: Path) -> Api:
    return Api(tmp_path, await made({"web": GOOD}))


async def test_a_browser_gets_the_page_and_nobody_else(api: Api) -> None:
    async with api.serving():
        for path in ("/", "/web", "/nosuch"):
            got = await api.get(path, BROWSER)
            assert (got.status, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
            assert "<title>workloadd</title>" in got.body
        for accept in ("*/*", "text/plain", "text/html;q=0.1,text/plain"):
            got = await api.get("/", f"Accept: {accept}")
            assert got.headers["content-type"] == "text/plain; charset=utf-8"
        assert (await api.get("/", "Accept: application/json")).json["workloads"]
        assert (await api.get("/v1/status", BROWSER)).json["workloads"]


async def test_all_that_it_refers_to_is_there_and_ours(api: Api) -> None:
    """The policy would let nothing else in; and no inline script or style."""
    async with api.serving():
        page = await api.get("/", BROWSER)
        found = set(re.findall(r'(?:src|href)="(/page/[^"]+)"', page.body))
        assert found
        seen: set[str] = set()
        while found - seen:
            path = (found - seen).pop()
            seen.add(path)
            got = await api.get(path)
            assert got.status == 200, path
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            assert got.headers["content-type"].startswith(kind)
            found |= set(re.findall(r'from "(/page/[^"]+)"', got.body))
    shipped = {f"/page/{p.name}" for p in FILES.iterdir() if p.suffix in (".css", ".js")}
    assert seen == shipped
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "*" not in policy
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page.body)


@pytest.mark.parametrize("name", sorted(p.name for p in FILES.glob("*.js")))
def test_text_is_never_taken_for_markup(name: str) -> None:
    """Names, messages and paths come from files that anybody may have written."""
    text = (FILES / name).read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert "http://" not in text and "https://" not in text
