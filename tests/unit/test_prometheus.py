"""The alerts and the dashboard: Prometheus takes them, and they ask for metrics that there are."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.promtool import PROMETHEUS, promtool
from tests.unit.test_metrics import everything

RULES = PROMETHEUS / "workloadd.rules.yml"
TESTS = PROMETHEUS / "workloadd.rules.test.yml"
DASHBOARD = json.loads((PROMETHEUS.parent / "grafana/workloadd.json").read_text())
_NAME = re.compile(r"\b(?:workloadd|process)_[a-z_]+")
# What Grafana puts in the place of its variables.
_VARIABLES = {"$__rate_interval": "5m", "$__interval": "1m", "$instance": ".*", "$workload": ".*"}


def known() -> set[str]:
    """The names of all series; those of a histogram are three."""
    found = text_string_to_metric_families(everything())
    return {sample.name for family in found for sample in family.samples}


def alerts() -> dict[str, str]:
    """What each alert asks."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def dashed(found: Any) -> Iterator[str]:
    """Every question that the dashboard asks, wherever it stands."""
    match found:
        case dict():
            for key, value in found.items():
                if key in ("expr", "definition") and value:
                    yield value
                yield from dashed(value)
        case list():
            for one in found:
                yield from dashed(one)


def test_the_rules_are_valid() -> None:
    assert f"SUCCESS: {len(alerts())} rules found" in promtool("check", "rules", RULES.name)


def test_the_alerts_go_off_when_they_should() -> None:
    assert "SUCCESS" in promtool("test", "rules", TESTS.name)


@pytest.mark.parametrize("alert", alerts())
def test_each_alert_is_seen_to_go_off_and_not_to(alert: str) -> None:
    groups = yaml.safe_load(TESTS.read_text())["tests"]
    tried = [one for group in groups for one in group["alert_rule_test"]]
    went_off = {bool(one.get("exp_alerts")) for one in tried if one["alertname"] == alert}
    assert went_off == {True, False}


@pytest.mark.parametrize("asked", [*alerts().values(), *dashed(DASHBOARD)])
def test_what_is_asked_for_is_there(asked: str) -> None:
    names = set(_NAME.findall(asked))
    assert names or asked.startswith("up{")
    assert names <= known()


def test_labels_that_are_asked_for_are_there() -> None:
    there: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(everything()):
        for sample in family.samples:
            there.setdefault(sample.name, {"job", "instance"}).update(sample.labels)
    for asked in (*alerts().values(), *dashed(DASHBOARD)):
        for name, matchers in re.findall(r"\b((?:workloadd|process)_[a-z_]+)\{(.*?)\}", asked):
            assert set(re.findall(r"(\w+)[=!]", matchers)) <= there[name], asked


def test_all_that_the_page_describes_is_on_the_dashboard_or_watched() -> None:
    text = " ".join([*alerts().values(), *dashed(DASHBOARD)])
    unused = {name for name in known() if name.startswith("workloadd_") and name not in text}
    assert {name for name in unused if not name.endswith(("_sum", "_count", "_bucket"))} == set()


def test_prometheus_understands_the_dashboard(tmp_path: Path) -> None:
    rules = []
    for number, asked in enumerate(dashed(DASHBOARD)):
        for variable, value in _VARIABLES.items():
            asked = asked.replace(variable, value)
        if not asked.startswith("label_values("):
            rules.append({"record": f"dashboard:{number}", "expr": asked})
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", str(file))


def test_the_dashboard_is_well_made() -> None:
    panels = DASHBOARD["panels"]
    ids = [panel["id"] for panel in panels]
    assert len(set(ids)) == len(ids)
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        assert not overlap(one, other), (one, other)
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert letters or panel["type"] == "row"
        assert len(set(letters)) == len(letters)
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    sources = re.findall(r'"uid": "(.*?)"', json.dumps(DASHBOARD))
    assert set(sources) == {"${datasource}", "workloadd"}


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "w"), ("y", "h"))
    )
