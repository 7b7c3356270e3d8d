"""Files that are more than one workload: documents, drop-ins, instances, and where they run."""

from __future__ import annotations

import pytest

from workloadd.spec.document import MAX_BYTES
from workloadd.spec.load import FileResult, LoadResult, load_file, read_part
from workloadd.spec.scope import Scope, Variable

A = "image: localhost/a:1\n"
ARM = Scope({"HOST_ARCH": Variable("arm64", "this host"), "SITE": Variable("berlin-2", "s.env")})


def load(base: str, *dropins: str, scope: Scope = ARM) -> FileResult:
    parts = [read_part(f"d/{n}.yaml", text.encode()) for n, text in enumerate(dropins, 1)]
    return load_file("web", read_part("web.yaml", base.encode()), parts, scope)


def names(result: FileResult) -> list[str]:
    return [name for name, _ in result.workloads]


def said(result: LoadResult) -> list[str]:
    return [str(error) for error in result.errors]


def only(result: FileResult) -> LoadResult:
    ((_, one),) = result.workloads
    return one


def test_a_file_of_one_document_is_called_as_it_says_or_as_the_file() -> None:
    assert names(load(A)) == ["web"]
    assert names(load(A + "name: site\n")) == ["site"]
    assert names(load(f"---\n{A}---\n# nothing\n")) == ["web"]


def test_one_bad_document_hurts_only_its_own_workload() -> None:
    result = load(f"name: a\n{A}---\nname: b\nimagee: x\n---\nname: c\n{A}")
    assert names(result) == ["a", "b", "c"]
    assert [one.spec is not None for _, one in result.workloads] == [True, False, True]
    assert said(result.workloads[1][1])[0].startswith("web.yaml:4:1: ")
    assert result.complete


def test_a_fault_in_one_document_is_none_in_the_next() -> None:
    result = load(f"name: a\nname: a\n{A}---\nname: b\n{A}")
    assert [one.spec is not None for _, one in result.workloads] == [False, True]


@pytest.mark.parametrize(
    ("document", "reason", "place"),
    [
        (A, "MissingField", (4, 1)),
        (f"name: Web\n{A}", "InvalidName", (4, 7)),
        (f"name: ../x\n{A}", "InvalidName", (4, 7)),
        (f"name: 5\n{A}", "WrongType", (4, 7)),
        (f"name: a${{SITE}}\n{A}", "InvalidName", (4, 7)),
        ("- a\n", "MissingField", (4, 1)),
    ],
)
def test_a_document_without_a_usable_name(
    document: str, reason: str, place: tuple[int, int]
) -> None:
    result = load(f"name: a\n{A}---\n{document}")
    assert names(result) == ["a", "web#2"]
    assert result.workloads[0][1].spec
    error = result.workloads[1][1].errors[0]
    assert (error.reason, (error.line, error.column)) == (reason, place)
    assert not result.complete


def test_what_cannot_be_read_at_all_leaves_the_names_unknown() -> None:
    result = load(f"name: a\n{A}---\nname: [b\n")
    assert names(result) == ["web"]
    assert not result.complete


def test_bounds_hold_for_the_whole_file() -> None:
    many = "---\na: b\n" * 65
    assert [e.reason for e in only(load(many)).errors] == ["TooLarge"]
    values = "---\n" + "\n".join(f"k{i}: [{'x, ' * 50}]" for i in range(50)) + "\n"
    assert [e.reason for e in only(load(values * 2)).errors] == ["TooLarge"]
    assert [e.reason for e in only(load("#" * (10 * MAX_BYTES))).errors] == ["TooLarge"]


def test_anchors_are_of_one_document() -> None:
    result = load(f"name: a\nhostname: &h a\n{A}---\nname: b\nhostname: *h\n{A}")
    assert [e.reason for e in only(result).errors] == ["BadAlias"]


def test_drop_ins_are_merged_in_their_order() -> None:
    base = A + "environment: {A: a, B: b, C: c}\nports: ['1:1', '2:2']\nhostname: h\n"
    first = "environment: {B: first, D: d}\nports: ['3:3']\n"
    second = "environment: {B: second, C: null, E: null}\nhostname: null\n"
    result = only(load(base, first, "# nothing\n", second))
    assert result.spec
    assert dict(result.spec.environment) == {"A": "a", "B": "second", "D": "d"}
    assert [str(port) for port in result.spec.ports] == ["3:3"]
    assert result.spec.hostname is None
    assert result.files == ("web.yaml", "d/1.yaml", "d/3.yaml")


def test_an_error_is_where_it_was_written() -> None:
    base = A + "resources:\n  cpus: 1\n  memory: 1\nports: [x]\n"
    result = only(load(base, "resources:\n  cpus: many\n", "ulimit: 1\n"))
    assert [(e.file, e.line, e.column) for e in result.errors] == [
        ("web.yaml", 4, 11), ("web.yaml", 5, 9), ("d/1.yaml", 2, 9), ("d/2.yaml", 1, 1),
    ]  # fmt: skip


def test_a_drop_in_names_one_of_several_documents() -> None:
    base = f"name: a\n{A}---\nname: b\n{A}"
    result = load(base, "name: b\nhostname: only-b\n---\nname: a\ndescription: only a\n")
    one, other = (result.workloads[i][1].spec for i in (0, 1))
    assert one and other
    assert (one.hostname, one.description) == (None, "only a")
    assert (other.hostname, other.description) == ("only-b", "")


@pytest.mark.parametrize(
    ("base", "dropin", "reason"),
    [
        (f"name: a\n{A}---\nname: b\n{A}", "hostname: x\n", "MissingField"),
        (f"name: a\n{A}---\nname: b\n{A}", "name: aa\nhostname: x\n", "NoSuchDocument"),
        (A, "name: other\n", "NoSuchDocument"),
        (A, "- a\n", "WrongType"),
        (A, "a: [\n", "YamlSyntax"),
        (A, "a: 1\na: 2\n", "DuplicateKey"),
        (A, "a: !x 2\n", "YamlTag"),
    ],
)
def test_a_drop_in_that_cannot_be_used_refuses_what_it_is_for(
    base: str, dropin: str, reason: str
) -> None:
    result = load(base, dropin)
    for _, one in result.workloads:
        assert one.spec is None
        assert reason in [e.reason for e in one.errors if e.file == "d/1.yaml"]
    assert result.complete


def test_merged_drop_ins_are_bounded() -> None:
    big = [
        "labels:\n" + "\n".join(f"  k{n}-{i}: {{{'a: b, ' * 0}}}" for i in range(250)) + "\n"
        for n in range(17)
    ]
    assert "TooLarge" in [e.reason for e in only(load(A, *big)).errors]


def test_instances_are_workloads_with_variables_of_their_own() -> None:
    text = A + (
        "description: ${INSTANCE} of ${WORKLOAD} at ${SITE}\nports: ['${PORT}:80']\n"
        "instances:\n  blue: {PORT: 8081}\n  green: {PORT: '80${N}', SITE: here}\n"
    )
    scope = Scope({**ARM.variables, "N": Variable("82")})
    result = load(text, scope=scope)
    assert names(result) == ["web-blue", "web-green"]
    blue, green = (one.spec for _, one in result.workloads)
    assert blue and green
    assert blue.description == "blue of web-blue at berlin-2"
    assert green.description == "green of web-green at here"
    assert [str(port) for port in (*blue.ports, *green.ports)] == ["8081:80", "8082:80"]
    assert result.used == {"SITE": scope.variables["SITE"], "N": scope.variables["N"]}


def test_instances_of_one_of_several_documents() -> None:
    result = load(f"name: a\ninstances: {{x: , y: {{}}}}\n{A}---\nname: b\n{A}")
    assert names(result) == ["a-x", "a-y", "b"]


def test_an_error_says_in_which_instance() -> None:
    text = A + "ports: ['${PORT}:80']\ninstances: {a: {PORT: 80}, b: {PORT: x}, c: {}}\n"
    result = load(text)
    good, bad, missing = (one for _, one in result.workloads)
    assert good.spec
    assert said(bad)[0].startswith("web.yaml:2:9: cannot accept ports[0] of the instance b: ")
    assert "PORT is from the instance b" in said(bad)[0]
    assert said(missing)[0].startswith(
        "web.yaml:2:10: cannot accept ports[0] of the instance c: the variable PORT is not defined"
    )


@pytest.mark.parametrize(
    ("instances", "reason", "place"),
    [
        ("[a]", "WrongType", (2, 12)),
        ("{}", "BadValue", (2, 12)),
        ("{A: {}}", "InvalidName", (2, 13)),
        ("{../x: {}}", "InvalidName", (2, 13)),
        ("{a: [1]}", "WrongType", (2, 16)),
        ("{a: {b-c: 1}}", "InvalidName", (2, 17)),
        ("{a: {INSTANCE: b}}", "ReservedVariable", (2, 17)),
        ("{a: {HOST_ARCH: b}}", "ReservedVariable", (2, 17)),
        ("{a: {P: [1]}}", "WrongType", (2, 20)),
        ("{a: {P: '${NONE}'}}", "UndefinedVariable", (2, 21)),
    ],
)
def test_instances_that_cannot_be(instances: str, reason: str, place: tuple[int, int]) -> None:
    result = load(f"{A}instances: {instances.replace('[1]', '[1, 2]')}\n")
    assert names(result) == ["web"]
    (error,) = only(result).errors
    assert (error.reason, (error.line, error.column)) == (reason, place)
    assert not result.complete


def test_an_instance_whose_name_is_too_long() -> None:
    result = load(f"{A}instances: {{a: , {'x' * 45}: }}\n")
    assert [one.spec is not None for _, one in result.workloads] == [True, False]
    assert result.workloads[1][1].errors[0].reason == "InvalidName"


def test_a_drop_in_may_add_an_instance() -> None:
    result = load(A + "instances: {a: {}}\n", "instances: {b: {}, a: null}\n")
    assert names(result) == ["web-b"]


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("{HOST_ARCH: arm64}", ""),
        ("{HOST_ARCH: [amd64, arm64], SITE: berlin-*}", ""),
        ("{SITE: 'b?rlin-[0-9]'}", ""),
        ("{}", ""),
        ("{HOST_ARCH: amd64}", 'HOST_ARCH is "arm64", not amd64'),
        ("{HOST_ARCH: [amd64, riscv64]}", 'HOST_ARCH is "arm64", not amd64 or riscv64'),
        ("{SITE: Berlin-2}", 'SITE is "berlin-2", not Berlin-2'),
        ("{HOST_ARCH: arm64, GPU: true}", "GPU is not set, and has to be true"),
    ],
)
def test_when(when: str, reason: str) -> None:
    result = only(load(f"{A}when: {when}\n"))
    assert result.elsewhere == reason
    assert (result.spec is None) == bool(reason)
    assert result.errors == ()


def test_elsewhere_a_workload_may_lack_its_variables() -> None:
    result = load(f"{A}when: {{GPU: '*'}}\ndevices: ['${{GPU}}']\n")
    assert only(result).elsewhere
    assert result.used == {"GPU": None}


@pytest.mark.parametrize(
    ("when", "reason"),
    [("[a]", "WrongType"), ("{a-b: 1}", "InvalidName"), ("{A: []}", "BadValue"),
     ("{A: {B: c}}", "WrongType"), ("{A: }", "WrongType"), ("{A: [[1]]}", "WrongType")],
)  # fmt: skip
def test_a_when_that_cannot_be(when: str, reason: str) -> None:
    result = only(load(f"{A}when: {when}\n"))
    assert [e.reason for e in result.errors] == [reason]
    assert not result.elsewhere


def test_a_fact_in_doubt_does_not_take_a_workload_away() -> None:
    scope = Scope({"SITE": Variable("x", "s.env", "cannot read s.env")}, (), "cannot read t.env")
    for name in ("SITE", "OTHER"):
        result = only(load(f"{A}when: {{{name}: y}}\n", scope=scope))
        assert [e.reason for e in result.errors] == ["FactUnreadable"]


def test_a_number_in_when_is_compared_as_it_is_written() -> None:
    scope = Scope({"V": Variable("1.10"), "B": Variable("true")})
    assert not only(load(f"{A}when: {{V: 1.10, B: true}}\n", scope=scope)).elsewhere
    assert only(load(f"{A}when: {{V: 1.1}}\n", scope=scope)).elsewhere
