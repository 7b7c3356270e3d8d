"""`workloadctl validate`: what it finds, how it shows it, what it never shows."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
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


def test_root_checks_files_for_the_user_of_the_workloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = SimpleNamespace(pw_name="workloads", pw_uid=4711, pw_dir=str(tmp_path / "theirs"))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("pwd.getpwnam", {"workloads": entry}.__getitem__)
    monkeypatch.setattr("pwd.getpwuid", {4711: entry}.__getitem__)
    write("theirs/web.env", "KEY=value\n")
    write("web.yaml", GOOD + "env_file: ~/web.env\n")
    assert run("web.yaml").output == "1 file, 0 errors\n"


def test_findings_are_shown_file_by_file() -> None:
    write("a.yaml", "image: docker.io/library/nginx\n")
    write("b.yaml", BAD)
    lines = [line for line in run("a.yaml", "b.yaml").output.splitlines() if ".yaml:" in line]
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == ["warning", "error"]


def test_a_command_that_is_not_there() -> None:
    done = CliRunner().invoke(main, ["valdate"])
    assert done.exit_code == 2
    assert "No such command 'valdate': did you mean validate?" in done.output


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


def test_several_documents_and_instances() -> None:
    write(
        "shop.yaml",
        f"name: web\n{GOOD}---\nname: db\nimage: i.example/a:1\ninstances: {{a: , b: }}\n",
    )
    assert run("shop.yaml").output == "1 file with 3 workloads, 0 errors\n"
    write("shop.yaml", f"name: web\n{GOOD}---\nname: db\n{BAD}instances: {{a: , b: }}\n")
    done = run("shop.yaml")
    assert "shop.yaml:7:9: error: cannot accept ports[0] of the instance a: " in done.output
    assert done.output.endswith("1 file with 3 workloads, 2 errors\n")
    document = json.loads(run("--json", "shop.yaml").output)
    assert [one["workload"] for one in document["files"]] == ["web", "db-a", "db-b"]


def test_drop_ins_beside_a_file_are_part_of_it() -> None:
    write("d/web.yaml", GOOD)
    write("d/web.yaml.d/10-more.yaml", "# more\nuser: [x]\n")
    for path in ("d", "d/web.yaml", "d/web.yaml.d", "d/web.yaml.d/10-more.yaml"):
        done = run(path)
        assert done.exit_code == 1
        assert "d/web.yaml.d/10-more.yaml:2:7: error: cannot accept user: " in done.output
        assert "    user: [x]\n          ^\n" in done.output
        assert done.output.endswith("1 file, 1 error\n")


def test_a_drop_in_cannot_be_checked_without_its_file() -> None:
    write("d/web.yaml.d/10-more.yaml", "user: x\n")
    done = run("d/web.yaml.d/10-more.yaml")
    assert done.exit_code == 1
    assert "it is for web.yaml, which is not in d" in done.output
    stray = run("d")
    assert stray.exit_code == 0
    assert "warning: d/web.yaml.d is without effect: there is no web.yaml for it" in stray.output
    assert run("--strict", "d").exit_code == 1


def test_variables_of_the_host_that_a_file_is_for() -> None:
    write("web.yaml", "image: i.example/a:${TAG}\nhostname: ${HOST_NAME}\n")
    undefined = run("web.yaml")
    assert undefined.exit_code == 1
    assert "web.yaml:1:20: error: cannot accept image: the variable TAG is not" in undefined.output
    assert "/etc/workloadd/facts.d" in undefined.output
    write("site.env", "TAG=1\n")
    assert run("--facts", "site.env", "web.yaml").exit_code == 0
    assert run("--set", "TAG=1", "web.yaml").exit_code == 0
    done = run("--facts", "site.env", "--set", "TAG=-", "--set", "HOST_NAME=-", "web.yaml")
    assert "TAG is from --set" in done.output
    assert "HOST_NAME is from --set" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "TAG"), "write NAME=VALUE"),
        (("--set", "A B=C"), "write NAME=VALUE"),
        (("--facts", "bad.env"), "bad.env:2: there is no = in this line"),
        (("--facts", "."), "it is a directory, not a file"),
    ],
)
def test_variables_that_cannot_be(arguments: tuple[str, ...], said: str) -> None:
    write("web.yaml", GOOD)
    write("bad.env", "A=hunter2\nhunter2\n")
    done = run(*arguments, "web.yaml")
    assert done.exit_code in (1, 2)
    assert said in done.output
    assert "hunter2" not in done.output


def test_a_file_for_other_hosts_is_no_error() -> None:
    write("web.yaml", GOOD + "when: {SITE: paris}\n")
    done = run("--set", "SITE=berlin", "web.yaml")
    assert done.exit_code == 0
    assert 'web.yaml: web is not for this host: SITE is "berlin", not paris\n' in done.output
    assert "not for this host" not in run("--set", "SITE=paris", "web.yaml").output


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


def test_yaml_says_what_json_says() -> None:
    write("web.yaml", BAD)
    done = run("-o", "yaml", "web.yaml")
    assert done.exit_code == 1
    assert yaml.safe_load(done.output) == json.loads(run("-o", "json", "web.yaml").output)
    assert run("--json", "web.yaml").output == run("-o", "json", "web.yaml").output


@pytest.mark.parametrize(
    "text",
    [
        f"containers: #{{a: {{image: b, environment: {{A: {SECRET}}}, user: []}}}}\n",
        f'ima[: a\n---\nname: b\nlabels: &[  A:" {SECRET}\nenvironment: *l\nuser: []\n',
    ],
    ids=["written off", "meant for another place"],
)
def test_a_value_that_a_slip_has_put_elsewhere_is_not_shown(text: str) -> None:
    result = load_workload("web", text.encode(), "web.yaml")
    source = Source.of(text.encode())
    assert result.errors
    for error in (*result.errors, *result.warnings):
        assert SECRET not in "\n".join(source.excerpt(error))
