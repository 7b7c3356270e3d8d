"""Growing delays between tries."""

# Seconds after which a service that was restarted counts as steady again. systemd itself never
# forgets a restart, and so would let a service that crashes once a week wait ever longer.
STEADY = 600.0


def delay(attempt: int, base: float, ceiling: float, spread: float = 0.5) -> float:
    """Seconds to wait after the `attempt`-th failure (1 is the first): base, 2 base, 4 base …

    `spread` in [0, 1) is the caller's random number: the delay shrinks by up to a quarter with it,
    so that many hosts that failed together do not come back together.
    """
    full: float = min(ceiling, base * 2.0 ** min(max(attempt, 1) - 1, 32))
    return full * (1.0 - spread / 4)
