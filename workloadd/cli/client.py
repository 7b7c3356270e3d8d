"""One request to the daemon: over its Unix socket, or else over TCP. No third-party client."""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import click

from workloadd.cli import codes

Document = dict[str, Any]
Got = TypeVar("Got")
TCP = "http://127.0.0.1:7780"
_TIMEOUT = 10.0
# Seconds without a word after which a stream is given up: the daemon says something sooner.
_PATIENCE = 60.0
_NONE: Mapping[str, str] = MappingProxyType({})
_USER = "workloads"
_MAX_TOKEN = 4096
# Where each daemon has its socket for a group.
_SHARED = Path("/run/workloadd/users")
_TOKEN_FILE = f"{__name__}.token_file"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class UnreachableError(click.ClickException):
    """No answer from anywhere. `reason` says so without what to do about it."""

    exit_code = codes.TROUBLE

    def __init__(self, failures: Mapping[str, Exception]) -> None:
        tried = "\n".join(f"  {place}: {_why(error)}" for place, error in failures.items())
        self.reason = f"cannot reach workloadd:\n{tried}"
        super().__init__(f"{self.reason}\n{_advice(list(failures.values()))}")


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds `--url` and `--socket`, which become the parameters `url` and `unix`; and
    `--token-file`, which becomes part of what is asked over TCP.
    """
    url = click.option(
        "--url",
        envvar="WORKLOADD_URL",
        show_envvar=True,
        help=f"Ask there, for example {TCP}, instead of looking for the daemon.",
    )
    unix = click.option("--socket", "unix", help="Ask at this Unix socket.")
    token = click.option(
        "--token-file",
        envvar="WORKLOADD_TOKEN_FILE",
        show_envvar=True,
        expose_value=False,
        callback=_keep_token_file,
        help="The token in this file goes along with what is asked over TCP.",
    )
    return url(unix(token(command)))


def _keep_token_file(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    ctx.meta[_TOKEN_FILE] = path


def _authorization() -> dict[str, str]:
    """The header with the token, where there is one."""
    ctx = click.get_current_context(silent=True)
    path = ctx.meta.get(_TOKEN_FILE) if ctx else None
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            token = file.read(_MAX_TOKEN).decode("ascii").strip()
    except (OSError, ValueError) as error:
        why = "it is no token" if isinstance(error, ValueError) else _why(error)
        raise click.ClickException(f"cannot read the token from {path}: {why}") from None
    if not token.isprintable():
        raise click.ClickException(f"cannot read the token from {path}: it has several lines")
    return {"Authorization": f"Bearer {token}"}


def get(path: str, accept: str, url: str | None, unix: str | None) -> Answer:
    """The daemon's answer, from the place that was named or from the first that answers."""
    return _ask_first(places(url, unix), "GET", path, accept)


def lines(
    path: str,
    accept: str,
    url: str | None,
    unix: str | None,
    headers: Mapping[str, str] = _NONE,
    patience: float | None = _PATIENCE,
) -> Iterator[str]:
    """The lines of an answer that has no end of its own, as they come; `patience` is how many
    seconds may pass without any, None for however many.

    Raises:
        click.ClickException: no answer, or a refusal.
        OSError, HTTPException: the answer broke off.
    """
    asked = {**headers, "Accept": accept}
    found = _first(places(url, unix), lambda place: _begun(place, "GET", path, asked, patience))
    with closing(found) as response:
        if response.status >= 400:
            good(_whole(response))
        while line := response.readline():
            yield line.decode(errors="replace").rstrip("\n")


def post(path: str, unix: str | None) -> Answer:
    """The answer to an action, which is taken on the Unix socket alone."""
    return _ask_first([unix or _own_socket()], "POST", path, "application/json")


def workload_path(name: str) -> str:
    """Where the API has a workload."""
    return f"/v1/workloads/{quote(name, safe='')}"


def workload(name: str, unix: str | None) -> tuple[Document, float]:
    """A workload's status, and when the host was looked at for it (seconds since the epoch).

    Raises:
        click.ClickException: there is no such workload, or no answer.
    """
    answer = good(get(workload_path(name), "application/json", None, unix))
    status: Document = json.loads(answer.text)
    return status, float(answer.headers.get("workloadd-looked", "inf"))


def known(name: str | None, url: str | None, unix: str | None) -> None:
    """Raises `ClickException` where a workload is named that there is not."""
    if name:
        good(get(workload_path(name), "application/json", url, unix))


def as_user() -> str:
    """How another user becomes that one."""
    return f"sudo -u {_USER} XDG_RUNTIME_DIR=/run/user/$(id -u {_USER})"


def good(answer: Answer) -> Answer:
    """The same answer; raises `ClickException` where it is a refusal."""
    if answer.status < 400:
        return answer
    raise click.ClickException(problem(answer)[1])


def said(status: Document) -> str:
    """A workload's state and what it says of it, in one line."""
    return f"{status['state']}: {status['message']}".removesuffix(": ")


def problem(answer: Answer) -> tuple[str, str]:
    """The reason, and what to tell people, of an answer with a status of 400 or more."""
    try:
        document = json.loads(answer.text)
        message = "\n".join(filter(None, (document["detail"], document.get("hint"))))
        return str(document.get("reason", "")), message
    except (ValueError, KeyError, TypeError):
        return "", answer.text.strip() or f"workloadd answered with status {answer.status}"


def _ask_first(places: Sequence[str], method: str, path: str, accept: str) -> Answer:
    return _first(places, lambda place: ask(place, method, path, accept))


def _first(places: Sequence[str], asking: Callable[[str], Got]) -> Got:
    """What the first place gives that gives anything."""
    failures: dict[str, Exception] = {}
    for place in places:
        try:
            return asking(place)
        except (OSError, HTTPException) as error:
            failures[place] = error
    raise UnreachableError(failures)


def _why(error: Exception) -> str:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{why[:1].lower()}{why[1:]}"


def _advice(failures: Sequence[Exception]) -> str:
    """What to run, by how it failed and by who asks."""
    uid, made = os.geteuid(), _made_for_it()
    if any(isinstance(error, PermissionError) for error in failures):
        return f"ask as the user that it runs as:\n    {as_user()} workloadctl status"
    ours = made in (None, uid) and uid != 0
    systemctl = "systemctl --user" if ours else f"systemctl --user -M {_USER}@"
    sudo = "" if ours or uid == 0 else "sudo "
    if any(isinstance(error, TimeoutError) for error in failures):
        begin = f"it does not answer; restart it:\n    {sudo}{systemctl} restart workloadd"
    else:
        begin = f"it seems not to run; start it:\n    {sudo}{systemctl} start workloadd"
    return f"{begin}\nor see what is wrong, and what to do about it:\n    {sudo}workloadctl doctor"


def _made_for_it() -> int | None:
    """The ID of the user that is made for workloads, where there is one."""
    import pwd

    try:
        return pwd.getpwnam(_USER).pw_uid
    except KeyError:
        return None


def places(url: str | None, unix: str | None) -> list[str]:
    """Where to ask, the best first."""
    if unix:
        return [unix]
    if url:
        return [url]
    return [_own_socket(), TCP]


def _own_socket() -> str:
    """The Unix socket of the daemon that is ours; else one that is there for a group of ours."""
    own = Path(_runtime(), "workloadd/workloadd.sock")
    if _may_connect(own):
        return str(own)
    shared = sorted(path for path in _SHARED.glob("*/workloadd.sock") if _may_connect(path))
    return str(shared[0] if shared else own)


def _may_connect(path: Path) -> bool:
    return os.access(path, os.W_OK)


def _runtime() -> str:
    """The runtime directory with the daemon's socket: root's has none, so root asks the user's."""
    own = f"/run/user/{os.geteuid()}"
    said = os.environ.get("XDG_RUNTIME_DIR") or own
    made = _made_for_it() if os.geteuid() == 0 else None
    return said if made is None or said != own else f"/run/user/{made}"


def ask(place: str, method: str, path: str, accept: str, timeout: float = _TIMEOUT) -> Answer:
    """The answer of one place. Raises `OSError` or `HTTPException` where there is none."""
    with closing(_begun(place, method, path, {"Accept": accept}, timeout)) as response:
        return _whole(response)


def _begun(
    place: str, method: str, path: str, headers: Mapping[str, str], timeout: float | None
) -> HTTPResponse:
    """An answer of which the body is still to come."""
    is_path = place.startswith("/")
    if not is_path:
        headers = {**headers, **_authorization()}
    connection = _UnixConnection(place, timeout) if is_path else _tcp(place, timeout)
    try:
        connection.request(method, path, headers={**headers, "Connection": "close"})
        # It takes the socket along: the connection has nothing more to close.
        return connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _whole(response: HTTPResponse) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, response.read().decode(errors="replace"))


def _tcp(url: str, timeout: float | None) -> HTTPConnection:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme != "http":
        raise click.BadParameter(f"{url} is not of the form {TCP}", param_hint="--url")
    return HTTPConnection(host, port or 80, timeout=timeout)
