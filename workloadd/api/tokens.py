"""The token that opens the TCP listener: compared without telling how much of it was right.

It is read anew while requests come, so that it can be changed without a restart. It is in no
message and no repr.
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Callable

from workloadd.core.errors import Permanent, Problem

log = logging.getLogger(__name__)

FRESH = 1.0
"""Seconds after which a token that was read is read again."""
MIN_LENGTH, MAX_LENGTH = 16, 1024

# RFC 6750, 2.1: b64token.
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")


class Token:
    """`read` gives the file's content, or raises `Permanent`; it blocks. `clock` is monotonic."""

    def __init__(self, read: Callable[[], bytes], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._value = b""
        self._until = float("-inf")
        self._reading = asyncio.Lock()
        self.problem: Problem | None = None

    def is_it(self, given: str) -> bool:
        """Whether it is what was given, by the last look."""
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self._value)

    async def look(self) -> None:
        """Read it, unless that was just done; `problem` says why it cannot be."""
        async with self._reading:
            if self._clock() < self._until:
                return
            problem = None
            try:
                self._value = checked(await asyncio.to_thread(self._read))
            except Permanent as error:
                problem = error.problem
            if problem and problem != self.problem:
                log.warning("%s", problem)
            self.problem = problem
            self._until = self._clock() + FRESH


def checked(content: bytes) -> bytes:
    """The token in a file: all of it but white space around.

    Raises:
        Permanent: it is none, or too easily guessed.
    """
    token = content.strip()
    if MIN_LENGTH <= len(token) <= MAX_LENGTH and _TOKEN.fullmatch(token):
        return token
    raise Permanent(
        "TokenUnusable",
        f"cannot use the token of [api] token_file: it is not {MIN_LENGTH} to {MAX_LENGTH} letters,"
        " digits or -._~+/ on one line",
        "make one: openssl rand -base64 32",
    )
