"""How a try of a probe fails: with a word for machines, and a sentence."""

from workloadd.core.errors import Problem


class Failed(Exception):  # noqa: N818 - a failed probe is no error of ours
    """The container did not do what the probe asks for. Carries a `Problem`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(reason, message)
