"""The Podman adapter against a fake service on a real socket."""

import asyncio
import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.libpod import FakeLibpod
from tests.fakes.registry import Remote
from workloadd.core.errors import Permanent, Transient, WorkloaddError
from workloadd.core.names import (
    LABEL_CONTAINER,
    LABEL_REVISION,
    LABEL_UNIT,
    LABEL_USER,
    LABEL_WORKLOAD,
)
from workloadd.core.revision import UnitParams
from workloadd.host.auth import Credentials
from workloadd.host.podman import Podman
from workloadd.host.podman_errors import pull_failed
from workloadd.host.podman_logs import MAX_LINE, LogDecoder
from workloadd.spec.names import MAIN_CONTAINER

PARAMS = UnitParams(restart="no", reclaim=("web_data",))


def spec(name: str = "web_abc", user: str = "alice", **more: Any) -> dict[str, Any]:
    labels = {
        LABEL_WORKLOAD: "web",
        LABEL_CONTAINER: MAIN_CONTAINER,
        LABEL_REVISION: "abc" * 8,
        LABEL_USER: user,
        LABEL_UNIT: PARAMS.to_label(),
    }
    return {"name": name, "image": "localhost/app:1", "labels": labels, **more}


async def test_info(podman: Podman) -> None:
    info = await podman.info()
    assert (info.version, info.rootless) == ("5.4.2", True)
    assert (info.uid_map_size, info.gid_map_size) == (65537, 65537)
    assert info.cgroup_controllers == ("cpu", "memory", "pids")
    assert info.volume_path == info.graph_root / "volumes"


class TestContainers:
    async def test_ours_in_full_others_by_name(self, podman: Podman, service: FakeLibpod) -> None:
        container_id = await podman.create(spec())
        await podman.create(spec("theirs", user="bob"))
        await podman.create({"name": "plain", "image": "localhost/app:1"})
        service.state.start(container_id)
        found = await podman.containers()
        assert found.foreign_names == {"theirs", "plain"}
        (ours,) = found.ours
        assert (ours.id, ours.name, ours.workload) == (container_id, "web_abc", "web")
        assert ours.params == PARAMS
        assert ours.state == "running" and ours.running
        assert ours.pid > 0
        assert ours.started_at > 0 and ours.created_at > 0 and ours.exited_at == 0.0
        service.state.exit(container_id, 3)
        (ours,) = (await podman.containers()).ours
        assert (ours.state, ours.exit_code, ours.pid) == ("exited", 3, 0)
        assert ours.exited_at > 0

    @pytest.mark.parametrize(
        ("label", "params"),
        [
            ('{"restart": "no", "from_the_future": 1}', UnitParams(restart="no")),
            ("what is this", None),
        ],
    )
    async def test_a_label_of_another_version(
        self, podman: Podman, label: str, params: UnitParams | None
    ) -> None:
        strange = spec()
        strange["labels"][LABEL_UNIT] = label
        await podman.create(strange)
        assert (await podman.containers()).ours[0].params == params

    @pytest.mark.parametrize(
        ("change", "reason"),
        [({"image": "localhost/none:1"}, "ImageNotFound"), ({}, "NameConflict")],
    )
    async def test_refused_creation(
        self, podman: Podman, change: dict[str, str], reason: str
    ) -> None:
        await podman.create(spec())
        with pytest.raises(Permanent) as refused:
            await podman.create(spec() | change)
        assert refused.value.problem.reason == reason
        assert refused.value.problem.message.startswith("cannot create container web_abc: ")

    async def test_a_500_is_the_spec_being_rejected(
        self, podman: Podman, service: FakeLibpod
    ) -> None:
        words = "statfs /nonexistent: no such file or directory"
        service.inject("POST containers/create", status=500, message=f"{words}\nmore")
        with pytest.raises(Permanent) as refused:
            await podman.create(spec())
        assert refused.value.problem.reason == "PodmanRejected"
        assert refused.value.problem.message == f"cannot create container web_abc: {words}"

    async def test_rename(self, podman: Podman, service: FakeLibpod) -> None:
        first, second = await podman.create(spec("a")), await podman.create(spec("b"))
        await podman.rename(first, "c")
        assert service.state.find(first).name == "c"
        with pytest.raises(Permanent) as refused:
            await podman.rename(second, "c")
        assert refused.value.problem.reason == "NameConflict"

    async def test_remove(self, podman: Podman, service: FakeLibpod) -> None:
        container_id = await podman.create(spec())
        service.state.start(container_id)
        await podman.remove(container_id)
        assert not service.state.containers
        await podman.remove(container_id)

    async def test_a_dirty_container_is_removed_in_the_second_go(
        self, podman: Podman, service: FakeLibpod
    ) -> None:
        container_id = await podman.create(spec())
        service.state.containers[container_id].dirty = True
        await podman.remove(container_id)
        assert not service.state.containers

    async def test_remove_gives_up_after_two(self, podman: Podman, service: FakeLibpod) -> None:
        container_id = await podman.create(spec())
        service.inject("DELETE *", status=500, message="device busy", times=2)
        with pytest.raises(Permanent, match=r"cannot remove container .*: device busy"):
            await podman.remove(container_id)

    async def test_stop(self, podman: Podman, service: FakeLibpod) -> None:
        container_id = await podman.create(spec())
        service.state.start(container_id)
        await podman.stop(container_id, 1)
        assert service.state.find(container_id).exit_code == 143
        await podman.stop(container_id, 1)
        with pytest.raises(Permanent) as refused:
            await podman.stop("gone", 1)
        assert refused.value.problem.reason == "NoSuchContainer"


async def test_images_are_found_as_podman_would_run_them(
    podman: Podman, service: FakeLibpod
) -> None:
    image = service.state.add_image("localhost:5000/nginx:1")
    there = ["localhost:5000/nginx:1", f"localhost:5000/nginx@{image.digest}", image.id[:12]]
    found = await podman.images([*there, "localhost:5000/nginx:2", "localhost:5000/nginx"])
    assert set(found) == set(there)
    assert {(i.id, i.digest) for i in found.values()} == {(image.id, image.digest)}
    assert await podman.images([]) == {}


class TestPull:
    async def test_progress_and_result(self, podman: Podman, service: FakeLibpod) -> None:
        service.registry["localhost:5000/app:2"] = Remote("sha256:" + "2" * 64)
        lines: list[str] = []
        image = await podman.pull("localhost:5000/app:2", "missing", on_progress=lines.append)
        assert (await podman.images(["localhost:5000/app:2"]))["localhost:5000/app:2"].id == image
        assert lines[0] == "Trying to pull localhost:5000/app:2..."
        assert await podman.pull("localhost:5000/app:2", "missing") == image
        assert service.registry["localhost:5000/app:2"].pulls == 1

    async def test_platform(self, podman: Podman, service: FakeLibpod) -> None:
        service.registry["localhost:5000/app:2"] = Remote("sha256:" + "2" * 64)
        for platform in ("", "linux/arm64", "linux/arm/v7"):
            await podman.pull("localhost:5000/app:2", "missing", platform=platform)
        assert service.platforms == [(), ("linux", "arm64"), ("linux", "arm", "v7")]

    async def test_missing(self, podman: Podman) -> None:
        for policy in ("always", "never"):
            with pytest.raises(Permanent) as refused:
                await podman.pull("localhost:5000/app:9", policy)
            assert refused.value.problem.reason == "ImageNotFound"

    async def test_credentials(self, podman: Podman, service: FakeLibpod) -> None:
        service.registry["r.example/app:1"] = Remote("sha256:1", login=("me", "s3cret/+?"))
        right, wrong = Credentials("me", "s3cret/+?"), Credentials("me", "guess")
        for credentials in (None, wrong):
            with pytest.raises(Permanent) as refused:
                await podman.pull("r.example/app:1", "always", credentials=credentials)
            assert refused.value.problem.reason == "Unauthorized"
            assert "guess" not in str(refused.value.problem)
        await podman.pull("r.example/app:1", "always", credentials=right)
        assert "s3cret" not in repr(right)

    async def test_a_cancelled_pull_lets_go(self, podman: Podman, service: FakeLibpod) -> None:
        service.registry["r.example/app:1"] = Remote("sha256:1", gate=asyncio.Event())
        begun = asyncio.Event()
        task = asyncio.create_task(
            podman.pull("r.example/app:1", "always", on_progress=lambda _: begun.set())
        )
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await podman.images(["r.example/app:1"]) == {}

    async def test_a_broken_pull_is_transient(self, podman: Podman, service: FakeLibpod) -> None:
        service.registry["r.example/app:1"] = Remote("sha256:1", gate=asyncio.Event())
        begun = asyncio.Event()
        task = asyncio.create_task(
            podman.pull("r.example/app:1", "always", on_progress=lambda _: begun.set())
        )
        await begun.wait()
        service.drop_connections()
        with pytest.raises(Transient) as broken:
            await task
        assert broken.value.problem.reason == "PodmanUnavailable"

    # Texts of Podman 5.4 and of registries.
    @pytest.mark.parametrize(
        ("text", "kind", "reason"),
        [
            (
                "reading manifest 1 in localhost:5000/x: manifest unknown",
                Permanent,
                "ImageNotFound",
            ),
            ("x: name unknown: repository name not known to registry", Permanent, "ImageNotFound"),
            ("localhost/x:1: image not known", Permanent, "ImageNotFound"),
            ("unauthorized: authentication required", Permanent, "Unauthorized"),
            ("denied: requested access to the resource is denied", Permanent, "Unauthorized"),
            ("toomanyrequests: You have reached your pull rate limit", Transient, "RateLimited"),
            ("received unexpected HTTP status: 429 Too Many Requests", Transient, "RateLimited"),
            (
                "received unexpected HTTP status: 503 Service Unavailable",
                Transient,
                "RegistryUnavailable",
            ),
            ("dial tcp [::1]:5999: connect: connection refused", Transient, "RegistryUnavailable"),
            ("dial tcp: lookup r.example: no such host", Transient, "RegistryUnavailable"),
            ("net/http: TLS handshake timeout", Transient, "RegistryUnavailable"),
            (
                "http: server gave HTTP response to HTTPS client",
                Permanent,
                "RegistryWithoutTLS",
            ),
            ("tls: failed to verify certificate: x509: unknown", Permanent, "CertificateRejected"),
            ('parsing reference "A//b": invalid reference format', Permanent, "InvalidReference"),
            ('short-name "x:1" did not resolve to an alias', Permanent, "AmbiguousImage"),
            ("write /var/tmp/x: no space left on device", Transient, "DiskFull"),
            ("something new", Transient, "PullFailed"),
        ],
    )
    def test_what_errors_mean(self, text: str, kind: type[WorkloaddError], reason: str) -> None:
        error = pull_failed("r.example/x:1", f"initializing source docker://x: {text}")
        assert type(error) is kind
        assert error.problem.reason == reason
        assert error.problem.message.startswith("cannot pull r.example/x:1: ")

    def test_names_do_not_matter(self) -> None:
        text = (
            "initializing source docker://r.example/denied/certificate:1: reading manifest 1 in "
            'r.example/denied/certificate: Get "https://r.example/v2/denied/certificate": EOF'
        )
        error = pull_failed("r.example/denied/certificate:1", text)
        assert error.problem.reason == "RegistryUnavailable"

    def test_no_secret_is_repeated(self) -> None:
        text = 'Get "https://me:pass@r.example/v2/": invalid header c2VjcmV0'
        message = str(pull_failed("r.example/x:1", text, ("c2VjcmV0",)).problem)
        assert "pass" not in message and "c2VjcmV0" not in message


class TestEvents:
    async def test_words_to_wake_up_by(self, podman: Podman, service: FakeLibpod) -> None:
        events = podman.events()
        assert await anext(events) == "connected"
        await podman.create(spec())
        service.state.emit_of(service.state.find("web_abc"), "exec_died")
        service.state.start("web_abc")
        assert [await anext(events) for _ in range(3)] == [
            "container create",
            "container init",
            "container start",
        ]
        service.drop_connections()
        with pytest.raises(Transient):
            await anext(events)
        again = podman.events()
        assert await anext(again) == "connected"
        await podman.close()

    async def test_no_service(self, tmp_path: Path) -> None:
        client = Podman(tmp_path / "none.sock", user="alice")
        with pytest.raises(Transient, match=r"cannot follow .*: .*[Nn]o such file"):
            await anext(client.events())
        await client.close()


class TestBrokenService:
    async def test_idle_connections_are_replaced(self, podman: Podman, service: FakeLibpod) -> None:
        for _ in range(6):
            await podman.containers()
            await service.restart()
        await podman.create(spec())

    async def test_a_request_is_sent_once_more(self, podman: Podman, service: FakeLibpod) -> None:
        service.inject("POST containers/create")
        await podman.create(spec())
        assert service.requests.count("POST containers/create") == 2

    async def test_but_not_for_ever(self, podman: Podman, service: FakeLibpod) -> None:
        service.inject("GET containers/json", times=2)
        with pytest.raises(Transient, match="cannot list containers: ") as broken:
            await podman.containers()
        assert broken.value.problem.reason == "PodmanUnavailable"
        assert service.requests.count("GET containers/json") == 2

    async def test_no_socket(self, tmp_path: Path) -> None:
        client = Podman(tmp_path / "none.sock", user="alice")
        with pytest.raises(Transient, match="cannot list containers: No such file") as broken:
            await client.containers()
        assert broken.value.problem.reason == "PodmanUnavailable"
        assert "podman.socket" in broken.value.problem.hint
        await client.close()
        with pytest.raises(Transient, match="closed"):
            await client.containers()

    async def test_timeout(self, podman: Podman, service: FakeLibpod) -> None:
        held = service.inject("GET containers/json", hold=True)
        with pytest.raises(Transient, match=r"no answer within 0\.05 s"):
            await podman.containers(timeout=0.05)
        held.release.set()

    async def test_close_breaks_what_waits(self, podman: Podman, service: FakeLibpod) -> None:
        held = service.inject("GET containers/json", hold=True)
        waiting = asyncio.create_task(podman.containers())
        await held.reached.wait()
        await podman.close()
        with pytest.raises(Transient):
            await waiting

    async def test_an_answer_of_another_kind(self, podman: Podman, service: FakeLibpod) -> None:
        service.info = {"host": {}}
        with pytest.raises(Transient, match="cannot ask Podman about this host: unexpected"):
            await podman.info()


def frames(*parts: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([s, 0, 0, 0]) + len(d).to_bytes(4, "big") + d for s, d in parts)


class TestLogs:
    async def test_of_a_container(self, podman: Podman, service: FakeLibpod) -> None:
        await podman.create(spec())
        log = service.state.find("web_abc").log
        log += [(1, b"one\n"), (2, b"\x1b[31mtwo\x1b[0m\n"), (1, b"thr"), (1, b"ee\r\n")]
        assert await podman.logs("web_abc", 10) == ("one", r"\x1b[31mtwo\x1b[0m", "three")
        with pytest.raises(Permanent):
            await podman.logs("gone", 10)

    def test_lines_are_bounded(self) -> None:
        decoder = LogDecoder(2)
        decoder.feed(frames((1, b"first\n"), (1, b"x" * 10_000_000 + b"\n"), (2, b"last")))
        assert decoder.lines() == ("x" * MAX_LINE + "…", "last")

    def test_output_of_a_terminal_has_no_frames(self) -> None:
        decoder = LogDecoder(5)
        decoder.feed(b"hello\r\nworld\r\n")
        assert decoder.lines() == ("hello", "world")

    @given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40))), st.data())
    def test_the_pieces_do_not_matter(
        self, parts: list[tuple[int, bytes]], data: st.DataObject
    ) -> None:
        stream = frames(*parts)
        whole, pieces = LogDecoder(50), LogDecoder(50)
        whole.feed(stream)
        cuts = data.draw(st.lists(st.integers(0, len(stream))))
        edges = [0, *sorted(cuts), len(stream)]
        for start, end in itertools.pairwise(edges):
            pieces.feed(stream[start:end])
        assert pieces.lines() == whole.lines()
        lines = b"".join(part for _, part in parts).split(b"\n")
        assert len(whole.lines()) == min(50, len(lines) - (lines[-1] == b""))


def test_header_is_what_libpod_expects() -> None:
    header = Credentials("me", "ü?>").header()
    assert json.loads(base64.urlsafe_b64decode(header)) == {"username": "me", "password": "ü?>"}
