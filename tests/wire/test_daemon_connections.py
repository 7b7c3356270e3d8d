"""The whole daemon: Podman and systemd go away and come back."""

from tests.fakes.installed import Installed
from tests.fakes.world import until

EVENTS = "GET events"


async def problem_told(host: Installed, words: str) -> None:
    """Wait until the last pass failed with these words, and HTTP tells so meanwhile."""
    await host.until(lambda: words in host.daemon.board.status.passes.problem)
    code, document = await host.get("/v1/status")
    assert code == 200 and words in document["passes"]["problem"]
    assert [w["name"] for w in document["workloads"]] == ["web"]
    assert (await host.get("/healthz"))[0] == 200


class TestPodman:
    async def test_every_connection_breaks(self, host: Installed) -> None:
        """The service was idle and exited, or was restarted: nobody notices."""
        await host.start()
        host.write("web")
        await host.settled()
        followed = host.world.libpod.requests.count(EVENTS)
        host.world.libpod.drop_connections()
        await until(lambda: host.world.libpod.requests.count(EVENTS) > followed)
        host.write("web", "image: localhost/app:2\n")
        await host.settled(image="localhost/app:2")
        assert await host.outcomes() == ["stable", "stable"]

    async def test_gone_for_a_while(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        await host.world.libpod.stop()
        host.daemon.wake()
        await problem_told(host, "cannot list containers: ")
        container = host.world.container("web")
        assert container and container.running
        host.world.podman_rm("web")
        await host.world.libpod.start()
        await host.settled()
        assert host.containers() == {"web": "running"}
        assert (await host.rollouts())[0].cause == "drift: its container was removed"

    async def test_everything_is_looked_at_anew_after_the_gap(self, host: Installed) -> None:
        """What no event told: a tag that moved while nobody listened."""
        await host.start()
        host.write("web", "image: localhost/app:1\nupdate: {policy: auto}\n")
        await host.settled()
        await host.world.libpod.stop()
        image = host.world.podman.add_image("localhost/app:1")
        await host.world.libpod.start()
        await host.until(lambda: len(host.containers()) == 2 and host.is_settled())
        status = host.status()
        assert status and status.current and status.current.image_id == image.id

    async def test_gone_in_the_middle_of_a_rollout(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        creation = host.world.libpod.inject("POST containers/create", hold=True)
        host.write("web", "image: localhost/app:2\n")
        await creation.reached.wait()
        await host.world.libpod.restart()
        await host.settled(image="localhost/app:2")
        assert await host.outcomes() == ["stable", "stable"]

    async def test_not_there_at_first(self, host: Installed) -> None:
        await host.world.libpod.stop()
        host.launch()
        host.write("web")
        await host.until(lambda: bool(host.daemon.board.status.passes.problem))
        await host.world.libpod.start()
        await host.settled()


class TestSystemd:
    async def test_the_bus_breaks(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        await host.world.bus.stop()
        await host.world.systemd.stop()
        await problem_told(host, "cannot list the units: ")
        host.world.podman_rename("web", "mine")
        host.write("db")
        await host.world.bus.start()
        await host.world.systemd.start()
        await host.settled("web")
        await host.settled("db")

    async def test_in_the_middle_of_a_start(self, host: Installed) -> None:
        await host.start()
        host.world.manager.hold.clear()
        host.write("web")
        await until(lambda: host.world.manager.starts_in_flight() == 1)
        await host.world.restart_bus()
        host.world.manager.hold.set()
        await host.settled()
        assert await host.outcomes() == ["stable"]

    async def test_executed_anew(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        calls = host.world.systemd.calls
        subscribed = calls.count(("Subscribe", ""))
        await host.world.systemd.reexecute()
        await until(lambda: calls.count(("Subscribe", "")) > subscribed)
        host.world.systemctl("stop", "web")
        await host.until(lambda: host.containers() == {"web": "running"} and host.is_settled())

    async def test_not_there_at_first(self, host: Installed) -> None:
        """HTTP answers all the same: nothing is known yet, and so it says."""
        await host.world.bus.stop()
        await host.world.systemd.stop()
        host.launch()
        host.write("web")
        await until(host.paths.socket.exists)
        code, document = await host.get("/v1/status")
        assert (code, document["passes"]["count"]) == (200, 0)
        assert (await host.get("/readyz"))[0] == 503
        await host.world.bus.start()
        await host.world.systemd.start()
        await host.settled()

    async def test_a_reboot(self, host: Installed) -> None:
        """Everything is started anew, nothing is made anew."""
        await host.start()
        for name in ("web", "db"):
            host.write(name)
        for name in ("web", "db"):
            await host.settled(name)
        ids = set(host.world.podman.containers)
        await host.stop()
        await host.world.reboot()
        await host.start()
        for name in ("web", "db"):
            await host.settled(name)
        assert set(host.world.podman.containers) == ids
        assert await host.notes("drift", "web") == []
