"""What the documents say is done on the host as they say it, and comes out as they show it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import DOCS, ROOT, blocks, pages
from tests.host.host import Host
from tests.host.machine import remove
from tests.host.reader import Reader, clear, prepare

# What a document may leave behind, below the host's root.
PLACES = (
    "etc/workloadd",
    "usr/lib/workloadd",
    "etc/shop",
    "etc/zincati",
    "etc/tmpfiles.d",
    "srv",
    "home/core",
)
READ = [page for page in pages() if page.is_relative_to(DOCS) and any(map(bool, blocks(page)))]


@pytest.fixture(scope="module")
def place(the_host: Host) -> Iterator[Host]:
    """The host, with somebody who reads documents."""
    prepare(the_host)
    yield the_host
    clear(the_host)


@pytest.fixture
def reader(place: Host) -> Iterator[Reader]:
    """Who reads a document; what they leave is taken away."""
    files, groups = _files(place), _groups(place)
    reader = Reader(place)
    yield reader
    try:
        reader.close()
    finally:
        _tidy(place, _files(place) - files, _groups(place) - groups)


def _tidy(place: Host, left: set[Path], groups: set[str]) -> None:
    for path in sorted(left, reverse=True):
        remove(path)
    if any(path.suffix == ".toml" and "workloadd" in path.parts for path in left):
        place.systemctl("restart", "workloadd.service")
    # A group's socket is in a place of the administrator's own, which is no file of a disk.
    place.root("rm", "-rf", "/run/workloadd/users")
    for group in groups:
        place.root("groupdel", group)
    place.wait_until(lambda: not place.api("/v1/workloads")["workloads"], "all to be gone")
    place.podman("volume", "rm", "--all", "--force")


def _groups(host: Host) -> set[str]:
    lines = (host.disk / "etc/group").read_text().splitlines()
    return {line.partition(":")[0] for line in lines}


def _files(host: Host) -> set[Path]:
    found = (path for place in PLACES for path in (host.disk / place).rglob("*"))
    return set(found)


@pytest.mark.parametrize("page", READ, ids=lambda page: str(page.relative_to(DOCS)))
def test_a_document(reader: Reader, page: Path) -> None:
    for block in blocks(page):
        reader.follow(block)


def test_the_readme(reader: Reader, tmp_path: Path) -> None:
    reader.desk = tmp_path
    for block in blocks(ROOT / "README.md"):
        reader.follow(block)
