"""Our reading of calendar expressions is systemd's."""

import re

from tests.calendars import expressions
from tests.host.host import Host
from workloadd.spec.calendar import parse_calendar
from workloadd.spec.problems import ProblemsError

_REFUSED = re.compile(r"Failed to parse calendar (?:expression|specification) '(.*)': ")


def test_what_we_accept_systemd_accepts_and_the_other_way_round(host: Host) -> None:
    asked = expressions(seed=3, count=1500)
    said = host.exec("systemd-analyze", "calendar", "--iterations=1", *asked, check=False)
    refused = set(_REFUSED.findall(said.stderr))
    differing = [text for text in asked if _refused(text) != (text in refused)]
    # Which time zones there are is for the host to say.
    assert not [text for text in differing if not re.search(r" [A-Za-z]\S*$", text)]
    assert 100 < len(refused) < len(asked) - 100


def _refused(text: str) -> bool:
    try:
        parse_calendar(text)
    except ProblemsError:
        return True
    return False
