"""The host's directories that a container is to see: made where asked for, missed where not."""

from collections.abc import Iterable
from pathlib import Path

from workloadd.core.errors import Permanent
from workloadd.spec.volumes import BindVolume, Volume


def prepare_binds(volumes: Iterable[Volume]) -> None:
    """See that every bind source is there. Blocks: call it in a thread.

    Podman would say it too, but only when the container is started, after the old one stopped.

    Raises:
        Permanent: a source is missing, or cannot be made.
    """
    for volume in volumes:
        if isinstance(volume, BindVolume):
            _prepare(Path(volume.source), volume)


def _prepare(source: Path, volume: BindVolume) -> None:
    doing = f"cannot mount {source} on {volume.target}"
    try:
        if volume.create:
            source.mkdir(parents=True, exist_ok=True)
        source.stat()
    except FileNotFoundError as error:
        hint = f"make it (mkdir -p {source}), or write create: true in the long form"
        raise Permanent("BindSourceMissing", f"{doing}: it does not exist", hint) from error
    except FileExistsError:
        return
    except OSError as error:
        raise Permanent(
            "BindSourceUnusable",
            f"{doing}: {error.strerror}",
            "the user that runs workloadd needs access to it",
        ) from error
