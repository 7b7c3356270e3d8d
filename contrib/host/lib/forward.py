#!/usr/bin/env python3
"""Brings loopback ports of a throwaway host to 127.0.0.1 of this machine.

usage: forward.py RECORD LOCAL:PORT[?] ...

RECORD is the file that names the host's nspawn process, read again for every connection, so that
forwards outlive a reboot of the host. A pair that ends in "?" may fail to bind. Once bound, the
program goes to the background and prints its PID, then the pairs it could not bind.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

CLONE_NEWNET = 0x40000000
BLOCK = 1 << 16
libc = ctypes.CDLL(None, use_errno=True)


class Inside:
    """Connects in the host's network namespace, from one thread that is moved into it."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def connect(self, port: int) -> socket.socket:
        """A socket connected to 127.0.0.1:port of the host; OSError if that cannot be."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._connect, port)

    def _connect(self, port: int) -> socket.socket:
        with Path(f"/proc/{self._init()}/ns/net").open() as namespace:
            # setns(2) moves the calling thread alone; a socket stays where it was made.
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        # A service that is still starting answers at once with a refusal: no long wait.
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        connection.setblocking(False)
        return connection

    def _init(self) -> str:
        nspawn = self._record.read_text().split()[0]
        children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text().split()
        if not children:
            raise OSError(errno.ESRCH, "the host does not run")
        return children[0]


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copies until the end of the stream, and passes the end on, a reset too."""
    try:
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(listeners: dict[int, socket.socket], inside: Inside) -> None:
    """Accepts on every listener (by port of the host) for ever."""

    async def accept(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        with contextlib.suppress(OSError):
            far = await asyncio.open_connection(sock=await inside.connect(port))
            writers.append(far[1])
            await asyncio.gather(copy(reader, far[1]), copy(far[0], writer))
        for each in writers:
            each.close()

    for port, listener in listeners.items():
        await asyncio.start_server(partial(accept, port), sock=listener)
    await asyncio.Event().wait()


def bind(pairs: list[str]) -> tuple[dict[int, socket.socket], list[str]]:
    """Binds every LOCAL:PORT pair; ends the program if one that is needed is taken."""
    bound: dict[int, socket.socket] = {}
    taken: list[str] = []
    for pair in pairs:
        local, _, port = pair.removesuffix("?").partition(":")
        try:
            bound[int(port)] = socket.create_server(("127.0.0.1", int(local)))
        except OSError as error:
            if not pair.endswith("?"):
                sys.exit(f"cannot listen on 127.0.0.1:{local}: {error.strerror}")
            taken.append(local)
    return bound, taken


def main() -> None:
    """Binds in the foreground, so that the caller sees errors; serves in the background."""
    record, pairs = Path(sys.argv[1]), sys.argv[2:]
    listeners, taken = bind(pairs)
    if child := os.fork():
        print(child, *taken)
        return
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    asyncio.run(serve(listeners, Inside(record)))


if __name__ == "__main__":
    main()
