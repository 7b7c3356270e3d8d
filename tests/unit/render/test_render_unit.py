"""The unit of a deployment, and the commit record read back from it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.observed import UnitRecord
from workloadd.core.revision import UnitParams
from workloadd.render.unit import parse_record, render_unit

ID = "07152740bf0a9c66bee3a85376974735ed7368f964c757357d5863427bc33fe8"
RECORD = UnitRecord("web", "feb4cc107ea4" * 5, ID, "", "/etc/workloadd/workloads.d/web.yaml")


def lines(record: UnitRecord = RECORD, **params: object) -> list[str]:
    return render_unit(record, UnitParams(**params)).splitlines()  # type: ignore[arg-type]


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
paths = st.from_regex(r"/[a-zA-Z0-9 ._=/-]{1,60}", fullmatch=True).filter(lambda p: p == p.strip())
digests = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
records = st.builds(
    UnitRecord,
    workload=names,
    revision=digests,
    container=digests,
    previous=st.one_of(st.just(""), digests),
    source=paths,
    reclaim=st.lists(names, max_size=3).map(lambda n: tuple(f"web_{x}" for x in n)),
    disabled=st.booleans(),
)


@given(records)
def test_the_record_is_read_back_as_written(record: UnitRecord) -> None:
    assert parse_record(render_unit(record, UnitParams())) == record


@given(records, st.data())
def test_an_edited_header_is_not_ours(record: UnitRecord, data: st.DataObject) -> None:
    text = render_unit(record, UnitParams())
    key = data.draw(st.sampled_from(["Workload", "Revision", "Container", "Source", "Checksum"]))
    edited = text.replace(f"{key}=", f"{key}=x", 1)
    assert parse_record(edited) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    assert parse_record(text) is None


def test_what_another_version_wrote_is_ours_too() -> None:
    older = [
        "Workload=web",
        f"Revision={RECORD.revision}",
        f"Container={ID}",
    ]
    for fields in (older, [*older, "Later=something"]):
        checksum = hashlib.sha256("\n".join(fields).encode()).hexdigest()
        text = "\n".join(["[X-Workloadd]", *fields, f"Checksum={checksum}", "[Unit]"])
        assert parse_record(text) == UnitRecord("web", RECORD.revision, ID)


def test_an_edited_body_is_still_ours() -> None:
    edited = render_unit(RECORD, UnitParams()).replace("Restart=always", "Restart=no")
    assert parse_record(edited) == RECORD


def test_it_starts_the_container_by_its_full_id() -> None:
    assert f"ExecStart=/usr/bin/podman start {ID}" in lines()


def test_it_stops_whatever_of_the_workload_runs() -> None:
    stop = "/usr/bin/podman stop --filter label=io.workloadd.workload=web"
    assert f"ExecStop={stop}" in lines()


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
    assert "Description=100 %% of %%h" in lines(description="100 % of %h")


def test_a_description_cannot_join_the_next_line() -> None:
    assert "Description=over" in lines(description="over\\")
