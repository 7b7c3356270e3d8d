"""The page about metrics names those that there are, as they are."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.unit.test_metrics import everything

PAGE = Path(__file__).parents[2] / "contrib/docs/metrics.md"
_ROW = re.compile(r"^\| `(workloadd_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)


def test_it_names_them_all() -> None:
    text = everything()
    types = dict(re.findall(r"^# TYPE (workloadd_\w+) (\w+)$", text, re.MULTILINE))
    shown = {name: kind for name, kind, _ in _ROW.findall(PAGE.read_text())}
    assert shown == types


def test_their_labels_are_those() -> None:
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(everything()):
        for sample in family.samples:
            labels.setdefault(_shown(sample.name), set()).update(set(sample.labels) - {"le"})
    for name, _, shown in _ROW.findall(PAGE.read_text()):
        assert set(re.findall(r"`(\w+)`", shown)) == labels[name], name


def _shown(name: str) -> str:
    """A histogram is known by its own name, not those of its three kinds of sample."""
    return re.sub(r"_(bucket|sum|count)$", "", name)
