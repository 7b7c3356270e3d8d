"""Asks over HTTP at a fixed rate, whatever the answers take, and prints how long they took.

Each request has a moment at which it is due; its time counts from there, so that a server that
stands still pays for all who would have come meanwhile. Every request has a connection of its own.
"""

import asyncio
import gc
import json
import sys
import time


async def ask(port: int, path: str, due: float) -> float:
    """Seconds from when a request was due until its whole answer was there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    size, first = 0, b""
    while part := await reader.read(1 << 20):
        first = first or part
        size += len(part)
    writer.close()
    if not first.startswith(b"HTTP/1.1 200") or size < int(_length(first)):
        raise SystemExit(f"load: {path}: {first[:80]!r}")
    return time.monotonic() - due


def _length(head: bytes) -> bytes:
    return head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]


async def main(port: int, paths: list[str], rate: float, seconds: float) -> None:
    """Ask, one path after the other, and print the times by path."""
    gc.disable()
    total = int(rate * seconds)
    began = time.monotonic() + 0.1
    found: dict[str, list[asyncio.Task[float]]] = {path: [] for path in paths}
    for number in range(total):
        due = began + number / rate
        if (left := due - time.monotonic()) > 0:
            await asyncio.sleep(left)
        path = paths[number % len(paths)]
        found[path].append(asyncio.create_task(ask(port, path, due)))
    times = {path: [await one for one in asked] for path, asked in found.items()}
    took = time.monotonic() - began
    print(json.dumps({"times": times, "rate": total / took, "cpu": time.process_time()}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[4:], float(sys.argv[2]), float(sys.argv[3])))
