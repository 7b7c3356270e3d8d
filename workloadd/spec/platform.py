"""For which processor an image is to be."""

from __future__ import annotations

import re

from workloadd.spec.problems import reject
from workloadd.spec.text import as_line, quote

_PART = re.compile(r"[a-z0-9][a-z0-9_.]{0,31}")
# Names of the machine (uname -m) that people write for those of Go, which images are labelled with.
_SYNONYMS = {
    "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386",
    "armhf": "arm/v7", "armv7l": "arm/v7",
}  # fmt: skip
_HINT = "write for example linux/arm64 or linux/arm/v7"


def parse_platform(value: object) -> str:
    """``OS/ARCHITECTURE[/VARIANT]`` in lower case; an architecture alone is one of Linux."""
    text = as_line(value).lower()
    written = text if "/" in text else f"linux/{text}"
    system, architecture, *variant = written.split("/")
    parts = [system, *_SYNONYMS.get(architecture, architecture).split("/"), *variant]
    if len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts):
        raise reject("BadValue", f"{quote(text)} is not a platform", _HINT)
    if system != "linux":
        raise reject("BadValue", f"containers of {quote(system)} do not run on Linux", _HINT)
    return "/".join(parts)
