"""A small world, and the statuses that the real `assess` makes of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.fakes.revisions import only, revised
from workloadd.core.assess import Knowledge, assess
from workloadd.core.desired import Declared, Desired
from workloadd.core.memory import Memory
from workloadd.core.names import WHOLE
from workloadd.core.observed import (
    Container,
    Observed,
    Seen,
    UnitFile,
    UnitRecord,
    UnitState,
)
from workloadd.core.plan import plan
from workloadd.core.revision import Image
from workloadd.core.rollout import Policy
from workloadd.core.status import PassStatus, Status
from workloadd.core.world import World
from workloadd.spec.load import load_workload

NOW = 1_800_000_000.0
BOOT = NOW - 86_400
IMAGE = Image("sha256:" + "1" * 64, "sha256:" + "2" * 64)
SECRET = "hunter2-in-the-environment"

GOOD = f"""\
image: docker.io/library/nginx:1.27
description: The company's web site
ports: ["8080:80"]
environment:
  PASSWORD: {SECRET}
"""
BAD = f"""\
image: docker.io/library/nginx:1.27
ports: ["80a:80"]
environment:
  PASSWORD: {SECRET}
"""


def declare(name: str, text: str, directory: str = "/etc/workloadd/workloads.d") -> Declared:
    """A workload as `text` declares it."""
    path = f"{directory}/{name}.yaml"
    result = load_workload(name, text.encode(), path)
    return Declared(name, path, result.spec, result.errors, result.warnings)


def running(declared: Declared, *, since: float = NOW - 3 * 3600) -> Seen:
    """What is seen where the workload runs as declared."""
    assert declared.spec is not None
    revision = revised(declared.name, declared.spec, IMAGE.id, IMAGE.digest)
    part = only(revision)
    assert part.spec is not None
    container = Container(
        id=revision.digest[::-1],
        name=declared.name,
        workload=declared.name,
        container=part.name,
        revision=revision.digest,
        image_id=IMAGE.id,
        image=part.spec.image,
        state="running",
        created_at=since,
        started_at=since,
        params=part.params,
    )
    record = UnitRecord(
        declared.name,
        revision.digest,
        ((part.name, container.id),),
        source=declared.path,
        description=declared.spec.description,
    )
    unit = UnitState("loaded", "active", "running", active_since=since)
    return Seen((container,), UnitFile(record, intact=True, enabled=True), {WHOLE: unit})


def world(
    files: Mapping[str, str], running_as: Mapping[str, str] | None = None
) -> tuple[Desired, Observed]:
    """Workloads declared by `files`; those in `running_as` run, as their text there says."""
    desired = Desired({name: declare(name, text) for name, text in files.items()})
    run = [declare(name, text) for name, text in (running_as or {}).items()]
    specs = [declared.spec for declared in run if declared.spec]
    images = {c.image: IMAGE for spec in specs for c in spec.containers_by_name.values()}
    return desired, Observed({d.name: running(d) for d in run}, images, BOOT)


def status(
    files: Mapping[str, str],
    running_as: Mapping[str, str] | None = None,
    *,
    passes: PassStatus | None = None,
    now: float = NOW,
    before: Status | None = None,
    **fields: object,
) -> Status:
    """The status of that world, after one pass at `now`."""
    known = World(*world(files, running_as), Memory(), now)
    knowledge = Knowledge(known, plan(known, Policy()), {})
    return Status(
        version="1.2.3",
        user="workloads",
        started=datetime.fromtimestamp(BOOT, UTC),
        passes=passes or PassStatus(count=1),
        workloads=assess(knowledge, {one.name: one for one in before.workloads} if before else {}),
        **fields,
    )
