"""Documents put together from what each workload comes to are what the models say."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.statuses import BAD, GOOD, status
from workloadd.api.documents import Document, Documents
from workloadd.api.models import Workloads
from workloadd.core.status import Status

NAMES = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True)
# What may look like the document around it.
TEXTS = st.sampled_from(["", '\n  "workloads": []', '"workloads": []', "line\n    line", "é\\n"])


@given(NAMES, TEXTS)
async def test_as_the_models_say(names: list[str], text: str) -> None:
    found = status(dict.fromkeys(names, GOOD), problems=(text,))
    workloads = tuple(one.model_copy(update={"message": text}) for one in found.workloads)
    found = found.model_copy(update={"workloads": workloads})
    documents = Documents()
    assert (await documents.status(found)).body == Document.of(found).body
    expected = Document.of(Workloads(workloads=workloads)).body
    assert (await documents.workloads(found)).body == expected
    for one in workloads:
        assert documents.workload(one).body == Document.of(one).body


async def test_what_has_changed_and_nothing_else_is_made_anew() -> None:
    documents = Documents()
    first = status({"a": GOOD, "b": GOOD})
    told = await documents.workloads(first)
    later = first.model_copy(update={"problems": ("something",)})
    assert await documents.workloads(later) is told
    changed = first.workloads[0].model_copy(update={"message": "news"})
    newer = later.model_copy(update={"workloads": (changed, first.workloads[1])})
    assert names_and_messages((await documents.workloads(newer)).body)[0] == ("a", "news")
    gone = newer.model_copy(update={"workloads": newer.workloads[1:]})
    assert [n for n, _ in names_and_messages((await documents.workloads(gone)).body)] == ["b"]


async def test_the_status_of_what_has_not_changed_is_the_same_object() -> None:
    before = status({"good": GOOD, "bad": BAD})
    assert isinstance(before, Status)
    again = status({"good": GOOD, "bad": BAD}, before=before)
    changed = status({"good": BAD, "bad": BAD}, before=before)
    assert all(map(lambda a, b: a is b, again.workloads, before.workloads))
    assert changed.workload("bad") is before.workload("bad")
    assert changed.workload("good") is not before.workload("good")


def names_and_messages(body: bytes) -> list[tuple[str, str]]:
    return [(one["name"], one["message"]) for one in json.loads(body)["workloads"]]
