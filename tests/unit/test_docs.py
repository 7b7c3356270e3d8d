"""Documents that are made from the code are those that the code makes."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from workloadd.cli.main import main as cli
from workloadd.docs.__main__ import main
from workloadd.docs.table import DOCUMENTS

CONTRIB = Path(__file__).parents[2] / "contrib"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_up_to_date(name: str) -> None:
    path = CONTRIB / name
    stale = not path.exists() or path.read_text() != DOCUMENTS[name]()
    assert not stale, f"contrib/{name} is not what the code says any more: run make docs"


def test_they_are_written_where_they_are_not_up_to_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(tmp_path)
    assert {name for name in DOCUMENTS if (tmp_path / name).exists()} == DOCUMENTS.keys()
    assert capsys.readouterr().out.count(" is new\n") == len(DOCUMENTS)
    main(tmp_path)
    assert capsys.readouterr().out == ""


def test_what_the_page_for_writers_shows_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (CONTRIB / "docs/writing.md").read_text()
    monkeypatch.chdir(tmp_path)
    Path("web.yaml").write_text('image: docker.io/library/nginx:1.27\nports: ["80a:80"]\n')
    shown = page.partition("$ workloadctl validate web.yaml\n")[2].partition("```")[0]
    assert CliRunner().invoke(cli, ["validate", "web.yaml"]).output == shown
    for words in re.findall(r"^\$ workloadctl explain ?(\S*)", page, re.MULTILINE):
        done = CliRunner().invoke(cli, ["explain", *([words] if words else [])])
        assert done.exit_code == 0 or "hint: " in done.output, done.output
