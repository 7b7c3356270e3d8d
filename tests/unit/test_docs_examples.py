"""The examples in hand-written documents are files that work."""

import re
from pathlib import Path

import pytest

from workloadd.spec.load import FileResult, Part, load_file, read_part
from workloadd.spec.scope import Scope, Variable

DOCS = Path(__file__).parents[2] / "contrib/docs"
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOST = Scope(
    {
        "SITE": Variable("berlin-2"),
        "GPU": Variable("0"),
        "HOST_NAME": Variable("host-1"),
        "HOST_ARCH": Variable("arm64"),
    }
)


def load(text: str) -> list[FileResult]:
    """What the YAML of a document comes to; a block in NAME.yaml.d goes over the one before."""
    results: list[FileResult] = []
    base = Part("")
    for block in BLOCK.findall(text):
        part = read_part("block.yaml", block.encode())
        if ".yaml.d/" in block.partition("\n")[0]:
            results.append(load_file("web", base, [part], HOST))
        else:
            base = part
            results.append(load_file("web", base, [], HOST))
    return results


@pytest.mark.parametrize("name", ["variables.md", "drop-ins.md"])
def test_every_example_is_right(name: str) -> None:
    results = load((DOCS / name).read_text())
    assert len(results) >= 3
    for result in results:
        assert [error for _, one in result.workloads for error in one.errors] == []
    assert any(one.spec for result in results for _, one in result.workloads)
