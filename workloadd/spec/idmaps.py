"""User namespaces: which IDs in a container are which of the host's."""

from __future__ import annotations

import re
from itertools import pairwise

from workloadd.spec.problems import ProblemsError, each, gather, reject
from workloadd.spec.text import as_line, as_list, did_you_mean, one_of, quote

MAX_ID = 2**32 - 2

_RANGE = re.compile(r"([0-9]{1,10}):([0-9]{1,10})(?::([0-9]{1,10}))?")
_MODES = ("auto", "host", "keep-id", "nomap")
_OPTIONS = {"keep-id": ("uid", "gid", "size"), "auto": ("size", "uidmapping", "gidmapping")}
_MAP_HINT = "write CONTAINER:USER:SIZE, for example 0:1:1000; USER 0 is the user itself"


def _range(value: object) -> tuple[int, int, int]:
    text = as_line(value)
    if "@" in text or text[0] in "+ug":
        why = f"{quote(text)} is in Podman's short form of the command line"
        raise reject("BadValue", why, _MAP_HINT)
    if not (found := _RANGE.fullmatch(text)):
        raise reject("BadValue", f"{quote(text)} is not a range of IDs", _MAP_HINT)
    inside, outside, size = int(found[1]), int(found[2]), int(found[3] or 1)
    if not size or max(inside, outside) + size - 1 > MAX_ID:
        raise reject("BadValue", f"{quote(text)} is not a range of IDs up to {MAX_ID}")
    return inside, outside, size


def parse_map(value: object) -> tuple[str, ...]:
    """The value of ``uid_map`` or ``gid_map``, sorted by the IDs in the container."""
    ranges = sorted(found for _, found in each(enumerate(as_list(value)), _range))
    for (inside, _, size), (following, _, _) in pairwise(ranges):
        if following < inside + size:
            raise reject("BadValue", f"the ID {following} in the container is mapped twice")
    return tuple(f"{inside}:{outside}:{size}" for inside, outside, size in ranges)


def ranges(mapped: tuple[str, ...]) -> list[tuple[int, int, int]]:
    """What :func:`parse_map` made, as numbers: in the container, of the user, how many."""
    return [_range(text) for text in mapped]


def parse_userns(value: object) -> str:
    """The value of ``userns_mode``: a mode with its options in order."""
    text = as_line(value)
    mode, colon, rest = text.partition(":")
    if mode not in _MODES:
        hint = did_you_mean(mode, _MODES)
        if mode in ("ns", "container", "private"):
            hint = "write uid_map for a map of your own"
        raise reject("BadValue", f"{quote(text)} is not one of {one_of(_MODES)}", hint)
    if not colon:
        return mode
    if mode not in _OPTIONS:
        raise reject("BadValue", f"{mode} has no options")
    options, problems = gather(enumerate(rest.split(",")), lambda one: _option(mode, one))
    if problems:
        raise ProblemsError(*(reject(p.reason, p.why, p.hint).problems[0] for p in problems))
    chosen = [option for _, option in options]
    keys = [option.partition("=")[0] for option in chosen]
    if repeated := [key for key in keys if key in ("uid", "gid", "size") and keys.count(key) > 1]:
        raise reject("BadValue", f"it says {repeated[0]} twice")
    return f"{mode}:{','.join(sorted(chosen))}"


def _option(mode: str, text: str) -> str:
    key, _, value = text.strip().partition("=")
    known = _OPTIONS[mode]
    if key not in known:
        hint = did_you_mean(key, known) or f"known are {', '.join(known)}"
        raise reject("BadValue", f"{mode} has no option {quote(key)}", hint)
    if key.endswith("mapping"):
        inside, outside, size = _range(value)
        return f"{key}={inside}:{outside}:{size}"
    if not re.fullmatch("[0-9]{1,10}", value) or int(value) > MAX_ID:
        raise reject("BadValue", f"{key} is a number up to {MAX_ID}", f"write {key}=1000")
    if key == "size" and not int(value):
        raise reject("BadValue", "a namespace without an ID is of no use")
    return f"{key}={int(value)}"
