"""One document, in the scope of its variables, to a workload's spec or to all of its errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from workloadd.spec.advice import advice
from workloadd.spec.conflicts import host_paths
from workloadd.spec.errors import SpecError
from workloadd.spec.head import HEAD_KEYS, DocumentHead, mismatch
from workloadd.spec.kinds import Spec, kind_of, spec_of
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.nodes import Fault, Node
from workloadd.spec.positions import Positions
from workloadd.spec.problems import Path, Problem, ProblemsError
from workloadd.spec.result import LoadResult
from workloadd.spec.scope import Scope
from workloadd.spec.text import kind
from workloadd.spec.translate import validated
from workloadd.spec.variables import Substitution

MAX_ERRORS = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A document with its drop-ins merged, and what is known to be wrong with it so far.

    ``files`` are those that made it up, the one that declares it first.  ``owner`` names the
    instance that it is of, if it is a template's.
    """

    root: Node
    files: tuple[str, ...]
    errors: tuple[SpecError, ...] = ()
    owner: str = ""

    def refused(self, *errors: SpecError) -> LoadResult:
        """The result that has errors only."""
        positions = Positions(self.files[0], self.root, self.owner)
        found = ordered((*self.errors, *errors), self.files)
        return LoadResult(None, found, (), positions, files=self.files)


def load_draft(draft: Draft, scope: Scope) -> tuple[LoadResult, Substitution]:
    """The result, and the variables that it came from."""
    substitution = Substitution(scope, draft.owner)
    positions = Positions(draft.files[0], draft.root, draft.owner)
    reason, wrong = _elsewhere(draft.root, substitution, positions)
    if reason:
        result = LoadResult(None, (), (), positions, files=draft.files, elsewhere=reason)
        return result, substitution
    root = substitution.node(_body(draft.root))
    positions = replace(positions, root=_with_head(root, draft.root))
    spec, content, problems = _spec(root, scope)
    errors = [*draft.errors, *wrong, *substitution.errors]
    shown = (p for p in problems if not _follows(p.path, substitution.failed))
    errors += (positions.error(problem) for problem in shown)
    if errors or spec is None:
        found = ordered(errors, draft.files)
        meant = kind_of(content)
        refused = LoadResult(None, found, (), positions, files=draft.files, kind=meant)
        return refused, substitution
    if not isinstance(spec, WorkloadSpec):
        shared = LoadResult(spec, (), (), positions, files=draft.files, kind=spec.kind)
        return shared, substitution
    paths = host_paths(content)
    advised = advice(spec, root, paths, scope.limits)
    warnings = ordered(map(positions.warning, advised), draft.files)
    return LoadResult(spec, (), warnings, positions, paths, draft.files), substitution


def _elsewhere(
    root: Node, substitution: Substitution, positions: Positions
) -> tuple[str, list[SpecError]]:
    """Why the workload is not for this host; the errors that keep that from being known."""
    node = root.child("when")
    if node is None:
        return "", []
    node = substitution.node(node, ("when",))
    if substitution.errors:
        return "", []  # they are told with the other ones
    try:
        head = validated(DocumentHead, {"when": node.value})
    except ProblemsError as caught:
        return "", [positions.error(problem) for problem in caught.problems]
    problems = [p for name in head.when for p in _doubts(name, substitution)]
    if problems:
        return "", [positions.error(problem) for problem in problems]
    return mismatch(head.when, substitution.scope), []


def _doubts(name: str, substitution: Substitution) -> Iterator[Problem]:
    variable = substitution.lookup(name)
    doubt = variable.doubt if variable else substitution.scope.doubt
    if doubt:
        why = f"the variable {name} cannot be relied on"
        yield Problem("FactUnreadable", why, doubt, ("when", name), at_key=True)


def _body(root: Node) -> Node:
    """The document without what it says of itself."""
    if HEAD_KEYS.isdisjoint(root.entries):
        return root
    return root.having({k: entry for k, entry in root.entries.items() if k not in HEAD_KEYS})


def _with_head(body: Node, root: Node) -> Node:
    """The whole document again, with ``body`` for what is not its head."""
    if HEAD_KEYS.isdisjoint(root.entries):
        return body
    return root.having({**root.entries, **body.entries})


def _spec(
    root: Node, scope: Scope
) -> tuple[Spec | None, Mapping[str, object], tuple[Problem, ...]]:
    """The spec, the plain content that it was made from, and every problem of it."""
    content = root.value
    if content is None:
        hint = "write at least image: REGISTRY/REPOSITORY:TAG"
        return None, {}, (Problem("EmptyFile", "it is empty", hint),)
    if not isinstance(content, dict):
        why = f"expected keys and values, got {kind(content)}"
        hint = "write for example image: REGISTRY/REPOSITORY:TAG"
        return None, {}, (Problem("WrongType", why, hint),)
    name = scope.variables.get("WORKLOAD")
    try:
        return spec_of(content, name.value if name else ""), content, ()
    except ProblemsError as caught:
        return None, content, caught.problems


def _follows(path: Path, failed: Iterable[Path]) -> bool:
    """Whether a problem at ``path`` is only that a variable could not be put in."""
    return any(path and (path[: len(f)] == f or f[: len(path)] == path) for f in failed)


def fault_error(fault: Fault, file: str) -> SpecError:
    """``fault`` as an error of ``file``."""
    message = f"cannot read the workload: {fault.why}"
    return SpecError(file, fault.line, fault.column, fault.reason, message, fault.text, fault.hint)


def ordered(errors: Iterable[SpecError], files: tuple[str, ...] = ()) -> tuple[SpecError, ...]:
    """``errors`` by position, those of the first of ``files`` first, and not too many."""
    rank = {file: number for number, file in enumerate(files)}
    placed = sorted(errors, key=lambda e: (rank.get(e.file, 0), e.line, e.column, e.reason))
    if len(placed) <= MAX_ERRORS:
        return tuple(placed)
    last = placed[MAX_ERRORS]
    message = f"cannot show the other {len(placed) - MAX_ERRORS} errors of this file"
    more = SpecError(last.file, last.line, last.column, "TooManyErrors", message)
    return (*placed[:MAX_ERRORS], more)
