"""Versions in the tags of images, and ranges of versions as npm and Cargo write these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from workloadd.spec.images import image_reference
from workloadd.spec.names import MAIN_CONTAINER
from workloadd.spec.problems import Path, Problem, each, reject
from workloadd.spec.scalars import WrittenFloat, WrittenInt
from workloadd.spec.text import as_line, did_you_mean, quote

MAX_RANGE = 200
"""Characters of one range."""

# At most this many numbers in a version, and digits in a number.
_LENGTH, _DIGITS = 4, r"\d{1,9}"
_TAG = re.compile(rf"(v?)({_DIGITS}(?:\.{_DIGITS}){{0,3}})([-_+][A-Za-z0-9_.+-]+)?", re.ASCII)
_TERM = re.compile(
    rf"(>=|<=|>|<|=|~|\^)?\s*v?((?:{_DIGITS}|[xX*])(?:\.(?:{_DIGITS}|[xX*])){{0,3}})(?=\s|$)",
    re.ASCII,
)
_HINT = 'write for example 1.27.x, ~1.27.3, ^1.2 or ">=1.2 <2"'

Numbers = tuple[int, ...]
# From a version (included) up to another (not included); None is without an end.
_Span = tuple[Numbers, Numbers | None]


@dataclass(frozen=True, slots=True)
class TagVersion:
    """A tag that is a version: what is before the numbers, they, and what is after them."""

    prefix: str
    numbers: Numbers
    suffix: str

    def is_like(self, other: TagVersion) -> bool:
        """Whether it is written in the same way: ``1.27.3`` never follows ``1.27.2-alpine``."""
        same = (self.prefix, self.suffix) == (other.prefix, other.suffix)
        return same and len(self.numbers) == len(other.numbers)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Alternatives, each of spans that all have to hold."""

    alternatives: tuple[tuple[_Span, ...], ...]

    def __contains__(self, numbers: Numbers) -> bool:
        version = _padded(numbers)
        return any(all(_is_within(version, span) for span in spans) for spans in self.alternatives)


def tag_version(tag: str) -> TagVersion | None:
    """The version that a tag is, or None where it is none, such as ``latest``."""
    found = _TAG.fullmatch(tag)
    if not found:
        return None
    return TagVersion(found[1], tuple(map(int, found[2].split("."))), found[3] or "")


def version_range(text: str) -> VersionRange:
    """A range as people write it; raises :class:`~workloadd.spec.problems.ProblemsError`.

    Terms beside each other all have to hold; between alternatives there is ``||``. A number that is
    an x or left out stands for any.
    """
    return VersionRange(tuple(_alternative(part, text) for part in text.split("||")))


def newest_tag(tags: Iterable[str], wanted: VersionRange, written: str) -> str | None:
    """The highest of the tags in a range that is written as the file's, and not below that."""
    own = tag_version(written)
    if own is None:
        return None
    found = [
        (version.numbers, tag)
        for tag in tags
        if (version := tag_version(tag))
        and version.is_like(own)
        and version.numbers >= own.numbers
        and version.numbers in wanted
    ]
    return max(found)[1] if found else None


def newest_in_range(written: str, wanted: str, tags: Iterable[str]) -> str:
    """The image with the highest tag that a container with this image and range may be updated to;
    its own where there is none."""
    own = image_reference(written)
    tag = newest_tag(tags, version_range(wanted), own.tag or "")
    return str(replace(own, tag=tag)) if tag else written


def is_in_range(reference: str, wanted: str, written: str) -> bool:
    """Whether an image is one that a container with this range and image may be updated to."""
    found, own = image_reference(reference), image_reference(written)
    if found.name != own.name or found.digest or not found.tag:
        return False
    return newest_tag([found.tag], version_range(wanted), own.tag or "") == found.tag


def parse_version(value: object) -> Mapping[str, str]:
    """The value of ``update.version``: ranges by the container of a pod, or the one range of what
    has only one container."""
    if isinstance(value, dict):
        return dict(each(sorted(value.items()), _range))
    return {MAIN_CONTAINER: _range(value)}


def version_problems(ranges: Mapping[str, str], images: Mapping[str, str]) -> Iterator[Problem]:
    """Ranges (by container) of no container, or in which no other tag of its image can be."""
    for name, wanted in ranges.items():
        path: Path = ("update", "version", *(() if name == MAIN_CONTAINER else (name,)))
        if name in images:
            why, hint = _misfit(images[name], wanted)
        elif name == MAIN_CONTAINER:
            why, hint = "it has to say of which container", f"write {{{min(images)}: {wanted}}}"
        else:
            why, hint = f"there is no container {quote(name)}", did_you_mean(name, images)
        if why:
            yield Problem("BadValue", why, hint, path)


def _misfit(image: str, wanted: str) -> tuple[str, str]:
    """Why a range is of no use for an image, and what to do; empty where it is."""
    reference, allowed = image_reference(image), version_range(wanted)
    tag = reference.tag or ""
    if reference.digest:
        return "an image that is named by its digest stays what it is", "leave it out"
    if (own := tag_version(tag)) is None:
        hint = f"name in image the lowest that may run, such as {reference.name}:1.27.0"
        return f"the image's tag {quote(tag)} is no version", hint
    if own.numbers not in allowed:
        return f"the image's own tag {tag} is not in it", "name in image the lowest that may run"
    if not any(one in allowed for one in _raised(own.numbers)):
        hint = f"name a whole version in image, such as {reference.name}:{tag}.0, or widen it"
        return f"no tag that is written like {tag} can follow it", hint
    return "", ""


def _raised(numbers: Numbers) -> list[Numbers]:
    """The next version for each of the numbers."""
    return [
        (*numbers[:at], numbers[at] + 1, *(0 for _ in numbers[at + 1 :]))
        for at in range(len(numbers))
    ]


def _range(value: object) -> str:
    text = value.source if isinstance(value, WrittenInt | WrittenFloat) else value
    text = as_line(text, MAX_RANGE).strip()
    version_range(text)
    return text


def _alternative(part: str, text: str) -> tuple[_Span, ...]:
    rest = part.replace(",", " ").strip()
    spans: list[_Span] = []
    while rest or not spans:
        found = _TERM.match(rest)
        if not found:
            raise reject("BadValue", f"{quote(text)} is no range of versions", _HINT)
        spans.append(_span(found[1] or "", found[2].split(".")))
        rest = rest[found.end() :].strip()
    return tuple(spans)


def _span(operator: str, words: list[str]) -> _Span:
    """What a term allows; an x, and all that is left out, stands for any number."""
    numbers = _before_x(words)
    low, after = _padded(numbers), _after(numbers, len(numbers))
    match operator:
        case ">=":
            return low, None
        case ">":
            # What is above 1.2 is not 1.2.5, which is a 1.2.
            return after or low, None
        case "<":
            return (), low
        case "<=":
            return (), after
        case "~":
            return low, _after(numbers, min(2, len(numbers)))
        case "^":
            # Up to the next change of the first number that is not 0.
            first = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1)
            return low, _after(numbers, first + 1)
    return low, after


def _before_x(words: list[str]) -> Numbers:
    end = next((i for i, word in enumerate(words) if not word.isdigit()), len(words))
    return tuple(map(int, words[:end]))


def _after(numbers: Numbers, length: int) -> Numbers | None:
    """The first version after all that begin with the first `length` numbers."""
    if not numbers[:length]:
        return None
    return _padded((*numbers[: length - 1], numbers[length - 1] + 1))


def _padded(numbers: Numbers) -> Numbers:
    return (*numbers, *(0,) * (_LENGTH - len(numbers)))


def _is_within(version: Numbers, span: _Span) -> bool:
    low, high = span
    return low <= version and (high is None or version < high)
