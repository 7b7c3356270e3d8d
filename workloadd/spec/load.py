"""From the bytes of a workload file and of its drop-ins to the workloads that they declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from workloadd.spec.builder import MAX_NODES
from workloadd.spec.conflicts import duplicate_host_ports
from workloadd.spec.document import read_documents
from workloadd.spec.errors import SpecError
from workloadd.spec.head import DocumentHead
from workloadd.spec.merge import merge
from workloadd.spec.names import check_name, propose_name
from workloadd.spec.nodes import Document, FaultError, Node
from workloadd.spec.positions import Positions
from workloadd.spec.problems import Problem, ProblemsError
from workloadd.spec.result import LoadResult
from workloadd.spec.scope import Scope, Variable
from workloadd.spec.text import did_you_mean, excerpt, quote
from workloadd.spec.translate import validated
from workloadd.spec.variables import Substitution
from workloadd.spec.workload import MAX_ERRORS, Draft, fault_error, load_draft

__all__ = [
    "MAX_ERRORS", "FileResult", "LoadResult", "Part", "duplicate_host_ports", "load_file",
    "load_workload", "read_part",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One file as it was read: its documents, or why it could not be read."""

    file: str
    documents: tuple[Document, ...] = ()
    error: SpecError | None = None


@dataclass(frozen=True, slots=True)
class FileResult:
    """The workloads of one file by name, in its order.

    A document without a usable name is called FILE#NUMBER.  ``complete`` is whether all names are
    known; ``used`` are the host's variables that were asked for.
    """

    workloads: tuple[tuple[str, LoadResult], ...]
    complete: bool = True
    used: Mapping[str, Variable | None] = field(default_factory=dict, repr=False)


def load_workload(name: str, text: bytes, file: str, scope: Scope = Scope()) -> LoadResult:  # noqa: B008
    """Load the workload ``name`` from the content of ``file``, which is only quoted, never opened.

    Never raises for anything in ``text``: whatever is wrong with it is among the errors.
    """
    return load_file(name, read_part(file, text), (), scope).workloads[0][1]


def read_part(file: str, data: bytes) -> Part:
    """The documents in ``data``, the content of ``file``."""
    try:
        return Part(file, read_documents(data, file))
    except FaultError as caught:
        return Part(file, error=fault_error(caught.fault, file))


def load_file(stem: str, base: Part, dropins: Sequence[Part], scope: Scope) -> FileResult:
    """The workloads that ``base``, the file ``stem``, declares with ``dropins`` merged over it."""
    files = (base.file, *(part.file for part in dropins))
    if base.error:
        draft = Draft(Node(1, 1, file=base.file), files[:1], tuple(_name_errors(stem, base.file)))
        return FileResult(((stem, draft.refused(base.error)),), complete=False)
    loading = _Loading(scope)
    documents = _documents(base)
    drafts = [_Named(stem, number, document, files[0], alone=len(documents) == 1)
              for number, document in enumerate(documents, 1)]  # fmt: skip
    for part in dropins:
        _drop_in(part, drafts)
    for one in drafts:
        loading.load(one)
    return FileResult(tuple(loading.workloads), loading.complete, loading.used)


def _documents(part: Part) -> tuple[Document, ...]:
    """The documents that say something: a last ``---`` begins one that does not."""
    said = tuple(d for d in part.documents if d.root.value is not None or d.faults)
    return said or part.documents[:1]


class _Named:
    """A document, its name, and what drop-ins made of it."""

    def __init__(self, stem: str, number: int, document: Document, file: str, alone: bool) -> None:
        self.errors = [fault_error(fault, file) for fault in document.faults]
        self.root = document.root
        self.files = [file]
        self.name, self.is_named = f"{stem}#{number}", False
        node = document.root.child("name")
        if node is not None or not alone:
            self._take_name(node, file)
        else:
            self.errors += _name_errors(stem, file)
            self.name, self.is_named = stem, True

    def _take_name(self, node: Node | None, file: str) -> None:
        if node is None:
            hint = "each of several documents in a file has a name of its own"
            problem = Problem("MissingField", "the key name is missing", hint)
            self.errors.append(Positions(file, self.root).error(problem))
            return
        try:
            name = validated(DocumentHead, {"name": node.value}).name
        except ProblemsError as caught:
            self.errors += map(Positions(file, self.root).error, caught.problems)
        else:
            self.name, self.is_named = name or self.name, bool(name)

    def merge(self, document: Document, file: str) -> None:
        """Put a drop-in's document over this one."""
        self.files.append(file)
        self.errors += (fault_error(fault, file) for fault in document.faults)
        if not document.root.is_mapping:
            why = "a drop-in has keys and values, as the file that it is for"
            self.errors.append(Positions(file, document.root).error(Problem("WrongType", why)))
            return
        entries = {k: entry for k, entry in document.root.entries.items() if k != "name"}
        self.root = merge(self.root, document.root.having(entries))
        if self.root.size > MAX_NODES:
            why = f"with its drop-ins it comes to more than {MAX_NODES} values"
            self.errors.append(Positions(file, document.root).error(Problem("TooLarge", why)))
            self.root = self.root.having({})


def _drop_in(part: Part, drafts: Sequence[_Named]) -> None:
    """Merge one drop-in over the documents that it names, or over the only one."""
    if part.error:
        for one in drafts:
            one.files.append(part.file)
            one.errors.append(part.error)
        return
    for document in _documents(part):
        if document.root.value is None and not document.faults:
            continue  # an empty file changes nothing
        target, problem = _target(document.root, drafts)
        if target:
            target.merge(document, part.file)
        elif problem:
            error = Positions(part.file, document.root).error(problem)
            for one in drafts:
                one.errors.append(error)


def _target(root: Node, drafts: Sequence[_Named]) -> tuple[_Named | None, Problem | None]:
    node = root.child("name")
    names = [one.name for one in drafts if one.is_named]
    if node is None:
        if len(drafts) == 1:
            return drafts[0], None
        hint = f"the file has several: {', '.join(names)}"
        return None, Problem("MissingField", "it does not name the document that it is for", hint)
    for one in drafts:
        if one.is_named and one.name == node.value:
            return one, None
    hint = did_you_mean(str(node.value), names) or f"there is {', '.join(names)}"
    why = "the file that it is for has no document of that name"
    return None, Problem("NoSuchDocument", why, hint, ("name",))


class _Loading:
    """Collects the workloads of one file."""

    def __init__(self, scope: Scope) -> None:
        self.workloads: list[tuple[str, LoadResult]] = []
        self.complete = True
        self.used: dict[str, Variable | None] = {}
        self._scope = scope

    def load(self, one: _Named) -> None:
        """Load a document once, or once for each of its instances."""
        draft = Draft(one.root, tuple(dict.fromkeys(one.files)), tuple(one.errors))
        if not one.is_named:
            self._add(one.name, draft.refused())
            self.complete = False
            return
        node = one.root.child("instances")
        if node is None:
            self._one(one.name, draft, {})
            return
        instances, errors = self._instances(node, draft)
        if errors:
            self._add(one.name, draft.refused(*errors))
            self.complete = False
        for instance, parameters in instances.items():
            self._instance(one.name, instance, parameters, draft)

    def _instances(
        self, node: Node, draft: Draft
    ) -> tuple[Mapping[str, Mapping[str, str]], Iterable[SpecError]]:
        substitution = Substitution(self._scope)
        node = substitution.node(node, ("instances",))
        self.used.update(substitution.used)
        if substitution.errors:
            return {}, substitution.errors
        try:
            head = validated(DocumentHead, {"instances": node.value})
        except ProblemsError as caught:
            return {}, map(Positions(draft.files[0], draft.root).error, caught.problems)
        return head.instances or {}, ()

    def _instance(
        self, base: str, instance: str, parameters: Mapping[str, str], draft: Draft
    ) -> None:
        name = f"{base}-{instance}"
        mine = replace(draft, owner=f"the instance {instance}")
        if why := check_name(name):
            why = f"{quote(name)} cannot be a workload's name: {why}"
            problem = Problem("InvalidName", why, "", ("instances", instance), at_key=True)
            error = Positions(draft.files[0], draft.root, mine.owner).error(problem)
            self._add(name, mine.refused(error))
            return
        own = {
            key: Variable(value, f"the instance {instance}") for key, value in parameters.items()
        }
        self._one(name, mine, {**own, "INSTANCE": Variable(instance)})

    def _one(self, name: str, draft: Draft, own: Mapping[str, Variable]) -> None:
        own = {**own, "WORKLOAD": Variable(name)}
        result, substitution = load_draft(draft, self._scope.having(own))
        self._add(name, result)
        self.used.update((k, v) for k, v in substitution.used.items() if k not in own)

    def _add(self, name: str, result: LoadResult) -> None:
        self.workloads.append((name, result))


def _name_errors(name: str, file: str) -> Iterator[SpecError]:
    if why := check_name(name):
        proposed = propose_name(name)
        hint = f"rename the file to {proposed}.yaml" if proposed else "rename the file"
        message = f"cannot accept {quote(name)} as a workload's name: {why}"
        yield SpecError(file, 1, 1, "InvalidName", message, excerpt(name), hint)
