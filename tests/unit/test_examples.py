"""Every example is a right workload file, and all of them together can be on one host
(tests/host deploys them)."""

from pathlib import Path

import pytest

from workloadd.core.desired import Desired
from workloadd.core.revision import Image, make_revision
from workloadd.render.container import render_container
from workloadd.sources.directories import Directories
from workloadd.sources.facts import Facts

DIRECTORY = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(DIRECTORY.glob("*.yaml"))

IMAGE = Image("id", "sha256:one")
# What is said of an example that shows it on purpose.
_HIDDEN = ["ports: in a network it is not told who connects: all seem to be one"]
ADVICE = {"gallery": _HIDDEN, "shop": _HIDDEN}


@pytest.fixture
def desired(tmp_path: Path) -> Desired:
    """What is declared on a host with all of the examples, their facts and their secrets."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/postgres").touch(0o600)
    (tmp_path / "secrets/postgres").write_text("secret")
    facts = Facts([DIRECTORY / "facts.d"])
    return Directories([DIRECTORY], home=tmp_path, facts=facts).load()


def test_there_are_examples() -> None:
    assert {"web", "hello"} <= {path.stem for path in EXAMPLES}


def test_each_loads_and_renders(desired: Desired) -> None:
    for name, declared in desired.workloads.items():
        assert declared.spec, [str(error) for error in declared.errors]
        assert not declared.problems
        assert [w.message for w in declared.warnings] == ADVICE.get(name, [])
        images = {c.image: IMAGE for c in declared.spec.containers_by_name.values()}
        revision = make_revision(name, declared.spec, images, declared.inputs, declared.needs)
        for part in revision.parts:
            if part.spec:
                kept = dict.fromkeys(part.spec.files, "/kept")
                rendered = render_container(revision, part, "workloads", files=kept)
                assert rendered["labels"]["io.workloadd.workload"] == name
    for shared in (*desired.networks.values(), *desired.volumes.values()):
        assert shared.spec, [str(error) for error in shared.errors]


def test_all_of_them_can_be_on_one_host(desired: Desired) -> None:
    assert not desired.problems and not desired.elsewhere
    declared = (*desired.workloads.values(), *desired.networks.values(), *desired.volumes.values())
    assert {Path(one.path).name for one in declared} == {path.name for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_short_begins_with_words_and_is_in_the_list(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert len(lines) <= 60 and max(map(len, lines)) <= 110
    assert f"[{path.name}]({path.name})" in (DIRECTORY / "README.md").read_text()
