"""Many workloads at once."""

import time
from collections.abc import Callable

from tests.host.host import Host
from tests.host.workloads import NEWER, serving

COUNT = 30


def test_thirty_are_deployed_and_updated_at_once(
    host: Host, record_property: Callable[[str, object], None]
) -> None:
    names = [f"many-{i:02}" for i in range(COUNT)]

    def drop(**more: str) -> float:
        began = time.monotonic()
        for i, name in enumerate(names):
            host.write_workload(name, serving(19000 + i, **more))
        return began

    def served(body: str) -> bool:
        return all(host.http(19000 + i) == body for i in range(COUNT))

    def ready() -> bool:
        found = {w["name"]: w for w in host.api("/v1/workloads")["workloads"]}
        return all(
            name in found and found[name]["state"] == "Ready" and not found[name]["rollout"]
            for name in names
        )

    reloads = host.reloads()
    began = drop()
    host.wait_until(lambda: served("busybox 1\n"), f"{COUNT} to be served", timeout=60)
    dropped = time.monotonic() - began
    record_property("measured", f"{COUNT} files dropped: all answer after {dropped:.1f} s")
    host.wait_until(ready, f"{COUNT} to be Ready", timeout=60)
    assert host.reloads() == reloads

    began = drop(image=NEWER)
    host.wait_until(lambda: served("busybox 2\n"), f"{COUNT} to be updated", timeout=60)
    updated = time.monotonic() - began
    host.wait_until(ready, f"{COUNT} to be Ready", timeout=60)
    reloaded = host.reloads() - reloads
    said = f"{COUNT} updated: all answer after {updated:.1f} s, {reloaded} daemon-reloads"
    record_property("measured", said)
    assert 1 <= reloaded <= 6

    for name in names:
        host.remove_workload(name)
    host.wait_until(
        lambda: not [w for w in host.api("/v1/workloads")["workloads"] if w["name"] in names],
        f"{COUNT} to be removed",
    )
    assert not [c for name in names[:3] for c in host.containers(name)]
