"""Podman's check of a container, in its specification."""

from typing import Any

from workloadd.spec.health import NONE, Healthcheck, StartupCheck

# HealthCheckOnFailureAction of Podman's libpod/define, which goes over the wire as a number.
_ON_FAILURE = {"none": 0, "kill": 2, "stop": 4}


def render_health(check: Healthcheck | None) -> dict[str, Any]:
    """The check; without one the image's is left in place."""
    if check is None:
        return {}
    if check.disable or check.test is None:
        return {"healthconfig": {"Test": [NONE]}}
    rendered: dict[str, Any] = {
        "healthconfig": {
            "Test": list(check.test),
            "Interval": _nanoseconds(check.interval),
            "Timeout": _nanoseconds(check.timeout),
            "StartPeriod": _nanoseconds(check.start_period),
            "Retries": check.retries,
        },
        "health_check_on_failure_action": _ON_FAILURE[check.on_failure],
        "healthLogDestination": check.log.destination,
        "healthMaxLogCount": check.log.max_count,
        "healthMaxLogSize": check.log.max_size,
    }
    if check.startup:
        rendered["startupHealthConfig"] = _startup(check.startup)
    return rendered


def _startup(check: StartupCheck) -> dict[str, Any]:
    return {
        "Test": list(check.test),
        "Interval": _nanoseconds(check.interval),
        "Timeout": _nanoseconds(check.timeout),
        "Retries": check.retries,
        "Successes": check.success,
    }


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 10**6) * 1000
