"""The status as text: what it says, and that it fits a terminal."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.statuses import BAD, GOOD, NOW, SECRET, status
from workloadd.api import text, words
from workloadd.core.errors import Problem
from workloadd.core.status import (
    ElsewhereStatus,
    HostConditionStatus,
    ImageStatus,
    PassStatus,
    ProbeResult,
    SharedStatus,
    Status,
    Unit,
    WorkloadStatus,
)
from workloadd.history.rows import RolloutRow

AT = datetime.fromtimestamp(NOW, UTC)
UNIT = Unit(
    name="u", load_state="loaded", active_state="active", sub_state="running", result="success"
)


def line_of(shown: str, start: str) -> str:
    """The one line that begins with `start`."""
    (line,) = (line for line in shown.splitlines() if line.startswith(start))
    return line


def test_a_row_says_state_age_image_and_ports() -> None:
    row = line_of(text.table(status({"web": GOOD}, {"web": GOOD}), AT), "web ")
    assert row.split() == ["web", "Ready", "3h", "0", "docker.io/library/nginx:1.27", "8080:80"]


def test_an_invalid_file_is_reported_with_its_place_and_what_to_do() -> None:
    shown = text.table(status({"web": BAD}, {"web": GOOD}), AT)
    assert line_of(shown, "web   ").split()[1] == "Degraded"
    assert "web (Degraded), the last good deployment serves:" in shown
    assert "/etc/workloadd/workloads.d/web.yaml:2:9: cannot accept ports[0]" in shown
    assert "hint: write for example" in shown


def test_a_host_condition_that_does_not_hold_has_its_fix_on_one_line() -> None:
    fix = "sudo loginctl enable-linger workloads && " + "x" * 100
    condition = HostConditionStatus(
        type="Linger", status="False", reason="Off", message="services end", fix=fix
    )
    shown = text.table(status({}, host=(condition,)), AT)
    assert "host, Linger: services end\n" in shown
    assert f"  fix: {fix}\n" in shown


def test_before_the_first_pass_nothing_is_claimed() -> None:
    assert "first pass is not done" in text.table(status({}, passes=PassStatus()), AT)


def test_a_pass_that_could_not_look_is_said_first() -> None:
    passes = PassStatus(count=3, problem="cannot reach Podman")
    first, *_ = text.table(status({"web": GOOD}, passes=passes), AT).splitlines()
    assert "cannot tell how the workloads are" in first


def test_the_detail_has_deployment_conditions_and_the_last_rollout() -> None:
    rollout = RolloutRow(
        id=1,
        workload="web",
        revision="ab" * 32,
        from_revision="",
        cause="the workload file changed",
        started_at=NOW - 100,
        committed_at=NOW - 90,
        ended_at=NOW - 50,
        outcome="rolled-back",
        problem=Problem("UnitFailed", "cannot keep the deployment", "look at the log"),
        log=("fatal: no\x1b[2J config",),
    )
    workload = status({"web": GOOD}, {"web": GOOD}).workload("web")
    assert workload is not None
    shown = text.detail(workload, [rollout], AT)
    assert shown.startswith("web: Ready for 3h\n")
    assert "sha256:" + "2" * 64 in shown
    assert line_of(shown, "Converged").split()[1] == "True"
    assert line_of(shown, "current").split()[1] == "revision"
    assert "abababababab rolled-back 50s ago: the workload file changed" in shown
    assert "UnitFailed: cannot keep the deployment (look at the log)" in shown
    assert "  | fatal: no\ufffd[2J config\n" in shown


def test_the_detail_says_how_each_probe_went() -> None:
    workload = status({"web": GOOD}, {"web": GOOD}).workloads[0]
    earlier = datetime.fromtimestamp(NOW - 4, UTC)
    probes = (
        ProbeResult(
            container="app", kind="readiness", asks="http 80/", ok=False, verdict=False,
            time=earlier, reason="Refused", message="connection refused", failures=5,
        ),
        ProbeResult(
            container="", kind="liveness", asks="tcp 80", ok=True, verdict=True, time=earlier
        ),
        ProbeResult(container="", kind="startup", asks="exec", ok=None, verdict=None),
    )  # fmt: skip
    shown = text.detail(workload.model_copy(update={"probes": probes}), [], AT)
    words_ = line_of(shown, "app readiness").split()
    assert " ".join(words_) == "app readiness http 80/ no 4s connection refused (5 in a row)"
    assert line_of(shown, "liveness").split() == ["liveness", "tcp", "80", "yes", "4s", "well"]
    assert line_of(shown, "startup").split()[:3] == ["startup", "exec", "-"]


def test_degraded_with_nothing_that_serves_is_not_said_to_serve() -> None:
    workload = status({"web": BAD}, {"web": GOOD}).workloads[0]
    ready = workload.condition("Ready")
    assert ready
    unready = ready.model_copy(update={"status": "False"})
    others = tuple(c for c in workload.conditions if c.type != "Ready")
    down = workload.model_copy(update={"conditions": (*others, unready)})
    whole = status({}).model_copy(update={"workloads": (down,)})
    assert "web (Degraded):" in text.table(whole, AT)


def test_the_detail_names_the_drop_ins() -> None:
    workload = status({"web": GOOD}, {"web": GOOD}).workload("web")
    assert workload is not None
    assert "drop-ins" not in text.detail(workload, [], AT)
    files = (workload.source, "/etc/workloadd/workloads.d/web.yaml.d/10-more.yaml")
    shown = text.detail(workload.model_copy(update={"files": files}), [], AT)
    assert line_of(shown, "drop-ins").split()[1] == files[1]


def test_a_workload_for_other_hosts_is_no_trouble() -> None:
    other = ElsewhereStatus(name="gpu", source="/etc/gpu.yaml", reason="GPU is not set")
    shown = text.table(status({"web": GOOD}, {"web": GOOD}, elsewhere=(other,)), AT)
    assert "web is as declared" in shown
    assert line_of(shown, "gpu ") == "gpu is not for this host: GPU is not set"


def test_no_value_of_the_environment_is_shown() -> None:
    for running in ({}, {"web": GOOD}):
        found = status({"web": GOOD, "broken": BAD}, running)
        shown = [text.table(found, AT), *(text.detail(w, [], AT) for w in found.workloads)]
        assert SECRET not in "".join(shown)


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=300)


@given(
    names=st.lists(NAMES, min_size=1, max_size=5),
    image=st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=300),
    ports=st.lists(st.integers(1, 65535).map(lambda p: f"127.0.0.1:{p}:{p}"), max_size=50),
    restarts=st.integers(0, 2**32 - 1),
    now=st.datetimes(timezones=st.just(UTC)),
)
def test_the_table_fits_80_columns(
    names: list[str], image: str, ports: list[str], restarts: int, now: datetime
) -> None:
    unit = UNIT.model_copy(update={"active_since": AT})
    workloads = tuple(
        WorkloadStatus(
            name=name,
            state="RollingOut",
            image=ImageStatus(reference=image),
            ports=tuple(ports),
            unit=unit,
            restarts=restarts,
        )
        for name in names
    )
    found = Status(
        version="1", user="u", started=AT, passes=PassStatus(count=1), workloads=workloads
    )
    lines = text.table(found, now).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("NAME"))
    rows = lines[start : start + len(names) + 1]
    assert all(len(row) <= words.WIDTH for row in rows)
    assert all("RollingOut" in row for row in rows[1:])


@given(st.text(), st.integers(0, 20))
def test_a_sentence_can_do_nothing_to_a_terminal(sentence: str, indent: int) -> None:
    assert all(line.isprintable() for line in words.sentence(sentence, indent, 2))


def test_a_cut_image_keeps_its_end() -> None:
    heads = (words.Column("A"), words.Column("IMAGE", 10, end=True))
    (_, row) = words.columns(heads, [("x", "registry.example.org/team/shop:1.2")], 14)
    assert row == "x  …/shop:1.2"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0.4, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61, "1m1s"),
        (3 * 3600 + 12 * 60 + 5, "3h12m"),
        (86400 + 59, "1d"),
        (50 * 86400, "50d"),
        (400 * 86400, "1y35d"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert words.duration(seconds) == shown


def test_what_is_shared_is_in_a_table_of_its_own_with_what_is_wrong_with_it() -> None:
    shared = SharedStatus(name="shop", state="Ready", used_by=("web", "db"))
    wrong = SharedStatus(name="backup", state="Differs", message="cannot change it (do this)")
    shown = text.table(
        status({}).model_copy(update={"networks": (shared,), "volumes": (wrong,)}), AT
    )
    assert line_of(shown, "shop ").split() == ["shop", "network", "Ready", "web,", "db"]
    assert line_of(shown, "backup  ").split()[1:] == ["volume", "Differs", "-"]
    assert "backup (Differs):\n  cannot change it (do this)" in shown
    assert "shop (" not in shown
