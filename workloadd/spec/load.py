"""A workload file's bytes to its spec, or to all of its errors."""

from __future__ import annotations

from collections.abc import Iterable

from workloadd.spec.advice import advice
from workloadd.spec.conflicts import duplicate_host_ports, host_paths
from workloadd.spec.document import read_document
from workloadd.spec.errors import SpecError
from workloadd.spec.kinds import Spec, spec_of
from workloadd.spec.names import check_name, propose_name
from workloadd.spec.nodes import Fault, FaultError, Node
from workloadd.spec.positions import Positions
from workloadd.spec.problems import Problem, ProblemsError
from workloadd.spec.result import LoadResult
from workloadd.spec.text import excerpt, kind, quote
from workloadd.spec.variables import unescape

__all__ = ["LoadResult", "duplicate_host_ports", "load_workload"]

MAX_ERRORS = 100


def load_workload(name: str, text: bytes, file: str) -> LoadResult:
    """Load the workload ``name`` from the content of ``file``, which is only quoted, never opened.

    Never raises for anything in ``text``: whatever is wrong with it is among the errors.
    """
    errors = list(_name_errors(name, file))
    try:
        root, faults = read_document(text)
    except FaultError as caught:
        errors.append(_fault_error(caught.fault, file))
        return LoadResult(None, _ordered(errors), (), Positions(file))
    positions = Positions(file, root)
    errors += (_fault_error(fault, file) for fault in faults)
    spec, content, problems = _validate(root)
    errors += (positions.error(problem) for problem in problems)
    if errors or spec is None:
        return LoadResult(None, _ordered(errors), (), positions)
    warnings = _ordered(positions.warning(problem) for problem in advice(spec))
    return LoadResult(spec, (), warnings, positions, host_paths(content))


def _validate(root: Node) -> tuple[Spec | None, dict[str, object], list[Problem]]:
    """The spec, the plain content that it was made from, and every problem of it."""
    content, problems = unescape(root.value)
    if content is None:
        why = "it is empty"
        problem = Problem("EmptyFile", why, "write at least image: REGISTRY/REPOSITORY:TAG")
        return None, {}, [problem]
    if not isinstance(content, dict):
        why = f"expected keys and values, got {kind(content)}"
        return (
            None,
            {},
            [Problem("WrongType", why, "write for example image: REGISTRY/REPOSITORY:TAG")],
        )
    try:
        return spec_of(content), content, problems
    except ProblemsError as caught:
        return None, content, [*problems, *caught.problems]


def _name_errors(name: str, file: str) -> Iterable[SpecError]:
    if why := check_name(name):
        proposed = propose_name(name)
        hint = f"rename the file to {proposed}.yaml" if proposed else "rename the file"
        message = f"cannot accept {quote(name)} as a workload's name: {why}"
        yield SpecError(file, 1, 1, "InvalidName", message, excerpt(name), hint)


def _fault_error(fault: Fault, file: str) -> SpecError:
    message = f"cannot read the workload: {fault.why}"
    return SpecError(file, fault.line, fault.column, fault.reason, message, fault.text, fault.hint)


def _ordered(errors: Iterable[SpecError]) -> tuple[SpecError, ...]:
    ordered = sorted(errors, key=lambda error: (error.line, error.column, error.reason))
    if len(ordered) <= MAX_ERRORS:
        return tuple(ordered)
    last = ordered[MAX_ERRORS]
    message = f"cannot show the other {len(ordered) - MAX_ERRORS} errors of this file"
    more = SpecError(last.file, last.line, last.column, "TooManyErrors", message)
    return (*ordered[:MAX_ERRORS], more)
