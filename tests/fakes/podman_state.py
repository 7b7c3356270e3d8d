"""An in-memory Podman: what it holds and what it refuses, in the words of Podman 5.4.2."""

import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes import podman_pods
from tests.fakes.clock import Clock
from tests.fakes.podman_objects import ObjectState, PodmanError

__all__ = ["FakeContainer", "FakeImage", "PodmanError", "PodmanState"]

ZERO_TIME = -62135596800


@dataclass
class FakeImage:
    """An image. `exits` is the code with which its containers end at once (None: they run on);
    `start_error` is what `podman start` says where it cannot start them."""

    id: str
    digest: str
    names: set[str] = field(default_factory=set)
    exits: int | None = None
    start_error: str = ""
    log: tuple[str, ...] = ()
    parent: str = ""


@dataclass
class FakeContainer:
    """A container; `dirty` ones fail their first forced remove, as after a killed conmon.

    `image_name` is what it was made from: of an image that was named by its ID the first name.
    """

    id: str
    name: str
    image: FakeImage
    spec: dict[str, Any]
    created: float
    state: str = "created"
    exit_code: int = 0
    started: float = 0.0
    exited: float = 0.0
    stopped: bool = False
    oom: bool = False
    dirty: bool = False
    image_name: str = ""
    log: list[tuple[int, bytes]] = field(default_factory=list)
    told: list[int | tuple[str, ...]] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.spec.get("labels") or {})

    @property
    def pod(self) -> str:
        return str(self.spec.get("pod") or "")


class PodmanState(ObjectState):
    """Containers, images, volumes, networks and secrets of one user.

    `on_event` gets each event, `on_exit` each end of a running container with its exit code.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(self._users, self.emit)
        self.clock = clock
        self.containers: dict[str, FakeContainer] = {}
        self.pods: dict[str, podman_pods.FakePod] = {}
        self.images: dict[str, FakeImage] = {}
        self.exec_result: tuple[int, bytes] = (0, b"")
        self.sessions: dict[str, tuple[int, bytes]] = {}
        self.on_event: list[Callable[[dict[str, Any]], None]] = []
        self.on_exit: list[Callable[[FakeContainer, int], None]] = []
        self._ids = itertools.count(1)
        # Of infra containers: Podman has it built in.
        self.pause = FakeImage(self.new_id(), f"sha256:{self.new_id()}")

    def new_id(self) -> str:
        return hashlib.sha256(f"id {next(self._ids)}".encode()).hexdigest()

    def add_image(
        self,
        name: str,
        *,
        exits: int | None = None,
        start_error: str = "",
        log: tuple[str, ...] = (),
        digest: str = "",
    ) -> FakeImage:
        """Put an image in local storage under a name, which moves from another image."""
        image = FakeImage(
            self.new_id(), digest or f"sha256:{self.new_id()}", {name}, exits, start_error, log
        )
        self.store(image, name)
        return image

    def store(self, image: FakeImage, name: str) -> None:
        for other in self.images.values():
            other.names.discard(name)
        image.names.add(name)
        self.images[image.id] = image
        self.emit("image", "pull", image.id, name)

    def find_image(self, name: str) -> FakeImage | None:
        """By name (`:latest` and `localhost/` may be left out), name@digest, or ID."""
        repository, _, digest = name.partition("@")
        if digest:
            bare = {n.rpartition(":")[0] for i in self.images.values() for n in i.names}
            return next(
                (i for i in self.images.values() if i.digest == digest and repository in bare), None
            )
        tagged = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        for image in self.images.values():
            if {tagged, f"localhost/{tagged}"} & image.names or image.id == name:
                return image
        found = [i for i in self.images.values() if len(name) >= 12 and i.id.startswith(name)]
        return found[0] if len(found) == 1 else None

    def remove_image(self, name: str) -> FakeImage:
        """Take a name away and, with the last one or by its ID, the image, as without `force`."""
        image = self.find_image(name)
        if image is None:
            raise PodmanError(404, "image not known", f"{name}: image not known")
        if name == image.id and len(image.names) > 1:
            text = f'unable to delete image "{name}" by ID with more than one tag'
            raise PodmanError(500, text, f"{text}: please force removal")
        if image.names - {name} and name != image.id:
            image.names.discard(name)
            self.emit("image", "untag", image.id, name)
            return image
        if user := next((c for c in self.containers.values() if c.image is image), None):
            cause = "image is in use by a container"
            raise PodmanError(409, cause, f"image used by {user.id}: {cause}")
        del self.images[image.id]
        self.emit("image", "remove", image.id, name)
        return image

    def find(self, key: str) -> FakeContainer:
        """A container by name or ID."""
        for container in self.containers.values():
            if container.name == key or container.id == key:
                return container
        text = f'no container with name or ID "{key}" found: no such container'
        raise PodmanError(404, "no such container", text)

    def create_volume(self, document: Mapping[str, Any]) -> dict[str, Any]:
        shown = document.get("Options", {}).get("image")
        if document.get("Driver") == "image" and self.find_image(shown) is None:
            text = f"looking up image {shown} to create volume failed: {shown}: image not known"
            raise PodmanError(500, "image not known", text)
        return super().create_volume(document)

    def create(self, spec: Mapping[str, Any]) -> FakeContainer:
        wanted = str(spec.get("image", ""))
        image = self.pause if wanted == self.pause.id else self.find_image(wanted)
        if image is None:
            text = f"no such image: {spec.get('image')}: image not known"
            raise PodmanError(404, "image not known", text)
        container_id = self.new_id()
        name = str(spec.get("name") or f"unnamed_{container_id[:6]}")
        if other := next((c for c in self.containers.values() if c.name == name), None):
            raise PodmanError(
                500,
                "that name is already in use",
                f'creating container storage: the container name "{name}" is already in use by '
                f"{other.id}. You have to remove that container to be able to reuse that name: "
                "that name is already in use",
            )
        self.check(spec)
        if spec.get("pod"):
            podman_pods.find(self, str(spec["pod"]))
        container = FakeContainer(container_id, name, image, dict(spec), self.clock.now())
        by_id = spec["image"] == image.id and image.names
        container.image_name = min(image.names) if by_id else str(spec["image"])
        self.containers[container_id] = container
        self.emit_of(container, "create")
        return container

    def rename(self, key: str, name: str) -> None:
        container = self.find(key)
        if any(other.name == name for other in self.containers.values()):
            text = "UNIQUE constraint failed: ContainerConfig.Name"
            raise PodmanError(500, text, f"renaming container {container.id}: {text}")
        container.name = name
        self.emit_of(container, "rename")

    def start(self, key: str) -> FakeContainer:
        """What `podman start` does; an image that crashes does so right after it."""
        container = self.find(key)
        if container.image.start_error:
            raise PodmanError(500, "OCI runtime error", container.image.start_error)
        if container.pod and container.id != (infra := self.pods[container.pod].infra):
            self.start(infra)
        if not container.running:
            container.state, container.started = "running", self.clock.now()
            container.exited, container.stopped = 0.0, False
            container.log += [(1, line.encode() + b"\n") for line in container.image.log]
            self.emit_of(container, "init")
            self.emit_of(container, "start")
            if (code := container.image.exits) is not None:
                self.clock.call_later(0, lambda: self.exit(container.id, code))
        return container

    def exit(self, key: str, code: int, *, oom: bool = False) -> None:
        """A container's main process ends, or is killed for memory."""
        container = self.containers.get(key) or self.find(key)
        if not container.running:
            return
        container.state, container.exit_code, container.oom = "exited", code, oom
        container.exited = self.clock.now()
        self.emit_of(container, "died", containerExitCode=str(code))
        self.emit_of(container, "cleanup")
        for callback in list(self.on_exit):
            callback(container, code)

    def stop(self, key: str) -> bool:
        """Stop a container; False where it did not run."""
        container = self.find(key)
        if not container.running:
            return False
        container.stopped = True
        self.exit(container.id, 143)
        return True

    def kill(self, key: str, signal: int) -> None:
        """Send a signal, which the container takes and lives on."""
        container = self.find(key)
        self._check_running(container)
        container.told.append(signal)

    def exec(self, key: str, command: list[str]) -> str:
        """Run a command, which ends as `exec_result` says; the ID of the session."""
        container = self.find(key)
        self._check_running(container)
        container.told.append(tuple(command))
        session = self.new_id()
        self.sessions[session] = self.exec_result
        return session

    def _check_running(self, container: FakeContainer) -> None:
        if not container.running:
            words = "can only do that to running containers: container state improper"
            raise PodmanError(409, "container state improper", words)

    def remove(self, key: str, *, force: bool) -> FakeContainer:
        container = self.find(key)
        self._check_removable(container)
        if container.running and not force:
            words = "container state improper"
            text = f"cannot remove container {container.id} as it is running: {words}"
            raise PodmanError(500, words, text)
        if container.dirty:
            container.dirty = False
            text = f"cleaning up container {container.id}: conmon process killed"
            raise PodmanError(500, "conmon process killed", text)
        self.exit(container.id, 137)
        del self.containers[container.id]
        self.emit_of(container, "remove")
        return container

    def _check_removable(self, container: FakeContainer) -> None:
        pod = self.pods.get(container.pod)
        if pod and pod.infra == container.id:
            text = f"container {container.id} is the infra container of pod {pod.id}"
            text += " and cannot be removed without removing the pod"
            raise PodmanError(500, text, text)

    def _users(self, kind: str, name: str) -> list[str]:
        """The containers that use a network or a volume."""
        if kind == "network":
            return [
                c.id for c in self.containers.values() if name in (c.spec.get("Networks") or ())
            ]
        return [
            c.id
            for c in self.containers.values()
            if any(v["Name"] == name for v in c.spec.get("volumes") or ())
        ]

    def emit_of(self, container: FakeContainer, action: str, **attributes: str) -> None:
        attributes |= container.labels
        image = next(iter(sorted(container.image.names)), "")
        self.emit("container", action, container.id, container.name, image, **attributes)

    def emit(
        self, kind: str, action: str, subject: str, name: str, image: str = "", **more: str
    ) -> None:
        now = self.clock.now()
        event: dict[str, Any] = {
            "status": action,
            "id": subject,
            "from": image,
            "Type": kind,
            "Action": action,
            "Actor": {"ID": subject, "Attributes": {"image": image, "name": name, **more}},
            "scope": "local",
            "time": int(now),
            "timeNano": int(now * 1e9),
        }
        for callback in list(self.on_event):
            callback(event)


def container_row(container: FakeContainer) -> dict[str, Any]:
    """A row of `GET /libpod/containers/json`."""
    created = datetime.fromtimestamp(container.created, UTC).isoformat().replace("+00:00", "Z")
    return {
        "AutoRemove": False,
        "Command": list(container.spec.get("command") or ()),
        "Created": created,
        "CreatedAt": "",
        "CIDFile": "",
        "Exited": container.state == "exited",
        "ExitedAt": int(container.exited) or ZERO_TIME,
        "ExitCode": container.exit_code,
        "ExposedPorts": None,
        "Id": container.id,
        "Image": container.image_name,
        "ImageID": container.image.id,
        "IsInfra": "infra_name" in container.spec,
        "Labels": container.labels or None,
        "Mounts": [v["Dest"] for v in container.spec.get("volumes") or ()],
        "Names": [container.name],
        "Namespaces": {},
        "Networks": sorted(container.spec.get("Networks") or ()),
        "Pid": 4321 if container.running else 0,
        "Pod": container.pod,
        "PodName": "",
        "Ports": [
            {"host_ip": "", "range": 1, "protocol": "tcp", **mapping}
            for mapping in container.spec.get("portmappings") or ()
        ]
        or None,
        "Restarts": 0,
        "Size": None,
        "StartedAt": int(container.started) or ZERO_TIME,
        "State": container.state,
        "Status": "",
    }


def image_document(image: FakeImage) -> dict[str, Any]:
    """The answer of `GET /libpod/images/NAME/json`."""
    names = sorted(image.names)
    return {
        "Id": image.id,
        "Digest": image.digest,
        "RepoTags": names,
        "RepoDigests": [f"{name.rpartition(':')[0]}@{image.digest}" for name in names],
        "Parent": "",
        "Architecture": "amd64",
        "Os": "linux",
        "Size": 2038883,
        "Labels": None,
        "ManifestType": "application/vnd.oci.image.manifest.v1+json",
        "NamesHistory": names,
    }
