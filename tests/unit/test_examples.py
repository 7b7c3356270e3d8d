"""Every example is a right workload file (tests/host deploys them)."""

from pathlib import Path

import pytest

from tests.fakes.revisions import revised
from workloadd.render.container import render_container
from workloadd.spec.load import load_workload
from workloadd.spec.model import WorkloadSpec

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def test_there_are_examples() -> None:
    assert {"web", "hello"} <= {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_loads_and_renders(path: Path) -> None:
    loaded = load_workload(path.stem, path.read_bytes(), path.name)
    assert loaded.spec, [str(error) for error in loaded.errors]
    assert not loaded.warnings
    assert isinstance(loaded.spec, WorkloadSpec)
    revision = revised(path.stem, loaded.spec)
    for part in revision.parts:
        if part.spec:
            labels = render_container(revision, part, "workloads")["labels"]
            assert labels["io.workloadd.workload"] == path.stem
