"""Exit statuses, the same for all commands, and what each means."""

from collections.abc import Mapping

OK = 0
TROUBLE = 1
USAGE = 2
NOT_WELL = 3
BUSY = 4
WOULD_CHANGE = 10
INTERRUPTED = 130

MEANINGS: Mapping[int, str] = {
    OK: "all is well; each command says below what that is",
    TROUBLE: "it is not: a file is wrong, nothing was found, or the daemon did not answer",
    USAGE: "the call is wrong: an unknown option, a file that is not there (`diff`: any trouble)",
    NOT_WELL: "something is not as declared, or did not come out well, or not in time",
    BUSY: "`run`: a run is on already",
    WOULD_CHANGE: "`apply --check`: something would be changed",
    INTERRUPTED: "ended with Ctrl-C",
}
