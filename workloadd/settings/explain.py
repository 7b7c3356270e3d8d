"""Errors in a settings file, for people: where, what, and what was probably meant."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from workloadd.settings.model import Settings
from workloadd.spec.text import did_you_mean

_SYNTAX = re.compile(r"(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|.*)\)")
_WANTED = {
    "model_type": "expected a table of settings",
    "string_type": "expected text in quotes",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
}


def explain_syntax(path: Path, error: tomllib.TOMLDecodeError) -> str:
    """One line for a file that is not TOML; tomllib has the position in its message only."""
    found = _SYNTAX.fullmatch(str(error))
    if not found:
        return f"{path}: cannot parse it: {error}"
    what = found["what"][:1].lower() + found["what"][1:]
    where = f"{path}:{found['line']}:{found['column']}" if found["line"] else f"{path} (at its end)"
    return f"{where}: cannot parse it: {what}"


def explain(path: Path, text: str, error: ValidationError) -> list[str]:
    """One line for each error of a file that is TOML, in the order of the file."""
    found = []
    for detail in error.errors(include_url=False):
        keys = tuple(str(key) for key in detail["loc"])
        line, column = locate(text, keys)
        where = f"{path}:{line}:{column}" if line else str(path)
        found.append((line, f"{where}: cannot accept {'.'.join(keys)}: {_why(keys, detail)}"))
    return [sentence for _, sentence in sorted(found)]


def _why(keys: tuple[str, ...], detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        hint = did_you_mean(keys[-1], _known(keys[:-1]))
        return f"there is no such setting ({hint})" if hint else "there is no such setting"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    message: str = _WANTED.get(detail["type"], detail["msg"])
    return message[:1].lower() + message[1:]


def _known(section: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Settings
    for key in section:
        model = type(model.model_fields[key].get_default(call_default_factory=True))
    return list(model.model_fields)


def locate(text: str, keys: tuple[str, ...]) -> tuple[int, int]:
    """Line and column of a key, both 1-based, or (0, 0).

    tomllib keeps no positions. A settings file has two levels and no arrays of tables, so a look
    for `[section]` and `key =` finds what people write; inline tables are found by their section.
    """
    table: tuple[str, ...] = ()
    section = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        column = len(line) - len(line.lstrip()) + 1
        stripped = line.strip()
        if stripped.startswith("["):
            table = _dotted(stripped.strip("[").partition("]")[0])
            here = table
        else:
            here = (*table, *_dotted(stripped.partition("=")[0])) if "=" in stripped else ()
        if here == keys:
            return number, column
        if here and here == keys[: len(here)] and not section[0]:
            section = number, column
    return section


def _dotted(text: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in text.split("."))
