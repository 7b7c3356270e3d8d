"""The token of the HTTP API, out of a file or of one of systemd's credentials."""

from workloadd.core.errors import Permanent
from workloadd.settings.model import CREDENTIAL
from workloadd.sources.secrets import Refused, SecretPlaces, read_error


def read_token(place: str, places: SecretPlaces) -> bytes:
    """The content of the place that `[api] token_file` names. Blocks.

    Raises:
        Permanent: it cannot be read, or others have a hand in it.
    """
    kind, where = "file", place
    if place.startswith(CREDENTIAL):
        kind, where = "credential", place.removeprefix(CREDENTIAL)
    try:
        return places.value(kind, where)
    except (OSError, Refused) as error:
        message, hint = read_error("the token of the API", kind, where, error)
        raise Permanent("TokenUnusable", message, hint) from None
