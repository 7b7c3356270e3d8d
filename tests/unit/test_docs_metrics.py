"""The page about metrics names those that there are, as they are."""

import re
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.promtool import PROMETHEUS, promtool
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


def test_its_configuration_is_valid(tmp_path: Path) -> None:
    (written,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    file = tmp_path / "prometheus.yml"
    file.write_text(written)
    rules = "workloadd.rules.yml"
    (tmp_path / rules).write_text((PROMETHEUS / rules).read_text())
    assert f"{rules}\n  SUCCESS" in promtool("check", "config", str(file))


def test_its_questions_can_be_asked(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```promql\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    asked = [line.partition("#")[0].strip() for line in block.splitlines()]
    names = {name for one in asked for name in re.findall(r"workloadd_\w+", one)}
    found = text_string_to_metric_families(everything())
    assert names <= {sample.name for family in found for sample in family.samples}
    file = tmp_path / "asked.yml"
    rules = [{"record": f"asked:{number}", "expr": one} for number, one in enumerate(asked)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "page", "rules": rules}]}))
    assert f"SUCCESS: {len(asked)} rules found" in promtool("check", "rules", str(file))


def _shown(name: str) -> str:
    """A histogram is known by its own name, not those of its three kinds of sample."""
    return re.sub(r"_(bucket|sum|count)$", "", name)
