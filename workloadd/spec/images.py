"""Image references: the grammar of the distribution project, fully qualified names only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workloadd.spec.problems import reject
from workloadd.spec.text import as_line, quote

MAX_REPOSITORY = 255
"""Characters of registry and repository together, as the distribution project has it."""

_HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TRANSPORT = re.compile(
    r"(?:docker|https?)://|(?:docker-archive|oci-archive|oci|dir|containers-storage):"
)
_HINT = "write for example docker.io/library/nginx:1.27"


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A fully qualified image name.  Without a digest there is always a tag."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def image_reference(text: str) -> ImageRef:
    """The parts of ``text``; raises :class:`~workloadd.spec.problems.ProblemsError`.

    Where neither tag nor digest is given the tag is ``latest``.  ``docker.io/nginx`` is
    ``docker.io/library/nginx``, as every client has it.
    """
    text = as_line(text)
    if found := _TRANSPORT.match(text):
        hint = f"write the name without {found[0]}" if "//" in found[0] else _HINT
        raise reject(
            "BadImage", f"{quote(text)} names a transport; images come from registries", hint
        )
    rest, at, digest = text.partition("@")
    name, tag = _split_tag(rest)
    if at and not _DIGEST.fullmatch(digest):
        raise reject("BadImage", f"{quote(digest)} is not a digest", "sha256: and 64 hex digits")
    if tag is not None and not _TAG.fullmatch(tag):
        raise reject("BadImage", f"{quote(tag)} is not a tag", _HINT)
    registry, repository = _split_registry(name, text)
    _check_repository(registry, repository)
    return ImageRef(registry, repository, tag or (None if at else "latest"), digest or None)


def _split_tag(name: str) -> tuple[str, str | None]:
    """Name and tag; a colon before the last slash belongs to the registry's port."""
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    return f"{head}{slash}{last}", tag if colon else None


def _split_registry(name: str, text: str) -> tuple[str, str]:
    registry, slash, repository = name.partition("/")
    qualified = slash and (registry == "localhost" or any(c in registry for c in ".:["))
    if not qualified:
        raise _unqualified(name, text)
    if not _HOST.fullmatch(registry):
        raise reject("BadImage", f"{quote(registry)} is not a registry's host name", _HINT)
    if registry in ("docker.io", "index.docker.io"):
        registry = "docker.io"
        repository = repository if "/" in repository else f"library/{repository}"
    return registry, repository


def _unqualified(name: str, text: str) -> Exception:
    """A short name would mean what the host's registries.conf says, another image on each host."""
    official = "" if "/" in name else "library/"
    why = f"{quote(text)} does not say which registry it is in"
    proposed = f"docker.io/{official}{text}"
    return reject("UnqualifiedImage", why, f"write for example {proposed}" if text else _HINT)


def _check_repository(registry: str, repository: str) -> None:
    if len(f"{registry}/{repository}") > MAX_REPOSITORY:
        raise reject("TooLarge", f"the name is longer than {MAX_REPOSITORY} characters")
    for part in repository.split("/"):
        if not _COMPONENT.fullmatch(part):
            lower = part.lower()
            hint = f"write {lower}" if _COMPONENT.fullmatch(lower) else _HINT
            why = f"{quote(part)} is not a part of a repository's name"
            raise reject("BadImage", why, hint)
