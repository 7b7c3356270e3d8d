"""Runs inside the host as the user of the workloads; prints the figures as JSON."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from statistics import median

from declared import SERVICE, Workloadd
from quadlet import Quadlet
from session import Usage, command, facts, memory

_PODMAN = "podman.service"
_COMMAND = "sleep infinity"
# Seconds in which passes are forced.
_FORCING = 20.0


def say(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One run. `figures` is what it found, seconds unless the name says otherwise."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._names = [f"bench-{number:03}" for number in range(options.count)]
        self._quadlet = Quadlet(options.image, _COMMAND)
        self._workloadd = Workloadd(options.image, _COMMAND)
        self.figures: dict[str, object] = {}

    def run(self) -> None:
        """Everything, the two in turns so that a slow minute of the machine hits both."""
        command("podman", "pull", "--quiet", self._options.image)
        quadlet: list[dict[str, float]] = []
        ours: list[dict[str, float]] = []
        for turn in range(self._options.repeats):
            last = turn == self._options.repeats - 1
            quadlet.append(self._quadlet_turn(last))
            ours.append(self._workloadd_turn(last))
        for who, turns in (("quadlet", quadlet), ("workloadd", ours)):
            for kind in turns[0]:
                self.figures[f"{who}_all_{kind}"] = [found[kind] for found in turns]

    def _quadlet_turn(self, last: bool) -> dict[str, float]:
        took = self._quadlet.deploy(self._names)
        say(f"Quadlet: {len(self._names)} units: {_words(took)}")
        if last:
            one = self._each_extra(self._quadlet)
            self.figures["quadlet_one"] = one
        self._quadlet.remove(self._names)
        return took

    def _workloadd_turn(self, last: bool) -> dict[str, float]:
        daemon = self._workloadd
        daemon.start()
        daemon.settle()
        if last:
            self.figures["memory_0"] = memory(SERVICE)
        took = daemon.deploy(self._names)
        say(f"workloadd: {len(self._names)} workloads: {_words(took)}")
        if last:
            self._standing()
        daemon.remove(self._names)
        daemon.stop()
        return took

    def _standing(self) -> None:
        """What the daemon costs while the workloads run."""
        daemon, figures = self._workloadd, self.figures
        daemon.settle()
        figures["memory_all"] = memory(SERVICE)
        self._passes()
        daemon.settle()
        self._idle()
        figures["workloadd_one"] = self._each_extra(daemon, daemon.settle)
        more = [f"bench-more-{number:03}" for number in range(len(self._names))]
        say(f"as many again, for memory: {daemon.deploy(more)['active']:.2f} s")
        daemon.settle()
        figures["memory_twice"] = memory(SERVICE)
        daemon.remove(more)

    def _passes(self) -> None:
        daemon, service = Usage(SERVICE), Usage(_PODMAN)
        count = self._workloadd.force_passes(_FORCING)
        self.figures["pass_cpu_ms"] = daemon.lap() / count * 1000
        self.figures["pass_podman_cpu_ms"] = service.lap() / count * 1000
        self.figures["passes"] = count
        say(f"a pass: {self.figures['pass_cpu_ms']:.1f} ms of CPU over {count} passes")

    def _idle(self) -> None:
        seconds = self._options.idle
        say(f"idle for {seconds} s")
        daemon, service = Usage(SERVICE), Usage(_PODMAN)
        time.sleep(seconds)
        self.figures["idle_percent"] = daemon.lap() / seconds * 100
        self.figures["idle_podman_percent"] = service.lap() / seconds * 100

    def _each_extra(
        self, deployer: Quadlet | Workloadd, settle: Callable[[], None] = lambda: None
    ) -> list[float]:
        """Seconds for one more among all, several times."""
        found = []
        for number in range(self._options.extras):
            settle()
            found.append(deployer.deploy([f"bench-extra-{number}"])["active"])
            deployer.remove([f"bench-extra-{number}"])
        say(f"one more: {median(found):.2f} s (median of {len(found)})")
        return found

    def clean(self) -> None:
        """Leave nothing behind, whatever happened."""
        extras = [f"bench-extra-{number}" for number in range(self._options.extras)]
        more = [f"bench-more-{number:03}" for number in range(len(self._names))]
        self._quadlet.clean([*self._names, *extras])
        self._workloadd.clean([*self._names, *extras, *more])


def _words(took: dict[str, float]) -> str:
    return ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in took.items())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--extras", type=int, required=True)
    parser.add_argument("--idle", type=int, required=True)
    parser.add_argument("--image", required=True)
    bench = Bench(parser.parse_args())
    found = facts()
    try:
        bench.run()
    finally:
        bench.clean()
    found["load_at_end"] = round(os.getloadavg()[0], 2)
    json.dump({"host": found, "figures": bench.figures}, sys.stdout)


if __name__ == "__main__":
    main()
