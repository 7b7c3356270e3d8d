"""Host variables in the text of a workload file: ``${NAME}`` and its kin, as in Compose.

``$$`` is one dollar sign; ``$NAME`` without braces stays as it is, for shells in containers.  They
are looked for in values, not in keys, and what they bring is text in its place: no value of a
variable can bring a key, an item or a null.  A plain scalar is read anew afterwards, so that
``cpus: ${CPUS}`` is a number where the variable is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workloadd.spec.errors import SpecError
from workloadd.spec.nodes import Entry, Node
from workloadd.spec.positions import subject
from workloadd.spec.problems import Path
from workloadd.spec.scalars import resolve
from workloadd.spec.scope import NAME, Scope, Variable
from workloadd.spec.text import did_you_mean, excerpt

MAX_NESTED = 8
MAX_REFERENCES = 1024
"""References that the text of one document may have in it."""

MAX_RESULT = 1024 * 1024
"""Characters that the variables of one document may come to."""

# Mappings of which every value is text: nothing in them is to become a number.
_TEXTS = frozenset({"environment", "labels", "annotations"})
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_FORMS = "write ${NAME}, ${NAME:-default} or ${NAME:?message}; $${ is a plain ${"


class _BadTemplateError(Exception):
    def __init__(self, index: int, reason: str, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.index, self.reason, self.why, self.hint = index, reason, why, hint


class Substitution:
    """Puts the variables of ``scope`` into nodes, and gathers what cannot be.

    ``used`` are the variables that were asked for, None for those that are not defined.  What
    stands at the paths in ``failed`` now says nothing.
    """

    def __init__(self, scope: Scope, owner: str = "") -> None:
        self.errors: list[SpecError] = []
        self.used: dict[str, Variable | None] = {}
        self.failed: set[Path] = set()
        self.scope = scope
        self._owner = owner
        self._left = MAX_RESULT
        self._references = 0

    def node(self, node: Node, path: Path = ()) -> Node:
        """``node`` with the variables in it replaced; the same one where there are none."""
        if isinstance(node.value, str) and "$" in node.value:
            return self._scalar(node, node.value, path)
        entries: dict[str | int, Entry] = {}
        for key, entry in node.entries.items():
            new = self.node(entry.node, (*path, key))
            if new is not entry.node:
                entries[key] = replace(entry, node=new)
        return node.having({**node.entries, **entries}) if entries else node

    def count(self, index: int) -> None:
        """Note that there is a reference at ``index`` of a text."""
        self._references += 1
        if self._references > MAX_REFERENCES:
            why = f"there are more than {MAX_REFERENCES} variables"
            raise _BadTemplateError(index, "TooLarge", why)

    def lookup(self, name: str) -> Variable | None:
        """A variable, noted as used."""
        found = self.scope.variables.get(name)
        self.used[name] = found
        return found

    def _scalar(self, node: Node, text: str, path: Path) -> Node:
        template = _Template(text, self)
        try:
            result = template.result()
        except _BadTemplateError as bad:
            self._report(node, text, path, bad)
            return replace(node, value="")
        for missing in template.missing:
            self._report(node, text, path, missing)
        before, self._left = self._left, self._left - len(result)
        if self._left < 0 <= before:
            why = f"the variables come to more than {MAX_RESULT} characters"
            self._report(node, text, path, _BadTemplateError(0, "TooLarge", why))
        if self._left < 0:
            return replace(node, value="")
        value: object = result
        if node.plain and template.has_references and not _TEXTS.intersection(path[:-1]):
            number = resolve(result)
            value = result if number is None else number
        return replace(node, value=value, origin=_origin(template.found))

    def _report(self, node: Node, text: str, path: Path, bad: _BadTemplateError) -> None:
        self.failed.add(path)
        line, column = node.line, node.column
        ordinal = text.count("$", 0, bad.index)
        if ordinal < len(node.dollars):
            line, column = node.dollars[ordinal]
        message = f"cannot accept {subject(path, self._owner)}: {bad.why}"
        error = SpecError(node.file, line, column, bad.reason, message, hint=bad.hint)
        # One place may be reached by several aliases.
        if error not in self.errors:
            self.errors.append(error)

    def missing(self, index: int, name: str) -> _BadTemplateError:
        """What to say of a variable that nobody defines."""
        scope = self.scope
        if scope.doubt:
            why = f"the variable {excerpt(name)} is not defined as far as can be seen"
            return _BadTemplateError(index, "FactUnreadable", why, scope.doubt)
        hint = did_you_mean(name, scope.variables)
        hint = hint or f"write ${{{excerpt(name)}:-default}} where it may be missing"
        if scope.place:
            hint = f"define it in a .env file in {scope.place}; {hint}"
        why = f"the variable {excerpt(name)} is not defined"
        return _BadTemplateError(index, "UndefinedVariable", why, hint)


class _Template:
    """One text, read from the left to the right."""

    def __init__(self, text: str, substitution: Substitution) -> None:
        self.found: dict[str, Variable] = {}
        self.has_references = False
        self.missing: list[_BadTemplateError] = []
        self._text = text
        self._variables = substitution
        self._at = 0

    def result(self) -> str:
        return self._until_end(depth=0, live=True)

    def _until_end(self, depth: int, live: bool) -> str:
        """The text up to the brace that closes it, or at depth 0 to its end."""
        parts: list[str] = []
        text = self._text
        while self._at < len(text):
            if depth and text[self._at] == "}":
                break
            if text.startswith("$$", self._at):
                parts.append("$")
                self._at += 2
            elif text.startswith("${", self._at):
                parts.append(self._reference(depth, live))
            else:
                parts.append(text[self._at])
                self._at += 1
        return "".join(parts)

    def _reference(self, depth: int, live: bool) -> str:
        self.has_references = True
        start = self._at
        self._variables.count(start)
        if depth >= MAX_NESTED:
            why = f"variables are nested deeper than {MAX_NESTED}"
            raise _BadTemplateError(start, "TooDeep", why)
        named = NAME.match(self._text, start + 2)
        if not named:
            raise _BadTemplateError(start, "BadVariable", "${ begins no variable here", _FORMS)
        name, self._at = named[0], named.end()
        operator = next((o for o in _OPERATORS if self._text.startswith(o, self._at)), "")
        self._at += len(operator)
        variable = self._variables.lookup(name) if live else None
        unset = variable is None or (operator.startswith(":") and not variable.value)
        uses_other = {"-": unset, "+": not unset, "?": unset}.get(operator[-1:], False)
        other = self._until_end(depth + 1, live and uses_other) if operator else ""
        if not self._text.startswith("}", self._at):
            # What looks like a name may be part of a password that has ${ in it: it is not shown.
            why = "the ${ is not closed with }, or the variable has a strange name"
            raise _BadTemplateError(start, "BadVariable", why, _FORMS)
        self._at += 1
        return self._value(start, name, operator, other, variable, unset) if live else ""

    def _value(
        self, start: int, name: str, operator: str, other: str,
        variable: Variable | None, unset: bool,
    ) -> str:  # fmt: skip
        if variable and variable.doubt:
            why = f"the variable {excerpt(name)} cannot be relied on"
            self.missing.append(_BadTemplateError(start, "FactUnreadable", why, variable.doubt))
            return ""
        if variable is None and (self._variables.scope.doubt or not operator):
            self.missing.append(self._variables.missing(start, name))
            return ""
        if variable:
            self.found[name] = variable
        match operator[-1:]:
            case "-" if unset:
                return other
            case "+":
                return "" if unset else other
            case "?" if unset:
                why = f"the variable {excerpt(name)} is required: {excerpt(other)}"
                self.missing.append(_BadTemplateError(start, "RequiredVariable", why))
        return variable.value if variable else ""


def _origin(found: dict[str, Variable]) -> str:
    """Where the variables in a text come from."""
    named = (f"{excerpt(name)} is from {one.origin}" for name, one in found.items() if one.origin)
    return "; ".join(_first(named, 3))


def _first(items: Iterable[str], count: int) -> list[str]:
    return [item for item, _ in zip(items, range(count), strict=False)]
