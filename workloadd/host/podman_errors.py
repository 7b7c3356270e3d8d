"""What Podman's answers mean, in words of our own: the one place that reads its error texts.

Podman's API answers 500 to most things that are the caller's fault, so the status alone says
little: the text decides where the status does not.
"""

import json
import re

from workloadd.core.errors import Permanent, Transient, WorkloaddError

MAX_WORDS = 400

_PODMAN_AWAY_HINT = "systemctl --user status podman.socket"
_LOGIN_HINT = "podman login REGISTRY as the user that runs the workloads, or configure an auth file"
_DISK_HINT = "df -h, podman system df"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# Where a text repeats names: an image may be called "denied" or "certificate-manager".
_NAMES = re.compile(r"docker://\S*|https?://[^\s\"]+|reading manifest \S+ in \S+")
_URL_SECRET = re.compile(r"(?<=://)[^/@\s]+@")

# The first pattern found in the text decides: (pattern, kind, reason, hint).
_Rule = tuple[re.Pattern[str], type[WorkloaddError], str, str]


def _rule(pattern: str, kind: type[WorkloaddError], reason: str, hint: str = "") -> _Rule:
    return re.compile(pattern, re.IGNORECASE), kind, reason, hint


_REQUEST_RULES = (
    _rule(r"no such image|image not known|image .* not found", Permanent, "ImageNotFound"),
    _rule(r"already in use|constraint failed: \w+\.Name", Permanent, "NameConflict"),
    _rule(r"no such container|no container with (name|id)", Permanent, "NoSuchContainer"),
    _rule(r"subnet .* already used", Permanent, "SubnetTaken", "choose another subnet"),
    _rule(r"volume .*(in use|being used)", Transient, "VolumeInUse"),
    _rule(r"network .*(in use|being used|has associated)", Transient, "NetworkInUse"),
    _rule(r"no space left on device|disk quota", Transient, "DiskFull", _DISK_HINT),
    _rule(r"temporarily unavailable|cannot allocate memory", Transient, "OutOfResources"),
    _rule(r"database is locked|acquiring lock|context canceled", Transient, "PodmanBusy"),
)  # fmt: skip

_PULL_RULES = (
    _rule(
        r"too\s*many\s*requests|\b429\b|rate limit",
        Transient, "RateLimited", "the registry limits pulls: log in, or wait",
    ),
    _rule(r"x509:|certificate", Permanent, "CertificateRejected", "certs.d(5)"),
    _rule(
        r"gave HTTP response to HTTPS client",
        Permanent, "RegistryWithoutTLS", "mark it insecure in registries.conf, if that is meant",
    ),
    _rule(
        r"manifest unknown|name unknown|repository name not known|no such image|image not known"
        r"|manifest for .* not found|status 404|not found: manifest",
        Permanent, "ImageNotFound", "check the name and the tag",
    ),
    _rule(
        r"unauthorized|authentication required|invalid username/password|access to the resource"
        r" is denied|\bdenied\b|403 \(?forbidden|401 \(?unauthorized|no basic auth credentials",
        Permanent, "Unauthorized", _LOGIN_HINT,
    ),
    _rule(
        r"invalid reference|parsing reference|must be lowercase|invalid image reference",
        Permanent, "InvalidReference", "write it as REGISTRY/REPOSITORY:TAG",
    ),
    _rule(
        r"short-name|unqualified-search",
        Permanent, "AmbiguousImage", "write the registry too: docker.io/library/NAME:TAG",
    ),
    _rule(
        r"no image found in (manifest list|image index) for architecture|choosing (an )?image",
        Permanent, "WrongArchitecture", "the image is not built for this machine",
    ),
    _rule(r"no space left on device|disk quota", Transient, "DiskFull", _DISK_HINT),
    _rule(r"lchown|insufficient UIDs or GIDs", Permanent, "TooFewSubordinateIds", "subuid(5)"),
    _rule(
        r"connection refused|no such host|timeout|deadline exceeded|\bEOF\b|connection reset"
        r"|network is unreachable|no route to host|server misbehaving|name resolution|status 5\d\d"
        r"|\b50[0234]\b|pinging container registry",
        Transient, "RegistryUnavailable",
    ),
)  # fmt: skip


def first_line(text: str) -> str:
    """Podman's words made fit for a sentence: one bounded line without control characters."""
    line = next((part for part in text.strip().splitlines() if part.strip()), "")
    line = _URL_SECRET.sub("", _CONTROL.sub(" ", line)).strip().removeprefix("Error: ")
    return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1] + "…"


def rejected(doing: str, status: int, body: bytes) -> WorkloaddError:
    """The error for an answer of 400 or above to the request that `doing` describes.

    `doing` completes "cannot …".
    """
    words = first_line(explanation(body)) or f"Podman answered {status}"
    message = f"cannot {doing}: {words}"
    for pattern, kind, reason, hint in _REQUEST_RULES:
        if pattern.search(words):
            return kind(reason, message, hint)
    if status in (429, 502, 503, 504):
        return Transient("PodmanBusy", message)
    return Permanent("NotFound" if status == 404 else "PodmanRejected", message)


def unavailable(doing: str, error: BaseException | str) -> Transient:
    """The error for a request that got no answer: no socket, a broken connection, a timeout."""
    words = first_line(str(error)) or type(error).__name__
    return Transient("PodmanUnavailable", f"cannot {doing}: {words}", _PODMAN_AWAY_HINT)


def pull_failed(reference: str, text: str, secrets: tuple[str, ...] = ()) -> WorkloaddError:
    """The error for a failed pull, from the text that Podman streamed; `secrets` are cut out."""
    for secret in secrets:
        text = text.replace(secret, "***")
    words = first_line(text)
    message = f"cannot pull {reference}: {words}"
    without_names = _NAMES.sub("", words.replace(reference, ""))
    for pattern, kind, reason, hint in _PULL_RULES:
        if pattern.search(without_names):
            return kind(reason, message, hint)
    return Transient("PullFailed", message)


def explanation(body: bytes) -> str:
    """The text of an error answer: `{"cause", "message", "response"}`, or whatever else came."""
    text = body[:65536].decode(errors="replace")
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    if not isinstance(parsed, dict):
        return ""
    return str(parsed.get("message") or parsed.get("cause") or "")
