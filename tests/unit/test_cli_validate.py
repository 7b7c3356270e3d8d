"""`workloadctl validate`: what it finds, how it shows it, what it never shows."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from workloadd.cli.excerpt import Source
from workloadd.cli.main import main
from workloadd.spec.errors import SpecError
from workloadd.spec.load import load_workload

GOOD = 'image: docker.io/library/nginx:1.27\nports: ["8080:80"]\n'
BAD = 'image: docker.io/library/nginx:1.27\nports: ["80a:80"]\n'


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, color: bool = False) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments], color=color)


def write(name: str, text: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def test_a_good_file() -> None:
    write("web.yaml", GOOD)
    done = run("web.yaml")
    assert (done.exit_code, done.output) == (0, "1 file, 0 errors\n")


def test_an_error_has_its_place_its_line_a_caret_and_a_hint() -> None:
    write("web.yaml", BAD)
    done = run("web.yaml")
    assert done.exit_code == 1
    first, source, caret, hint, summary = done.output.splitlines()
    assert first.startswith("web.yaml:2:9: error: cannot accept ports[0]: ")
    assert source == '    ports: ["80a:80"]'
    assert caret == "    " + " " * 8 + "^"
    assert hint.startswith("    hint: write for example ")
    assert summary == "1 file, 1 error"


def test_a_directory_is_read_as_the_daemon_reads_it() -> None:
    write("d/web.yaml", GOOD)
    write("d/db.yml", BAD)
    write("d/.hidden.yaml", BAD)
    write("d/web.yaml~", BAD)
    write("d/notes.txt", BAD)
    Path("d/masked.yaml").symlink_to("/dev/null")
    done = run("d")
    assert done.exit_code == 1
    assert done.output.endswith("2 files, 1 error\n")


def test_files_of_one_directory_must_not_want_the_same_port() -> None:
    write("a/one.yaml", GOOD)
    write("a/two.yaml", GOOD)
    write("b/two.yaml", GOOD)
    together, apart = run("a/one.yaml", "a/two.yaml"), run("a/one.yaml", "b/two.yaml")
    assert together.exit_code == 1
    assert "a/two.yaml:2:9: error: " in together.output
    assert "is taken by one (a/one.yaml:2:9)" in together.output
    assert apart.exit_code == 0
    assert run("a").exit_code == 1


def test_paths_in_a_file_lead_from_its_own_directory() -> None:
    write("a/one.yaml", GOOD + "env_file: one.env\n")
    missing = run("a/one.yaml")
    assert missing.exit_code == 0
    assert "a/one.yaml: warning: cannot read a/one.env: " in missing.output
    write("a/one.env", "KEY=value\n")
    assert run("a/one.yaml").output == "1 file, 0 errors\n"


def test_warnings_fail_only_where_that_is_asked_for() -> None:
    write("web.yaml", "image: docker.io/library/nginx\n")
    relaxed, strict = run("web.yaml"), run("--strict", "web.yaml")
    assert "warning" in relaxed.output
    assert (relaxed.exit_code, strict.exit_code) == (0, 1)


def test_a_file_that_the_daemon_would_not_read_is_an_error() -> None:
    write("web.yaml.new", GOOD)
    done = run("web.yaml.new")
    assert done.exit_code == 1
    assert "NAME.yaml or NAME.yml" in done.output


def test_standard_input_is_checked_as_a_file_of_this_directory() -> None:
    done = CliRunner().invoke(main, ["validate", "-"], input=BAD)
    assert done.exit_code == 1
    assert done.output.startswith("stdin.yaml:2:9: error: ")
    assert '    ports: ["80a:80"]\n' in done.output
    write("one.env", "KEY=value\n")
    done = CliRunner().invoke(main, ["validate", "-"], input=GOOD + "env_file: one.env\n")
    assert (done.exit_code, done.output) == (0, "1 file, 0 errors\n")


def test_a_directory_without_workload_files() -> None:
    done = run(".")
    assert done.exit_code == 0
    assert "no workload file is there" in done.output


def test_a_missing_file_is_a_wrong_call() -> None:
    done = run("nothing.yaml")
    assert done.exit_code == 2
    assert "'nothing.yaml' does not exist" in done.output


def test_a_file_that_cannot_be_read_is_an_error_of_that_file() -> None:
    Path("dir.yaml").mkdir()
    write("web.yaml", GOOD)
    Path("loop.yaml").symlink_to("loop.yaml")
    done = run(".")
    assert done.exit_code == 1
    assert "web.yaml:" not in done.output


def test_json() -> None:
    write("web.yaml", BAD)
    write("db.yaml", GOOD)
    document = json.loads(run("--json", "web.yaml", "db.yaml").output)
    by_file = {one["file"]: one for one in document["files"]}
    assert document["valid"] is False
    assert by_file["db.yaml"]["errors"] == []
    (error,) = by_file["web.yaml"]["errors"]
    assert (error["line"], error["column"], error["reason"]) == (2, 9, "BadPort")


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    write("web.yaml", BAD)
    assert "\x1b[" not in run("web.yaml").output
    assert "\x1b[" in run("web.yaml", color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("web.yaml", color=True).output


def test_a_misspelt_key_is_shown_without_its_value() -> None:
    write("web.yaml", "image: docker.io/library/nginx:1\nenviron: {PASSWORD: hunter2}\n")
    done = run("web.yaml")
    assert "    environ\n    ^\n" in done.output
    assert "hunter2" not in done.output


def test_a_tab_does_not_move_the_caret() -> None:
    error = SpecError("f", 2, 4, "R", "m")
    source, caret = Source.of(b"ports:\n\t- 80a\n").excerpt(error)
    assert source == "    - 80a"
    assert caret.index("^") == source.index("8")


POD = """\
containers:
  web:
    image: docker.io/library/nginx:1.27
    environment:
      KEY: value
    ports: [80]
  cache:
    image: Redis
    imag: docker.io/library/redis:7
"""


@pytest.mark.parametrize(
    ("line", "column", "shown"),
    [(3, 12, True), (4, 5, False), (5, 7, False), (6, 5, True), (8, 12, True), (9, 5, False)],
)
def test_lines_of_a_pod(line: int, column: int, shown: bool) -> None:
    text = POD.splitlines()[line - 1]
    shown_lines = Source.of(POD.encode()).excerpt(SpecError("f", line, column, "R", "m"))
    found, caret = shown_lines or ("", "")
    key = text.partition(":")[0]
    assert found == (text if shown else "" if line == 5 else key)
    assert not found or caret.index("^") == column - 1


def test_a_wide_character_moves_the_caret_by_two() -> None:
    text = "description: 看板 x\n"
    source, caret = Source.of(text.encode()).excerpt(SpecError("f", 1, 17, "R", "m"))
    assert source == text.strip()
    assert caret == " " * 18 + "^"


def test_of_a_long_line_the_part_around_the_error_is_shown() -> None:
    text = f"command: {'x' * 200} here {'y' * 200}"
    column = text.index("here") + 1
    source, caret = Source.of(text.encode()).excerpt(SpecError("f", 1, column, "R", "m"))
    assert len(source) < 100
    assert (source[0], source[-1]) == ("…", "…")
    assert source[caret.index("^") :].startswith("here")


SECRET = "hunter2"
FILES = (
    f"image: i.example/a:1\nenvironment:\n  PASSWORD: {SECRET}\n  USER: {SECRET}\nports: [80]\n",
    f'image: i.example/a:1\nenvironment:\n  - "PASSWORD={SECRET}"\n  - USER={SECRET}\nuser: 1\n',
    f'image: i.example/a:1\nenvironment: {{PASSWORD: "{SECRET}", USER: {SECRET}}}\nports: [80]\n',
    f'{{image: i.example/a:1, environment: {{PASSWORD: "{SECRET}"}}, ports: [80]}}\n',
    f"environment:\n  A: |\n    one {SECRET}: x\n    {SECRET}\n  B: 'x\n    {SECRET}'\nimage: a\n",
    f"containers:\n  a:\n    image: b\n    environment:\n      A: {SECRET}\n    ports: [80]\n",
    f"containers: {{a: {{image: b, environment: {{A: {SECRET}}}, user: []}}, b: {{imag: 1}}}}\n",
    f"image: a\n---\nname: b\nlabels: &l\n  A: {SECRET}\nenvironment: *l\nuser: []\n",
    f"files:\n  /etc/web.conf:\n    content: {SECRET}\nimage: a\nports: 1\n",
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A file with secrets in its environment, and a few characters changed around them."""
    text = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        new = draw(st.sampled_from([*" \n\t:-{}[]\"'#&*!%@`|>,?", "", "environment"]))
        changed = text[:at] + new + text[at + draw(st.integers(0, 2)) :]
        # What cuts a secret in two leaves something else behind, which cannot be looked for.
        if changed.count(SECRET) == text.count(SECRET):
            text = changed
    return text


@given(damaged())
def test_no_excerpt_has_a_value_of_the_environment_in_it(text: str) -> None:
    result = load_workload("web", text.encode(), "web.yaml")
    source = Source.of(text.encode())
    for error in (*result.errors, *result.warnings):
        assert SECRET not in "\n".join(source.excerpt(error))
