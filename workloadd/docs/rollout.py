"""The picture of the rollout, drawn from its table."""

from collections.abc import Iterator

from workloadd.core.rollout_table import TABLE, Event, Move, Stage, Step

_HEAD = """\
# How a rollout goes

A workload is always in one of these stages. None of them is stored: every pass of workloadd reads
the stage off the host (which containers there are, what the units say, what they are called) and
looks what has happened. So it does not matter when the daemon was killed or the host lost its
power: the next pass finds itself in one of these rows, and goes on.

`update:` in the workload's file says how a new revision has to prove itself: `soak` is how long it
has to be up and ready without trouble, `deadline` how long it may take to get there, and with
`rollback: false` the new one stays even if it fails.

```yaml
image: docker.io/library/nginx:1.27
update:
  soak: 30s
  deadline: 5m
```

With `order: start-first` the new one starts beside the old one, which goes on serving until the new
one has proved itself; a failure then touches nothing that serves. It is for what two containers can
have at once: sockets that systemd holds open, names in a network, but no host port, fixed address
or the host's own network. The workload's unit then stands for one of two others in turns,
`workload-NAME_a.service` and `workload-NAME_b.service`. A workload changes over to this order, or
back, with its next rollout.

A revision that failed is remembered as bad, with the reason and the last lines of its log
(`workloadctl history NAME`), and is not tried again until its file or its image changes.

This page is made from the table in `workloadd/core/rollout_table.py`, which is what decides.
"""

_TO_BE_DRAWN = frozenset(Move) - {Move.WAIT, Move.TIDY, Move.REPAIR}


def markdown() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *_picture(), *_stages(), *_table()])


def _picture() -> Iterator[str]:
    """Each stage and where it leads; what leads there together is said on one arrow."""
    yield from ("```mermaid", "stateDiagram-v2")
    for stage in Stage:
        yield f"    {stage.name}: {_words(stage)}"
    yield "    [*] --> EMPTY"
    for stage, row in TABLE.items():
        arrows: dict[Step, list[Event]] = {}
        for event, step in row.items():
            if step.move in _TO_BE_DRAWN:
                arrows.setdefault(step, []).append(event)
        for step, events in arrows.items():
            causes = ", ".join(_words(event) for event in events)
            yield f"    {stage.name} --> {step.to.name}: {causes} / {_words(step.move)}"
    yield from ("```", "")


def _stages() -> Iterator[str]:
    yield from ("| stage | meaning |", "|---|---|")
    yield from (f"| {_words(stage)} | {stage.value} |" for stage in Stage)
    yield ""
    yield from ("| move | what is done |", "|---|---|")
    yield from (f"| {_words(move)} | {move.value} |" for move in Move)
    yield ""


def _table() -> Iterator[str]:
    """Every event in every stage; where no stage is named it stays as it is."""
    yield "| what happened | " + " | ".join(_words(stage) for stage in Stage) + " |"
    yield "|---|" + "---|" * len(Stage)
    for event in Event:
        cells = (_cell(stage, TABLE[stage][event]) for stage in Stage)
        yield f"| {_words(event)}: {event.value} | " + " | ".join(cells) + " |"
    yield ""


def _cell(stage: Stage, step: Step) -> str:
    leads = "" if step.to is stage else f" → {_words(step.to)}"
    return f"{_words(step.move)}{leads}"


def _words(one: Stage | Event | Move) -> str:
    return one.name.lower().replace("_", " ")
