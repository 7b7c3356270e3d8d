"""What a document says of itself before it says what is to run: its name, and where and how often.

These keys are taken out of the document; the rest of it is the spec.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from workloadd.spec.forms import ScalarForm
from workloadd.spec.names import check_name
from workloadd.spec.problems import each, reject
from workloadd.spec.scalars import WrittenFloat, WrittenInt
from workloadd.spec.scope import NAME, RESERVED, Scope
from workloadd.spec.text import as_list, as_text, bounded, did_you_mean, key_name, kind, quote

MAX_INSTANCES = 128

_INSTANCE = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_Patterns = Mapping[str, tuple[str, ...]]
_Instances = Mapping[str, Mapping[str, str]]


def _scalar(value: object) -> str:
    """Text as a variable has it: a number as it was written."""
    match value:
        case bool():
            return "true" if value else "false"
        case WrittenInt() | WrittenFloat():
            return value.source
        case int() | float():
            return str(value)
        case str():
            return bounded(value)
    raise reject("WrongType", f"expected text, got {kind(value)}")


def _parse_name(value: object) -> str:
    name = as_text(value)
    if why := check_name(name):
        raise reject("InvalidName", f"{quote(name)} cannot be a workload's name: {why}")
    return name


def _parse_when(value: object) -> _Patterns:
    def patterns(item: object) -> tuple[str, ...]:
        if not isinstance(item, list | tuple):
            return (_scalar(item),)
        if not item:
            raise reject("BadValue", "the list is empty, so that no host could match")
        return tuple(text for _, text in each(enumerate(as_list(item)), _scalar))

    if not isinstance(value, dict):
        hint = "write it as a mapping: VARIABLE: value, or VARIABLE: [one, another]"
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", hint)
    _check_variables(value)
    return dict(each(value.items(), patterns))


def _parse_instances(value: object) -> _Instances:
    def parameters(item: object) -> Mapping[str, str]:
        if item is None:
            return {}
        if not isinstance(item, dict):
            hint = "write the instance's variables: {PORT: 8081}, or {} where it has none"
            raise reject("WrongType", f"expected a mapping, got {kind(item)}", hint)
        _check_variables(item)
        for name in RESERVED.intersection(item):
            why = f"{name} is what workloadd itself defines"
            raise reject("ReservedVariable", why, "choose another name", name, at_key=True)
        return dict(each(item.items(), _scalar))

    if not isinstance(value, dict):
        hint = "write it as a mapping: NAME: {VARIABLE: value}"
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", hint)
    if len(value) > MAX_INSTANCES:
        raise reject("TooLarge", f"there are {len(value)} instances, more than {MAX_INSTANCES}")
    if not value:
        raise reject("BadValue", "there are no instances", "name some, or set enabled: false")
    for name in value:
        if not _INSTANCE.fullmatch(name):
            why = f"{quote(key_name(name))} cannot be the name of an instance"
            hint = "use lower-case letters, digits and “-”, neither first nor last a “-”"
            raise reject("InvalidName", why, hint, name, at_key=True)
    return dict(each(value.items(), parameters))


def _check_variables(names: Mapping[str, object]) -> None:
    for name in names:
        if not NAME.fullmatch(name):
            why = f"{quote(key_name(name))} cannot be the name of a variable"
            hint = "use letters, digits and _, no digit first"
            raise reject("InvalidName", why, hint, name, at_key=True)


class DocumentHead(BaseModel):
    """The keys that any document may have beside those of its kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: Annotated[str | None, BeforeValidator(_parse_name, json_schema_input_type=str | None)] = (
        Field(
            default=None,
            description="The workload's name; the file's name without its suffix where it is left "
            "out, as it may be in a file of one document.",
            examples=["web"],
        )
    )
    when: Annotated[
        _Patterns,
        BeforeValidator(
            _parse_when, json_schema_input_type=dict[str, ScalarForm | list[ScalarForm]]
        ),
    ] = Field(
        default={},
        description="Host variables and the values, or patterns with * and ?, that they must have; "
        "the workload runs only on hosts where all match.",
        examples=[{"HOST_ARCH": ["amd64", "arm64"], "SITE": "berlin-*"}],
    )
    instances: Annotated[
        _Instances | None,
        BeforeValidator(
            _parse_instances,
            json_schema_input_type=dict[str, dict[str, ScalarForm] | None] | None,
        ),
    ] = Field(
        default=None,
        description="Makes a template of the document: each instance is a workload NAME-INSTANCE, "
        "with variables of its own.",
        examples=[{"blue": {"PORT": "8081"}, "green": {"PORT": "8082"}}],
    )


HEAD_KEYS = frozenset(DocumentHead.model_fields)


def mismatch(when: _Patterns, scope: Scope) -> str:
    """Why a workload is not for this host, or nothing where it is."""
    for name, patterns in when.items():
        variable = scope.variables.get(name)
        wanted = " or ".join(patterns)
        if variable is None:
            hint = did_you_mean(name, scope.variables)
            return f"{name} is not set, and has to be {wanted}" + (f" ({hint})" if hint else "")
        if not any(fnmatchcase(variable.value, pattern) for pattern in patterns):
            return f"{name} is {quote(variable.value)}, not {wanted}"
    return ""
