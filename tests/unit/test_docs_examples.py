"""What the pages show to be written can be written."""

import re
from pathlib import Path

import pytest

from workloadd.spec.load import load_workload

DOCS = Path(__file__).parents[2] / "contrib/docs"
PAGES = ("health", "networks-volumes", "secrets-files", "jobs", "host-updates")
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks() -> list[object]:
    found = [(page, text) for page in PAGES for text in _BLOCK.findall(_read(page))]
    assert len(found) > 10
    return [pytest.param(text, id=f"{page}-{number}") for number, (page, text) in enumerate(found)]


def _read(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


@pytest.mark.parametrize("text", blocks())
def test_a_block_is_a_file_or_a_part_of_one(text: str) -> None:
    if not re.search("^(image|kind):", text, re.MULTILINE):
        text = f"image: docker.io/library/nginx:1.27\n{text}"
    result = load_workload("web", text.encode(), "web.yaml")
    assert [str(error) for error in result.errors] == []
