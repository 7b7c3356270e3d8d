"""Texts of workload files that many tests use."""

BUSYBOX = "localhost:5000/busybox:1"
NEWER = "localhost:5000/busybox:2"


def serving(port: int, *more: str, image: str = BUSYBOX) -> str:
    """A small web server that is stopped without ado; `more` are further lines of the file."""
    lines = (
        f"image: {image}",
        "command: httpd -f -p 8080 -h /www",
        f'ports: ["{port}:8080"]',
        # httpd as process 1 has no handler for anything milder.
        "stop_signal: SIGKILL",
        "stop_timeout: 1s",
        *more,
    )
    return "\n".join(lines) + "\n"


def idle(*more: str, image: str = BUSYBOX) -> str:
    """A workload that does nothing for ever."""
    return "\n".join((f"image: {image}", "command: sleep infinity", *_QUICK, *more)) + "\n"


def crashing(*more: str) -> str:
    """A workload that says why and ends with exit code 3."""
    command = """command: [sh, -c, "echo cannot find the thing >&2; exit 3"]"""
    return "\n".join((f"image: {BUSYBOX}", command, *_QUICK, *more)) + "\n"


_QUICK = ("stop_signal: SIGKILL", "stop_timeout: 1s")
