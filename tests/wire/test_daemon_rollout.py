"""The whole daemon: deploying, updating, rolling back and removing workloads."""

import pytest

from tests.fakes.installed import Installed, candidate
from tests.fakes.world import until
from workloadd.core.names import LABEL_REVISION, LABEL_USER, LABEL_WORKLOAD
from workloadd.core.status import WorkloadStatus
from workloadd.render.record import parse_record
from workloadd.spec.names import MAIN_CONTAINER


def update(host: Installed, tag: str, name: str = "web") -> None:
    host.write(name, f"image: localhost/app:{tag}\n")


async def rolled_back(host: Installed) -> WorkloadStatus:
    """Wait until the rollout has ended and the older deployment serves."""
    await host.until(lambda: host.is_in("Degraded") and host.is_idle())
    status = host.status()
    assert status is not None
    return status


class TestFirstDeployment:
    async def test_a_dropped_file_becomes_a_service(self, host: Installed) -> None:
        await host.start()
        host.write("web", "image: localhost/app:1\nports: ['8080:80']\n")
        status = await host.settled()
        container = host.world.container("web")
        assert container and container.running and status.current
        assert container.labels[LABEL_WORKLOAD] == "web"
        assert container.labels[LABEL_USER] == "workloads"
        assert container.labels[LABEL_REVISION] == status.current.revision
        assert host.containers() == {"web": "running"}
        unit = host.world.unit("web")
        assert unit and unit.active_state == "active" and unit.main == container.id
        assert host.world.manager.reloads == 0
        (rollout,) = await host.rollouts()
        assert (rollout.outcome, rollout.cause) == ("stable", "new workload")
        assert [s.step for s in rollout.steps] == ["prepared", "committed", "started"]

    async def test_the_unit_on_disk(self, host: Installed) -> None:
        await host.start()
        path = host.write("web")
        status = await host.settled()
        text = host.unit_file().read_text()
        record = parse_record(text)
        assert record and status.current
        assert (record.workload, record.source) == ("web", str(path))
        container = status.current.container
        assert record.revision == status.current.revision
        assert record.containers == ((MAIN_CONTAINER, container),)
        assert f"ExecStart=/usr/bin/podman start {container}\n" in text
        assert host.unit_files() == {"workload-web.service"}
        assert (host.world.wants / "workload-web.service").resolve() == host.unit_file()

    async def test_told_over_http(self, host: Installed) -> None:
        host.write("web", "image: localhost/app:1\nports: ['8080:80']\n")
        await host.start()
        await host.settled()
        code, document = await host.get("/v1/workloads/web")
        assert (code, document["state"]) == (200, "Ready")
        assert document["current"]["container_name"] == "web"
        assert document["unit"]["active_state"] == "active"
        assert (await host.get("/readyz"))[0] == 200
        assert (await host.get("/healthz"))[0] == 200
        _, history = await host.get("/v1/workloads/web/history")
        assert [r["outcome"] for r in history["rollouts"]] == ["stable"]

    async def test_one_that_crashes_is_failed_and_tried_on(self, host: Installed) -> None:
        await host.start()
        update(host, "bad")
        await host.until(lambda: host.is_in("Failed"))
        (rollout,) = await host.rollouts()
        assert rollout.outcome == "failed" and rollout.problem
        assert rollout.problem.reason == "RestartLoop"
        assert rollout.log[-1] == "cannot open /data"
        update(host, "1")
        await host.settled()
        assert await host.outcomes() == ["stable", "failed"]


class TestUpdate:
    async def test_the_new_one_beside_the_old(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        before = await host.settled()
        creation = host.world.libpod.inject("POST containers/create", hold=True)
        update(host, "2")
        await creation.reached.wait()
        assert host.containers() == {"web": "running"}
        assert host.is_in("RollingOut"), "told as soon as it begins"
        creation.release.set()
        after = await host.settled(image="localhost/app:2")
        assert host.world.manager.reloads == 1
        assert host.containers() == {"web": "running", candidate(before): "exited"}
        assert after.previous and before.current
        assert after.previous.container == before.current.container
        assert await host.outcomes() == ["stable", "stable"]
        assert (await host.rollouts())[0].from_revision == before.current.revision

    async def test_one_previous_is_kept(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        update(host, "2")
        second = await host.settled(image="localhost/app:2")
        update(host, "3")
        await host.settled(image="localhost/app:3")
        assert host.containers() == {"web": "running", candidate(second): "exited"}

    async def test_and_back_takes_the_previous_container(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        first = await host.settled()
        update(host, "2")
        second = await host.settled(image="localhost/app:2")
        update(host, "1")
        third = await host.settled()
        assert third.current and first.current
        assert third.current.container == first.current.container
        assert host.containers() == {"web": "running", candidate(second): "exited"}

    async def test_two_in_one_pass_share_a_reload(self, host: Installed) -> None:
        await host.start()
        for name in ("web", "db"):
            host.write(name)
        for name in ("web", "db"):
            await host.settled(name)
        for name in ("web", "db"):
            update(host, "2", name)
        for name in ("web", "db"):
            await host.settled(name, "localhost/app:2")
        assert host.world.manager.reloads == 1


class TestMany:
    async def test_bounded_and_side_by_side(self, host: Installed) -> None:
        """20 at once: start jobs and creates up to their limits, the ones beside the others."""
        workers, jobs = host.settings.reconcile.workers, host.settings.reconcile.jobs
        world, names = host.world, [f"w{number}" for number in range(20)]
        world.manager.hold.clear()
        creation = world.libpod.inject("POST containers/create", hold=True, times=len(names))
        await host.start()
        for name in names:
            host.write(name)
        await until(lambda: world.libpod.in_flight["POST containers/create"] == workers)
        creation.release.set()
        # All are prepared while the first start jobs are still in flight.
        await until(lambda: len(world.podman.containers) == len(names))
        await until(lambda: world.manager.starts_in_flight() == jobs)
        world.manager.hold.set()
        for name in names:
            await host.settled(name)
        assert world.manager.most_starts == jobs
        assert world.libpod.most["POST containers/create"] == workers
        assert world.manager.reloads == 0


class TestRollback:
    async def test_a_bad_update(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        good = await host.settled()
        update(host, "bad")
        status = await rolled_back(host)
        assert status.current and good.current
        assert status.current.container == good.current.container
        assert host.containers() == {"web": "running"}
        deployed = status.condition("Deployed")
        assert deployed and (deployed.status, deployed.reason) == ("False", "RolledBack")
        failed, stable = await host.rollouts()
        assert (failed.outcome, stable.outcome) == ("rolled-back", "stable")
        assert failed.problem and failed.problem.reason == "RestartLoop"
        assert failed.log[-1] == "cannot open /data"
        assert host.world.manager.reloads == 2

    async def test_is_not_tried_again(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        update(host, "bad")
        await rolled_back(host)
        created = host.world.libpod.requests.count("POST containers/create")
        update(host, "bad")
        await host.passes()
        await host.restart()
        await rolled_back(host)
        assert host.world.libpod.requests.count("POST containers/create") == created
        assert await host.outcomes() == ["rolled-back", "stable"]
        host.world.podman.add_image("localhost/app:bad")
        await host.settled(image="localhost/app:bad")


class TestRejection:
    @pytest.mark.parametrize("code", [400, 500])
    async def test_by_podman(self, host: Installed, code: int) -> None:
        """The old one is never stopped; however often it is tried, one failure is recorded."""
        await host.start()
        host.write("web")
        await host.settled()
        container = host.world.container("web")
        assert container
        began, calls = container.started, len(host.world.systemd.calls)
        fault = host.world.libpod.inject(
            "POST containers/create", status=code, message="statfs /srv: no such file", times=99
        )
        update(host, "2")
        await until(lambda: fault.times <= 96)
        await host.until(lambda: host.is_in("Degraded"))
        status = host.status()
        assert status and "statfs /srv: no such file" in status.last_error
        assert await host.outcomes() == ["failed", "stable"]
        assert container.running and container.started == began
        assert not [c for c in host.world.systemd.calls[calls:] if c[0] != "ListUnitsByPatterns"]
        fault.times = 0
        await host.settled(image="localhost/app:2")
        assert await host.outcomes() == ["stable", "failed", "stable"]

    async def test_a_create_whose_answer_is_lost(self, host: Installed) -> None:
        await host.start()
        host.world.libpod.inject("POST containers/create", late=True)
        host.write("web")
        await host.settled()
        assert host.containers() == {"web": "running"}
        assert await host.outcomes() == ["stable"]


class TestRemoval:
    async def test_nothing_is_left(self, host: Installed) -> None:
        await host.start()
        host.write("web", "image: localhost/app:1\nvolumes: ['data:/data']\n")
        await host.settled()
        host.remove("web")
        await host.gone()
        assert host.containers() == {}
        assert host.unit_files() == set()
        assert host.world.unit("web") is None
        assert set(host.world.podman.volumes) == {"web_data"}
        assert await host.notes("removed") == ["its workload file is gone"]

    async def test_disabled_and_enabled(self, host: Installed) -> None:
        await host.start()
        host.write("web")
        await host.settled()
        host.write("web", "image: localhost/app:1\nenabled: false\n")
        await host.until(lambda: host.is_in("Disabled") and host.containers() == {"web": "exited"})
        host.write("web")
        await host.settled()
        assert host.containers() == {"web": "running"}
