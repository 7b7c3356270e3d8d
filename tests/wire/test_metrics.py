"""`/metrics` of the whole daemon."""

from aiohttp import ClientSession, UnixConnector
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.installed import Installed


class Scrape:
    """What Prometheus would have got."""

    def __init__(self, text: str, content_type: str) -> None:
        self.text = text
        self.content_type = content_type
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one series, None where there is none."""
        return self._samples.get((f"workloadd_{name}", frozenset(labels.items())))


async def scrape(host: Installed) -> Scrape:
    connector = UnixConnector(str(host.paths.socket))
    async with (
        ClientSession(connector=connector) as session,
        session.get("http://localhost/metrics") as answer,
    ):
        assert answer.status == 200
        return Scrape(await answer.text(), answer.headers["Content-Type"])


async def test_the_status_can_be_scraped(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    got = await scrape(host)
    assert got.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert got.value("workload_condition", workload="web", condition="Ready") == 1
    assert got.value("workload_restarts_total", workload="web") == 0
    assert got.value("host_condition", condition="PodmanSocket", severity="error") == 1
    host.remove("web")
    await host.gone()
    assert "web" not in (await scrape(host)).text
