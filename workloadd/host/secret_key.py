"""The key with which digests of secrets are made, so that nobody can try values until one fits.

It is of this host and this user, and never leaves it. Losing it makes every workload with secrets
a new revision, and does no other harm.
"""

import secrets
from pathlib import Path

from workloadd.host.files import read_bounded, write_atomic

_LENGTH = 32


class SecretKey:
    """The key in a file, made when it is first asked for. Blocks.

    With `make` False nothing is written: without a key that is kept, another one is used.
    """

    def __init__(self, path: Path, *, make: bool = True) -> None:
        self._path = path
        self._may_make = make
        self._key = b""

    def __call__(self) -> bytes:
        """The key. Raises `OSError` where it can be neither read nor made."""
        if not self._key:
            self._key = self._read() or self._make()
        return self._key

    def _read(self) -> bytes:
        try:
            key = read_bounded(self._path, _LENGTH, follow=False)
        except FileNotFoundError:
            return b""
        return key if len(key) == _LENGTH else b""

    def _make(self) -> bytes:
        key = secrets.token_bytes(_LENGTH)
        if not self._may_make:
            return key
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(self._path, key, 0o600)
        return key
