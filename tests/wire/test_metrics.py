"""`/metrics` of the whole daemon."""

from aiohttp import ClientSession, UnixConnector
from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.installed import PATIENCE, SOAK, Installed, fast_settings
from tests.fakes.registry import Remote


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


def soak_long(host: Installed) -> None:
    """Have no rollout end by itself within a test."""
    rollout = host.settings.rollout.model_copy(update={"soak": PATIENCE})
    host.settings = host.settings.model_copy(update={"rollout": rollout})


def rolling_out(host: Installed, image: str) -> bool:
    """Whether a workload proves itself on an image."""
    status = host.status()
    return bool(status and status.rollout and status.current and status.current.image == image)


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


async def test_rollouts_are_counted_by_their_end(host: Installed) -> None:
    await host.start()
    host.write("web")
    await host.settled()
    host.write("web", "image: localhost/app:bad\n")
    await host.until(lambda: host.is_in("Degraded") and host.is_idle())
    got = await scrape(host)
    assert got.value("rollout_duration_seconds_count", outcome="stable") == 1
    assert got.value("rollout_duration_seconds_count", outcome="rolled-back") == 1
    took = got.value("rollout_duration_seconds_sum", outcome="stable")
    assert took is not None and SOAK <= took < PATIENCE
    assert got.value("workload_last_rollout_success", workload="web") == 0
    (row, _) = await host.rollouts()
    assert row.problem
    assert got.value("errors_total", activity="rollout", reason=row.problem.reason) == 1


async def test_a_rollout_counts_once_though_the_daemon_dies_meanwhile(host: Installed) -> None:
    soak_long(host)
    await host.start()
    host.write("web")
    await host.until(lambda: host.is_in("RollingOut"))
    await host.kill()
    host.settings = fast_settings()
    await host.start()
    await host.settled()
    got = await scrape(host)
    assert got.value("rollout_duration_seconds_count", outcome="stable") == 1


async def test_one_that_a_newer_file_overtakes_is_superseded(host: Installed) -> None:
    soak_long(host)
    await host.start()
    host.write("web")
    await host.until(lambda: rolling_out(host, "localhost/app:1"))
    host.write("web", "image: localhost/app:2\n")
    await host.until(lambda: rolling_out(host, "localhost/app:2"))
    got = await scrape(host)
    assert got.value("rollout_duration_seconds_count", outcome="superseded") == 1


async def test_pulls_are_counted_and_what_failed_waits(host: Installed) -> None:
    pull = host.settings.pull.model_copy(update={"backoff_base": 3600.0, "backoff_max": 3600.0})
    host.settings = host.settings.model_copy(update={"pull": pull})
    host.world.libpod.registry["registry.test/app:1"] = Remote("sha256:" + "1" * 64)
    await host.start()
    host.write("web", "image: registry.test/app:1\n")
    host.write("lost", "image: registry.test/lost:1\n")
    await host.settled(image="registry.test/app:1")
    await host.until(lambda: host.is_in("Failed", "lost"))
    got = await scrape(host)
    assert got.value("pull_duration_seconds_count", outcome="succeeded") == 1
    assert got.value("pull_duration_seconds_count", outcome="failed") == 1
    assert got.value("errors_total", activity="pull", reason="ImageNotFound") == 1
    assert got.value("work_retrying", kind="pull") == 1
    assert got.value("work_running", kind="pull") == 0


async def test_passes_are_timed_and_failing_ones_told(host: Installed) -> None:
    await host.start()
    await host.passes()
    before = await scrape(host)
    assert (before.value("reconcile_duration_seconds_count", outcome="succeeded") or 0) >= 2
    assert (before.value("reconcile_lag_seconds_count") or 0) >= 2
    await host.world.libpod.stop()
    host.daemon.wake()
    await host.until(lambda: host.daemon.board.status.passes.problem != "")
    after = await scrape(host)
    assert after.value("reconcile_failing") == 1
    assert (after.value("errors_total", activity="reconcile", reason="PodmanUnavailable") or 0) >= 1
