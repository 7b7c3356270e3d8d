"""What a revision is like, field by field, with nothing in it that is anybody's secret.

Where a value may be one (a variable, a secret, the content of a file, an HTTP header) there is a
keyed fingerprint of it: enough to tell that it changed, and nothing to find it out from.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from workloadd.core.revision import Image, Inputs, Revision
from workloadd.spec.model import WorkloadSpec
from workloadd.spec.names import MAIN_CONTAINER

Fingerprint = Callable[[str], str]
Content = Mapping[str, object]
"""By field: a value, a list, or {"hidden": FINGERPRINT}."""

HIDDEN = "(hidden)"
# Below a key of these names every value may be a secret.
_SECRET = frozenset({"environment", "content", "headers"})


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. What is hidden has no `old` and no `new`."""

    field: str
    kind: Literal["added", "removed", "changed"]
    old: str = ""
    new: str = ""
    hidden: bool = False


def describe(
    spec: WorkloadSpec,
    images: Mapping[str, Image],
    inputs: Mapping[str, Inputs],
    fingerprint: Fingerprint,
) -> Content:
    """A spec, the digests of its images as far as they are known, and what it refers to."""
    written = spec.model_dump(mode="json", exclude_defaults=True)
    found = dict(_flat("", written, fingerprint))
    for name, container in spec.containers_by_name.items():
        above = "" if name == MAIN_CONTAINER else f"containers.{name}."
        for image in container.images:
            if known := images.get(image):
                found[f"{above}digest of {image}"] = known.digest
        found |= {
            f"{above}{field}": _hidden(fingerprint(text))
            for field, text in _given(inputs.get(name, Inputs()))
        }
    return found


def describe_revision(revision: Revision, fingerprint: Fingerprint) -> Content:
    """A resolved revision."""
    parts = [part for part in revision.parts if part.spec]
    images = {part.spec.image: part.image for part in parts if part.spec and part.image}
    inputs = {part.name: part.inputs for part in parts}
    return describe(revision.spec, images, inputs, fingerprint)


def whole(spec: WorkloadSpec) -> dict[str, object]:
    """A spec with all defaults, as a file would have it; what may be a secret is `HIDDEN`."""
    written = spec.model_dump(mode="json")
    return {key: _masked(key, value) for key, value in written.items()}


def _masked(key: str, value: object) -> object:
    if key in _SECRET:
        named = isinstance(value, dict)
        return dict.fromkeys(value, HIDDEN) if named else HIDDEN if value else value  # type: ignore[call-overload]
    if isinstance(value, dict):
        return {inner: _masked(inner, one) for inner, one in value.items()}
    return [_masked("", one) for one in value] if isinstance(value, list) else value


def changes(old: Content, new: Content) -> tuple[Change, ...]:
    """What differs between two, by field."""
    fields = sorted({*old, *new})
    return tuple(c for field in fields for c in _changes(field, old, new))


def _changes(field: str, old: Content, new: Content) -> Iterator[Change]:
    before, after = old.get(field), new.get(field)
    if before == after:
        return
    kind: Literal["added", "removed", "changed"] = (
        "added" if field not in old else "removed" if field not in new else "changed"
    )
    if isinstance(before, dict) or isinstance(after, dict):
        yield Change(field, kind, hidden=True)
    elif kind == "changed" and isinstance(before, list) and isinstance(after, list):
        gone, come = Counter(map(_text, before)), Counter(map(_text, after))
        yield from (Change(field, "removed", old=text) for text in (gone - come).elements())
        yield from (Change(field, "added", new=text) for text in (come - gone).elements())
        if gone == come:
            yield Change(field, "changed", _text(before), _text(after))
    else:
        yield Change(
            field,
            kind,
            "" if kind == "added" else _text(before),
            "" if kind == "removed" else _text(after),
        )


def _flat(above: str, value: object, fingerprint: Fingerprint) -> Iterator[tuple[str, object]]:
    """Every value by the path that leads to it; a list is one value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            path = f"{above}.{key}" if above else str(key)
            if key in _SECRET:
                yield from _secret(path, inner, fingerprint)
            else:
                yield from _flat(path, inner, fingerprint)
    elif isinstance(value, list):
        yield above, [_plain(item, fingerprint) for item in value]
    else:
        yield above, value


def _secret(path: str, value: object, fingerprint: Fingerprint) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}", _hidden(fingerprint(repr(inner)))
    else:
        yield path, _hidden(fingerprint(repr(value)))


def _plain(item: object, fingerprint: Fingerprint) -> object:
    """An item of a list; a mapping in it as one line."""
    if not isinstance(item, dict):
        return item
    pairs = ((key, _text(value)) for key, value in _flat("", item, fingerprint))
    return ", ".join(f"{key}: {value}" for key, value in pairs)


def _given(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """What was read for a container, by what it is called."""
    for file in inputs.env_files:
        for variable, value in file.variables:
            yield f"env_file {file.path}.{variable}", value
    for secret in inputs.secrets:
        yield f"secrets.{secret.name}.value", secret.digest
    for given in inputs.files:
        yield f"files.{given.target}.content", given.digest
    if inputs.seccomp:
        yield "seccomp profile", inputs.seccomp


def _hidden(fingerprint: str) -> dict[str, str]:
    return {"hidden": fingerprint}


def _text(value: object) -> str:
    """A value as a file would have it."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case list():
            return f"[{', '.join(map(_text, value))}]"
        case dict():
            return "(hidden)"
    return str(value)
