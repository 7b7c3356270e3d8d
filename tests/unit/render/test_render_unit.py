"""The unit of a deployment, and the commit record read back from it."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.observed import UnitRecord
from workloadd.core.revision import UnitParams
from workloadd.render.record import parse_record
from workloadd.render.unit import render_units
from workloadd.spec.names import INFRA_CONTAINER, MAIN_CONTAINER

ID = "07152740bf0a9c66bee3a85376974735ed7368f964c757357d5863427bc33fe8"
MAIN = ((MAIN_CONTAINER, ID),)
RECORD = UnitRecord("web", "feb4cc107ea4" * 5, MAIN, (), "/etc/workloadd/workloads.d/web.yaml")


def lines(record: UnitRecord = RECORD, **params: object) -> list[str]:
    return text(record, UnitParams(**params)).splitlines()  # type: ignore[arg-type]


def text(record: UnitRecord, params: UnitParams | None = None) -> str:
    """The workload's own unit."""
    own = params or UnitParams()
    found = render_units(record, {part: own for part, _ in record.containers})
    return found[f"workload-{record.workload}.service"]


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
paths = st.from_regex(r"/[a-zA-Z0-9 ._=/-]{1,60}", fullmatch=True).filter(lambda p: p == p.strip())
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
records = st.builds(
    UnitRecord,
    workload=names,
    revision=digests,
    containers=digests.map(lambda d: ((MAIN_CONTAINER, d),)),
    previous=st.one_of(st.just(()), digests.map(lambda d: ((MAIN_CONTAINER, d),))),
    description=st.from_regex(r"[A-Za-z%= ]{0,40}", fullmatch=True),
    source=paths,
    reclaim=st.lists(names, max_size=3).map(lambda n: tuple(f"web_{x}" for x in n)),
    disabled=st.booleans(),
)


@given(records)
def test_the_record_is_read_back_as_written(record: UnitRecord) -> None:
    assert parse_record(text(record)) == record


@given(records, st.data())
def test_an_edited_header_is_not_ours(record: UnitRecord, data: st.DataObject) -> None:
    written = text(record)
    key = data.draw(st.sampled_from(["Workload", "Revision", "Containers", "Source", "Checksum"]))
    edited = written.replace(f"{key}=", f"{key}=x", 1)
    assert parse_record(edited) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_crash(anything: str) -> None:
    assert parse_record(anything) is None


def test_what_another_version_wrote_is_ours_too() -> None:
    older = [
        "Workload=web",
        f"Revision={RECORD.revision}",
        f"Containers={MAIN_CONTAINER}:{ID}",
    ]
    for fields in (older, [*older, "Later=something"]):
        checksum = hashlib.sha256("\n".join(fields).encode()).hexdigest()
        written = "\n".join(["[X-Workloadd]", *fields, f"Checksum={checksum}", "[Unit]"])
        assert parse_record(written) == UnitRecord("web", RECORD.revision, MAIN)


def test_an_edited_body_is_still_ours() -> None:
    edited = text(RECORD).replace("Restart=always", "Restart=no")
    assert parse_record(edited) == RECORD


def test_it_starts_the_container_by_its_full_id() -> None:
    assert f"ExecStart=/usr/bin/podman start {ID}" in lines()


def test_it_stops_whatever_of_the_workload_runs() -> None:
    stop = "/usr/bin/podman stop --filter label=io.workloadd.workload=web"
    assert f"ExecStop={stop}" in lines()


def test_a_start_is_podman_s_own_but_for_what_has_to_end_first() -> None:
    assert "TimeoutStartSec=90" in lines()
    assert "TimeoutStartSec=infinity" in lines(role="init")


@pytest.mark.parametrize(("timeout", "seconds"), [(0.0, 0), (0.5, 1), (10.0, 10), (10.2, 11)])
def test_the_stop_timeout_is_rounded_up(timeout: float, seconds: int) -> None:
    assert f"TimeoutStopSec={seconds + 20}" in lines(stop_timeout=timeout)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"restart": "always"}, ["Restart=always", "StartLimitIntervalSec=0"]),
        ({"restart": "no"}, ["Restart=no", "StartLimitIntervalSec=0"]),
        (
            {"restart": "on-failure", "max_retries": 3},
            ["Restart=on-failure", "StartLimitIntervalSec=infinity", "StartLimitBurst=4"],
        ),
    ],
)
def test_restart_policies(params: dict[str, object], expected: list[str]) -> None:
    assert set(expected) <= set(lines(**params))


def test_specifiers_in_a_description_are_taken_literally() -> None:
    assert "Description=100 %% of %%h" in lines(replace(RECORD, description="100 % of %h"))


def test_a_description_cannot_join_the_next_line() -> None:
    assert "Description=over" in lines(replace(RECORD, description="over\\"))


IDS = tuple((part, ID[:60] + f"{n:04}") for n, part in enumerate((INFRA_CONTAINER, "wait", "app")))
POD = replace(RECORD, containers=IDS, description="The shop")
ROLES = {
    INFRA_CONTAINER: UnitParams(role="infra"),
    "wait": UnitParams(role="init", restart="on-failure"),
    "app": UnitParams(role="member"),
}


def test_a_pod_has_a_unit_for_each_container_and_one_for_itself() -> None:
    units = {name: unit.splitlines() for name, unit in render_units(POD, ROLES).items()}
    own, wait, app = (units[f"workload-web{part}.service"] for part in ("", "_wait", "_app"))
    assert "Type=forking" in own and "PIDFile=%t/workload-web.pid" in own
    assert "Wants=workload-web_wait.service" in own and "Wants=workload-web_app.service" in own
    assert parse_record("\n".join(own)) == POD
    for member in (wait, app):
        assert "BindsTo=workload-web.service" in member
        assert not any(line.startswith("[X-") or line == "[Install]" for line in member)
    assert "Description=The shop: app" in app


def test_what_has_to_run_to_its_end_comes_before_the_others() -> None:
    units = {name: unit.splitlines() for name, unit in render_units(POD, ROLES).items()}
    wait, app = units["workload-web_wait.service"], units["workload-web_app.service"]
    assert "Type=oneshot" in wait and "RestartMode=direct" in wait
    assert any(line.startswith("ExecStart=/usr/bin/podman start --attach ") for line in wait)
    assert "After=workload-web.service workload-web_wait.service" in app
    assert "Requires=workload-web_wait.service" in app
    assert "After=workload-web.service" in wait


def test_a_member_stops_only_what_is_its_own() -> None:
    stop = "ExecStop=/usr/bin/podman stop --filter label=io.workloadd.workload=web"
    units = render_units(POD, ROLES)
    own = f"{stop} --filter label=io.workloadd.container=app"
    assert own in units["workload-web_app.service"].splitlines()
    assert stop in units["workload-web.service"].splitlines()


OTHER = "5" * 64


def test_what_is_kept_of_before_is_in_the_record() -> None:
    pod = ((INFRA_CONTAINER, OTHER), ("app", ID))
    record = replace(RECORD, older=(((MAIN_CONTAINER, OTHER),), pod))
    text = render_units(record, {MAIN_CONTAINER: UnitParams()})["workload-web.service"]
    assert parse_record(text) == record
    assert f"Older={MAIN_CONTAINER}:{OTHER} / {INFRA_CONTAINER}:{OTHER} app:{ID}" in text
    text = render_units(RECORD, {MAIN_CONTAINER: UnitParams()})["workload-web.service"]
    assert "Older=" not in text


SLOTTED = replace(RECORD, containers=(("_a", ID),))


def test_in_a_slot_the_workloads_own_unit_stands_for_it() -> None:
    params = UnitParams(sockets=("::8080",))
    units = render_units(SLOTTED, {"_a": params})
    assert set(units) == {
        "workload-web.service",
        "workload-web_a.service",
        "workload-web.socket",
    }
    whole, slot = units["workload-web.service"], units["workload-web_a.service"].splitlines()
    assert parse_record(whole) == SLOTTED
    assert "Wants=workload-web_a.service" in whole.splitlines()
    assert {"RemainAfterExit=yes", "ExecStart=/usr/bin/true"} <= set(whole.splitlines())
    assert "BindsTo=workload-web.service" in slot
    assert "Sockets=workload-web.socket" in slot
    assert f"ExecStop=/usr/bin/podman stop {ID}" in slot
    assert "Service=workload-web.service" in units["workload-web.socket"].splitlines()


def test_what_is_on_trial_has_the_other_slot() -> None:
    record = replace(SLOTTED, trial=(("_b", OTHER),))
    units = render_units(record, {"_a": UnitParams(), "_b": UnitParams(stop_timeout=7)})
    whole = units["workload-web.service"]
    assert parse_record(whole) == record
    for slot in "ab":
        assert f"Wants=workload-web_{slot}.service" in whole.splitlines()
    assert f"ExecStart=/usr/bin/podman start {OTHER}" in units["workload-web_b.service"]
    assert "TimeoutStopSec=27" in units["workload-web_b.service"].splitlines()
