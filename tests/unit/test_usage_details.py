"""What is looked up of one workload, in a directory like the kernel's."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloadd.core.usage import Process, Target
from workloadd.core.usage_details import Details, together
from workloadd.host.usage_details import details

UNIT = "workload-web.service"
UNIT_FILES = {
    "cpu.stat": "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=3 wios=4 dbytes=0 dios=9\n8:16 rios=2 wios=0\n",
    "cpu.pressure": "some avg10=48.25 avg60=19.25 avg300=4.81 total=1\nfull avg10=1.00 avg60=0\n",
    "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "io.pressure": "some avg10=100.00 avg60=0.00 avg300=0.00 total=0\n",
}
CONTAINER_FILES = {
    "cpu.stat": "usage_usec 2\nuser_usec 1\nsystem_usec 1\nthrottled_usec 500000\n",
    "memory.peak": "8192\n",
    "memory.stat": "anon 4096\nfile 1024\nkernel 5\n",
}
TARGET = Target((UNIT,), (Process(UNIT, "c1", 7),))


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    unit = tmp_path / "workloads.slice" / UNIT
    payload = unit / "libpod-payload-c1"
    payload.mkdir(parents=True)
    for directory, files in ((unit, UNIT_FILES), (payload, CONTAINER_FILES)):
        for name, text in files.items():
            (directory / name).write_text(text)
    return unit


def test_all_of_it(unit: Path, tmp_path: Path) -> None:
    assert details(TARGET, tmp_path) == Details(
        user=2.0, system=1.0, throttled=0.5, peak=8192, anon=4096, file=1024,
        reads=5, writes=4, pressure_cpu=0.4825, pressure_memory=0.0, pressure_io=1.0,
    )  # fmt: skip


def test_what_is_not_there_is_not_known(unit: Path, tmp_path: Path) -> None:
    for file in (*unit.glob("*.*"), *unit.glob("*/*")):
        if file.is_file() and file.name != "cpu.stat":
            file.unlink()
    (unit / "libpod-payload-c1/cpu.stat").write_text("usage_usec 2\n")
    assert details(TARGET, tmp_path) == Details(user=2.0, system=1.0)
    assert details(TARGET, tmp_path / "nowhere") == Details()


@pytest.mark.parametrize("text", ["", "some", "some avg10=x avg60=0\n", "full avg10=1.00 \n"])
def test_pressure_that_is_no_number(unit: Path, tmp_path: Path, text: str) -> None:
    (unit / "cpu.pressure").write_text(text)
    assert details(TARGET, tmp_path).pressure_cpu is None


values = st.one_of(st.none(), st.integers(0, 1 << 50))


@given(st.lists(st.tuples(values, values), max_size=5))
def test_together_they_are_sums_and_the_most(found: list[tuple[int | None, int | None]]) -> None:
    total = together(Details(reads=reads, pressure_cpu=most) for reads, most in found)
    known = [reads for reads, _ in found if reads is not None]
    assert total.reads == (sum(known) if known else None)
    assert total.pressure_cpu == max((m for _, m in found if m is not None), default=None)
    others = [f.name for f in fields(Details) if f.name not in ("reads", "pressure_cpu")]
    assert all(getattr(total, name) is None for name in others)
