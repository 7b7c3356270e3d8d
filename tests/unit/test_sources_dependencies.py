"""What files say of each other: circles are refused, what never comes about is told."""

from pathlib import Path

from workloadd.core.desired import Desired
from workloadd.sources.directories import Directories

IMAGE = "image: localhost/app:1\n"


def load(directory: Path, **files: str) -> Desired:
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text)
    return Directories([directory], home=directory).load()


def test_a_circle_is_shown_where_each_file_names_the_next(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        a=f"{IMAGE}depends_on:\n  x: {{condition: healthy}}\n  b: {{condition: healthy}}\n",
        b=f"{IMAGE}depends_on: [x, c]\n",
        c=f"{IMAGE}depends_on: [a]\n",
        outside=f"{IMAGE}depends_on: [a]\n",
        x=IMAGE,
    ).workloads
    places = {n: [(e.line, e.column, e.reason) for e in one.errors] for n, one in found.items()}
    assert places == {
        "a": [(4, 3, "DependencyCycle")],
        "b": [(2, 17, "DependencyCycle")],
        "c": [(2, 14, "DependencyCycle")],
        "outside": [],
        "x": [],
    }
    assert "it waits for itself: a → b → c → a" in str(found["a"].errors[0])


def test_itself(tmp_path: Path) -> None:
    (error,) = load(tmp_path, a=f"{IMAGE}depends_on: [a]\n").workloads["a"].errors
    assert "it waits for itself (leave its own name out)" in str(error)


def test_one_that_is_disabled_is_in_no_circle(tmp_path: Path) -> None:
    off = f"{IMAGE}enabled: false\ndepends_on: [a]\n"
    found = load(tmp_path, a=f"{IMAGE}depends_on: [b]\n", b=off).workloads
    assert not found["a"].errors and not found["b"].errors


def test_what_is_never_completed(tmp_path: Path) -> None:
    needs = ", ".join(f"{name}: {{condition: completed}}" for name in ("db", "job", "once", "none"))
    found = load(
        tmp_path,
        app=f"{IMAGE}depends_on: {{{needs}}}\n",
        db=IMAGE,
        job=f"kind: job\n{IMAGE}",
        once=f"{IMAGE}restart: no\n",
    ).workloads["app"]
    (warning,) = found.warnings
    assert (warning.line, warning.column, warning.reason) == (2, 14, "NeverCompleted")
    assert "db is started again whenever it ends" in warning.message
    assert found.spec
