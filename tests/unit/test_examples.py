"""Every example is a right workload file (tests/host deploys them)."""

from pathlib import Path

import pytest

from tests.fakes.revisions import revised
from workloadd.render.container import render_container
from workloadd.spec.load import load_file, read_part
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.scope import HOST_VARIABLES, Scope, Variable

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
FACTS = {"SITE": "berlin-1", "TIER": "edge"}
SCOPE = Scope({name: Variable(value) for name, value in {**HOST_VARIABLES, **FACTS}.items()})


def test_there_are_examples() -> None:
    kinds = {"web", "postgres", "counter", "notes", "on-demand", "fleet", "agent"}
    assert kinds <= {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_loads_and_renders(path: Path) -> None:
    for name, loaded in load_file(
        path.stem, read_part(path.name, path.read_bytes()), (), SCOPE
    ).workloads:
        assert loaded.spec, [str(error) for error in loaded.errors]
        assert not loaded.warnings
        if not isinstance(loaded.spec, WorkloadSpec):
            continue
        revision = revised(name, loaded.spec)
        for part in revision.parts:
            if part.spec:
                files = dict.fromkeys(part.spec.files, "/kept")
                labels = render_container(revision, part, "workloads", files=files)["labels"]
                assert labels["io.workloadd.workload"] == name
