"""Documents that are made from the code are those that the code makes."""

from pathlib import Path

import pytest

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
