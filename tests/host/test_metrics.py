"""What Prometheus would scrape of the real host."""

from tests.host.host import API, Host
from tests.host.test_rollback import rolled_back
from tests.host.workloads import crashing, serving
from tests.promtool import promtool


def samples(host: Host) -> tuple[str, dict[str, float]]:
    """The answer over TCP, and each of its series."""
    text = host.exec("curl", "-sSf", f"http://127.0.0.1:{API}/metrics").stdout
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return text, {series: float(value) for series, _, value in lines}


def test_a_workload_is_deployed_probed_and_rolled_back(host: Host, name: str, port: int) -> None:
    probe = "probes: {readiness: {http: 8080/, interval: 200ms}}"
    host.deploy(name, serving(port, probe))
    ready = f'workloadd_workload_condition{{condition="Ready",workload="{name}"}}'
    before = samples(host)[1]
    assert before[ready] == 1
    assert (
        before[f'workloadd_probe_success{{container="",probe="readiness",workload="{name}"}}'] == 1
    )
    tries = 'workloadd_probe_duration_seconds_count{outcome="succeeded",probe="readiness"}'
    assert before[tries] >= 1
    host.write_workload(name, crashing(f'ports: ["{port}:8080"]'))
    problem = rolled_back(host, name)["problem"]
    host.wait_until(lambda: samples(host)[1][ready] == 1, "it to be ready again")
    text, after = samples(host)
    assert promtool("check", "metrics", stdin=text) == ""
    undone = 'workloadd_rollout_duration_seconds_count{outcome="rolled-back"}'
    assert after[undone] - before[undone] == 1
    error = f'workloadd_errors_total{{activity="rollout",reason="{problem["reason"]}"}}'
    assert after[error] - before.get(error, 0) == 1
    assert after[f'workloadd_workload_last_rollout_success{{workload="{name}"}}'] == 0
    assert after['workloadd_host_condition{condition="Linger",severity="error"}'] == 1
    assert after["process_resident_memory_bytes"] > 1 << 20
