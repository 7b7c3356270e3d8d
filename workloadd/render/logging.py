"""Where a container's output goes, in its specification."""

from typing import Any

from workloadd.spec.logging import Logging
from workloadd.spec.units import parse_size


def render_logging(logging: Logging, tag: str) -> dict[str, Any]:
    """The log configuration; `tag` names the container in the journal unless the file does."""
    rendered: dict[str, Any] = {"driver": logging.driver}
    if logging.driver == "journald":
        rendered["options"] = {"tag": tag, **logging.options}
    if path := logging.options.get("path"):
        rendered["path"] = path
    if size := logging.options.get("max-size"):
        rendered["size"] = parse_size(size)
    return {"log_configuration": rendered}
