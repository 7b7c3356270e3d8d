"""`workloadctl explain` and `schema`: what a writer of workload files asks for."""

import json

import pytest
import yaml
from click.testing import CliRunner, Result

from workloadd.cli.main import main
from workloadd.spec.introspect import kinds
from workloadd.spec.schema import workload_schema

FIELDS = sorted({field.dotted for kind in kinds() for field in kind.walk()})


def run(*arguments: str, color: bool = False) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments], color=color)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_explained(field: str) -> None:
    done = run(field)
    assert done.exit_code == 0
    assert f"{field.rpartition('.')[2]}: " in done.output


def test_a_field_has_all_that_is_to_be_known() -> None:
    lines = run("stop_timeout").output.splitlines()
    assert lines[0] == "stop_timeout: a duration"
    assert "  default  10s" in lines
    assert any(line.startswith("  in       service, ") for line in lines)
    assert "    stop_timeout: 30s" in lines
    assert "  required yes" in run("image").output.splitlines()


def test_a_key_within_a_field() -> None:
    output = run("volumes.create").output
    assert output.startswith("volumes.create: true or false\n")
    assert "  with     type: bind\n" in output


def test_one_key_of_several_mappings_is_explained_for_each() -> None:
    first, second, *_ = run("volumes.source").output.split("\n\nvolumes.source")
    assert "type: bind" in first
    assert "type: volume" in second
    assert "with " not in run("volumes.target").output


def test_a_container_of_a_pod_may_have_any_name() -> None:
    assert run("containers.sidecar.init").output == run("containers.NAME.init").output
    assert run("init").output == run("containers.NAME.init").output
    assert run("containers.NAME.command").output == run("command").output


def test_a_key_of_quadlet_is_explained_as_what_says_it_here() -> None:
    output = run("PublishPort").output
    assert output.startswith("PublishPort of Quadlet's [Container], [Pod], [Kube] is said by\n")
    assert "\nports: a list of text or mappings\n" in output
    assert "  Quadlet  PublishPort\n" in run("ports").output
    assert "containers.NAME.stop_timeout: " not in run("StopTimeout").output
    pod, container = (one["sections"] for one in json.loads(run("--json", "Volume").output))
    assert (pod, container) == (["Container"], ["Pod"])


def test_a_key_of_quadlet_that_has_no_place_says_why() -> None:
    output = " ".join(run("PodmanArgs").output.split())
    assert output.count("there is no field for it: arguments of the command line") == 1
    (document,) = json.loads(run("--json", "ContainerName").output)
    assert document["reason"] and not document["fields"]


def test_the_same_word_in_two_sections() -> None:
    driver = run("Driver").output
    assert "[Volume] is said by" in driver
    assert "[Network] is said by" in driver
    assert "  in       volume\n" in driver


def test_all_fields_of_a_kind() -> None:
    output = run("network").output
    assert "network options: network\n" in output
    assert "reclaim" in output
    assert "image" not in {line.split()[0] for line in output.splitlines() if line}
    assert [group["group"] for group in json.loads(run("--json", "network").output)]


@pytest.mark.parametrize(
    ("begun", "proposed", "not_proposed"),
    [("po", "ports", "ports.target"), ("ports.t", "ports.target", "ports"), ("", "image", "a")],
)
def test_the_shell_is_told_what_may_follow(begun: str, proposed: str, not_proposed: str) -> None:
    environment = {"_WORKLOADCTL_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    words = {"COMP_WORDS": f"workloadctl explain {begun}".strip()}
    done = CliRunner().invoke(main, prog_name="workloadctl", env=environment | words)
    found = {line.rpartition(",")[2] for line in done.output.splitlines()}
    assert proposed in found
    assert not_proposed not in found


def test_the_kind_is_explained_once() -> None:
    output = run("kind").output
    assert output.startswith("kind: service, ")
    assert output.count("kind: network") == 1
    assert run().output.count("\n  kind ") == 1


def test_the_first_sentence_is_shown_whole() -> None:
    assert "; . alone is none" in run().output


def test_without_a_field_all_are_listed_in_groups() -> None:
    output = run().output
    assert "security: service, " in output
    named = {line.split()[0] for line in output.splitlines() if line.startswith("  ")}
    assert {"image", "ports", "containers", "init", "kind", "enabled"} <= named


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("prots", "did you mean ports?"),
        ("mem_limit", "write resources: {memory: …}"),
        ("volumes.src", "write source"),
        ("volumes.creat", "did you mean create?"),
        ("resources.mem_limit", "write memory"),
        ("", ""),
        ("\x1b[31mred", ""),
    ],
)
def test_what_is_not_there(asked: str, hint: str) -> None:
    done = run(asked)
    assert done.exit_code == 1
    assert "there is no such field" in done.output
    assert hint in done.output
    assert "\x1b" not in done.output


def test_json() -> None:
    (document,) = json.loads(run("--json", "stop_timeout").output)
    assert (document["field"], document["form"]) == ("stop_timeout", "a duration")
    assert document["default"] == "10s"
    assert "service" in document["places"]
    groups = json.loads(run("--json").output)
    assert {field["field"] for group in groups for field in group["fields"]} >= {"image", "ports"}


def test_colour_is_for_terminals() -> None:
    assert "\x1b[" not in run("ports").output
    assert "\x1b[" in run("ports", color=True).output


def test_the_schema_is_printed() -> None:
    done = CliRunner().invoke(main, ["schema"])
    assert json.loads(done.output) == workload_schema()


def test_as_yaml() -> None:
    for words in ([], ["ports"], ["network"], ["Volume"]):
        assert yaml.safe_load(run(*words, "-o", "yaml").output) == json.loads(
            run(*words, "--json").output
        )
