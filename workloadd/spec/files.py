"""Files that a container gets from its workload file, or from beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator
from pydantic.config import JsonDict

from workloadd.spec.base import SpecModel, optional
from workloadd.spec.forms import OctalForm
from workloadd.spec.modes import Mode, parse_mode
from workloadd.spec.paths import absolute_path
from workloadd.spec.problems import Problem, ProblemsError, each, reject
from workloadd.spec.text import as_line, as_text, bounded, kind, quote
from workloadd.spec.translate import validated
from workloadd.spec.volume import MAX_ID

MAX_FILES = 64
MAX_CONTENT = 256 * 1024
OnChange: TypeAlias = Literal["restart", "reload", "none"]

_HINT = "write /PATH: text, or /PATH: {source: ./FILE}"


def _content(value: object) -> str:
    return bounded(as_text(value), MAX_CONTENT)


def _source(value: object) -> str:
    """A path below the workload file's directory, without the ``./`` in front of it."""
    text = as_line(value)
    path = PurePosixPath(text)
    if path.is_absolute() or text.startswith("~"):
        hint = "put it there, or mount a directory of the host under volumes"
        raise reject("BadPath", f"{quote(text)} is not beside the workload file", hint)
    if ".." in path.parts or not path.parts:
        why = f"{quote(text)} leads out of the workload file's directory"
        raise reject("BadPath", why, "name what is in it: ./FILE")
    return str(path)


# So that examples of the other fields are complete.
_OF_TEXT: JsonDict = {"beside": {"content": "Hello"}}


class File(SpecModel):
    """One file, or a directory of files, that the container sees read-only."""

    content: Annotated[
        str | None, BeforeValidator(optional(_content), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        repr=False,
        description="The file's content. In the workload file $$ stands for one $.",
        examples=["server { listen 80; }\n"],
    )
    source: Annotated[
        str | None, BeforeValidator(optional(_source), json_schema_input_type=str | None)
    ] = Field(
        default=None,
        description="A file or directory beside the workload file, by its relative path.",
        examples=["./nginx.conf", "site"],
    )
    mode: Annotated[Mode, BeforeValidator(parse_mode, json_schema_input_type=OctalForm)] = Field(
        default=0o444,
        description="Octal permission bits; a directory can be entered by who may read it.",
        examples=["0400"],
        json_schema_extra=_OF_TEXT,
    )
    uid: int = Field(
        default=0,
        ge=0,
        le=MAX_ID,
        description="Owner, as a user ID in the container.",
        examples=[101],
        json_schema_extra=_OF_TEXT,
    )
    gid: int = Field(
        default=0,
        ge=0,
        le=MAX_ID,
        description="Group, as a group ID in the container.",
        examples=[101],
        json_schema_extra=_OF_TEXT,
    )
    on_change: OnChange = Field(
        default="restart",
        description="What a change of the content means: a new container by a rollout (restart), "
        "the same one with the new content, told so as its reload says (reload) or not (none).",
        examples=["reload"],
        json_schema_extra=_OF_TEXT,
    )

    @property
    def live(self) -> bool:
        """Whether its content changes under the container, which stays."""
        return self.on_change != "restart"

    @model_validator(mode="after")
    def _agree(self) -> File:
        if (self.content is None) == (self.source is None):
            why = "it has " + ("neither content nor source" if self.content is None else "both")
            hint = _HINT if self.content is None else "leave content or source out"
            raise ProblemsError(Problem("BadValue", why, hint, at_key=True))
        if self.live and (self.uid or self.gid):
            # We could not write to it any more.
            why = f"what changes under a container ({self.on_change}) stays root's"
            hint = "leave uid and gid out, and let mode say who may read it"
            raise ProblemsError(Problem("BadValue", why, hint, ("on_change",)))
        return self


def parse_files(value: object) -> Mapping[str, File]:
    """The value of ``files``, sorted by path: what lies in another comes after it."""
    if not isinstance(value, dict):
        raise reject("WrongType", f"expected a mapping, got {kind(value)}", _HINT)
    if len(value) > MAX_FILES:
        raise reject("TooLarge", f"it has {len(value)} files, more than {MAX_FILES}")
    parsed = each(value.items(), _file)
    files: dict[str, File] = {}
    for key, file in parsed:
        path = _path(key)
        if path in files:
            raise reject("DuplicateTarget", f"{quote(path)} is there twice", "", key, at_key=True)
        files[path] = file
    return dict(sorted(files.items()))


def _path(key: str) -> str:
    try:
        path = absolute_path(key)
    except ProblemsError as caught:
        problem = caught.problems[0]
        raise reject(problem.reason, problem.why, problem.hint, key, at_key=True) from None
    if path == "/":
        why = "nothing can be mounted over the container's root"
        raise reject("BadPath", why, "", key, at_key=True)
    return path


def _file(value: object) -> File:
    if isinstance(value, str):
        return File.model_validate({"content": _content(value)})
    if isinstance(value, dict | File):
        return validated(File, value)
    hint = "put it in quotes" if isinstance(value, int | float) else _HINT
    raise reject("WrongType", f"expected text or a mapping, got {kind(value)}", hint)
