"""What is made, kept and cleared away besides containers."""

from typing import Any

import pytest

from workloadd.core.desired import Declared, Desired, Shared
from workloadd.core.errors import Problem
from workloadd.core.needs import needs_of, obstacle
from workloadd.core.objects import Needs, Network, Objects, Volume, made_of
from workloadd.core.observed import StoredFiles
from workloadd.core.upkeep import (
    DropFiles,
    DropNetwork,
    DropSecrets,
    DropVolume,
    EnsureNetwork,
    EnsureVolume,
    KeepFates,
    Kept,
    plan_upkeep,
)
from workloadd.spec.errors import SpecError
from workloadd.spec.model import ServiceSpec
from workloadd.spec.namespaces import NamespacesSpec
from workloadd.spec.network import NetworkSpec
from workloadd.spec.owners import outside
from workloadd.spec.translate import validated
from workloadd.spec.volume import VolumeSpec

ERROR = SpecError("shop.yaml", 1, 1, "X", "cannot")


def network(name: str = "shop", **content: Any) -> Shared:
    spec = validated(NetworkSpec, {"kind": "network", **content})
    return Shared(name, f"/etc/{name}.yaml", "network", spec)


def volume(name: str = "backup", **content: Any) -> Shared:
    spec = validated(VolumeSpec, {"kind": "volume", **content})
    return Shared(name, f"/etc/{name}.yaml", "volume", spec)


def invalid(name: str, kind: str) -> Shared:
    return Shared(name, f"/etc/{name}.yaml", kind, None, (ERROR,))


def service(**content: Any) -> ServiceSpec:
    return validated(ServiceSpec, {"image": "localhost/a:1", **content})


def desired(*shared: Shared, declared: Declared | None = None, **more: Any) -> Desired:
    networks = {s.name: s for s in shared if s.kind == "network"}
    volumes = {s.name: s for s in shared if s.kind == "volume"}
    workloads = {declared.name: declared} if declared else {}
    return Desired(workloads, networks=networks, volumes=volumes, **more)


def declare(*shared: Shared, **content: Any) -> Declared:
    spec = service(**content)
    found = desired(*shared)
    needs, problems = needs_of("web", spec, found.networks, found.volumes)
    return Declared("web", "/etc/web.yaml", spec, problems=problems, needs=needs)


def objects(*found: Network | Volume, **more: Any) -> Objects:
    return Objects(
        {n.name: n for n in found if isinstance(n, Network)},
        {v.name: v for v in found if isinstance(v, Volume)},
        **more,
    )


def plan(wanted: Desired, kept: Kept, *active: str) -> list[str]:
    return [str(action) for action in plan_upkeep(wanted, kept, active)]


class TestNeeds:
    def test_of_own_and_shared(self) -> None:
        declared = declare(
            network(internal=True), volume(),
            networks=["shop.network", "back"], volumes=["backup.volume:/b", "data:/d", "data:/e"],
        )  # fmt: skip
        assert not declared.problems
        assert [(n.name, n.owner) for n in declared.needs.networks] == [
            ("web_back", "web"), ("shop", ""),
        ]  # fmt: skip
        assert [(v.name, v.owner) for v in declared.needs.volumes] == [
            ("backup", ""), ("web_data", "web"),
        ]  # fmt: skip
        assert declared.needs.networks[1].spec.internal

    def test_of_what_no_file_declares(self) -> None:
        declared = declare(networks=["shop.network"], volumes=["backup.volume:/b"])
        assert [str(p) for p in declared.problems] == [
            f"waits for the {kind} {n}: no file declares it (write {n}.yaml with kind: {kind})"
            for kind, n in (("network", "shop"), ("volume", "backup"))
        ]

    def test_of_what_is_invalid(self) -> None:
        declared = declare(invalid("shop", "network"), networks=["shop.network"])
        assert [p.reason for p in declared.problems] == ["NetworkInvalid"]
        assert "/etc/shop.yaml is invalid" in declared.problems[0].message


class TestObstacles:
    def of(self, needs: Needs, *found: Network | Volume, **more: Any) -> Problem | None:
        return obstacle(needs, objects(*found, **more))

    def test_nothing_is_in_the_way_of_what_is_not_there_yet(self) -> None:
        needs = declare(networks=["back"], volumes=["data:/d"]).needs
        assert self.of(needs) is None
        assert self.of(needs, Network("web_back", "web"), Volume("web_data", "web")) is None

    @pytest.mark.parametrize("owner", [None, "", "other"])
    def test_somebody_elses_network(self, owner: str | None) -> None:
        found = self.of(declare(networks=["back"]).needs, Network("web_back", owner))
        assert found and found.reason == "NetworkTaken"

    def test_a_network_in_use_that_differs(self) -> None:
        needs = declare(networks={"back": {"internal": True}}).needs
        assert self.of(needs, Network("web_back", "web")) is None  # it is made anew
        found = self.of(needs, Network("web_back", "web"), users={"web_back": ("web", "old")})
        assert found and found.reason == "NetworkDiffers"
        assert "web, old uses it" in found.message
        assert "podman network rm --force web_back" in found.hint
        same = Network("web_back", "web", made_of(needs.networks[0].spec))
        assert self.of(needs, same, users={"web_back": ("web",)}) is None

    def test_a_volume_that_differs_is_never_made_anew(self) -> None:
        needs = declare(volumes=[{"type": "volume", "source": "d", "target": "/d", "uid": 7}]).needs
        found = self.of(needs, Volume("web_d", "web"))
        assert found and found.reason == "VolumeDiffers"

    def test_a_volume_made_beforehand_is_taken_but_not_shared(self) -> None:
        own, shared = declare(volumes=["d:/d"]), declare(volume(), volumes=["backup.volume:/b"])
        assert self.of(own.needs, Volume("web_d")) is None
        found = self.of(shared.needs, Volume("backup"))
        assert found and found.reason == "VolumeTaken"


class TestShared:
    def test_is_made_when_its_file_appears(self) -> None:
        wanted = desired(network(), volume())
        assert plan(wanted, Kept()) == ["make the network shop", "make the volume backup"]
        there = objects(Network("shop", ""), Volume("backup", ""))
        assert plan(wanted, Kept(there)) == []

    def test_somebody_elses_is_never_touched(self) -> None:
        there = objects(Network("shop"), Volume("backup"), Network("other"), Volume("x"))
        assert plan(desired(network(internal=True), volume(uid=7)), Kept(there)) == []
        assert plan(desired(), Kept(there, fates={"volume:backup": "delete"})) == []

    def test_a_network_that_differs_is_made_anew_only_if_nothing_uses_it(self) -> None:
        wanted = desired(network(internal=True))
        assert plan(wanted, Kept(objects(Network("shop", "")))) == ["make the network shop"]
        used = objects(Network("shop", ""), users={"shop": ("web",)})
        assert plan(wanted, Kept(used)) == []

    def test_a_volume_is_never_made_anew(self) -> None:
        assert plan(desired(volume(uid=7)), Kept(objects(Volume("backup", "")))) == []

    def test_goes_with_its_file_a_volume_only_if_that_was_said(self) -> None:
        there = objects(Network("shop", ""), Volume("backup", ""), Volume("kept", ""))
        kept = Kept(there, fates={"volume:backup": "delete"})
        assert plan(desired(), kept) == ["remove the network shop", "remove the volume backup"]

    def test_stays_while_it_is_used_or_retained(self) -> None:
        used = objects(Network("shop", ""), users={"shop": ("somebody",)})
        assert plan(desired(), Kept(used)) == []
        retained = Kept(objects(Network("shop", "")), fates={"network:shop": "retain"})
        assert plan(desired(), retained) == []

    def test_stays_while_its_file_cannot_be_read(self) -> None:
        there = objects(Network("shop", ""), Volume("backup", ""))
        kept = Kept(there, fates={"volume:backup": "delete"})
        problem = Problem("RootUnreadable", "cannot read")
        assert plan(desired(unreadable=(problem,)), kept) == []
        assert plan(desired(unsure=frozenset({"/etc/a.yaml"})), kept) == []
        assert plan(desired(invalid("shop", "network"), invalid("backup", "volume")), kept) == []
        # Not even the kind of a broken file may be known.
        broken = Declared("shop", "/etc/shop.yaml", errors=(ERROR,))
        assert plan(desired(declared=broken), Kept(objects(Network("shop", "")))) == []


class TestFates:
    def test_are_kept_where_they_are_not_the_default(self) -> None:
        wanted = desired(network(reclaim="retain"), volume(reclaim="delete"), volume("plain"))
        (keep, *_) = plan_upkeep(wanted, Kept(), ())
        assert keep == KeepFates({"network:shop": "retain", "volume:backup": "delete"})

    def test_the_last_word_counts(self) -> None:
        kept = Kept(objects(Volume("backup", "")), fates={"volume:backup": "delete"})
        assert plan_upkeep(desired(volume()), kept, ()) == (KeepFates({}),)

    def test_outlive_an_error_in_the_file_and_end_with_the_object(self) -> None:
        kept = Kept(objects(Volume("backup", "")), fates={"volume:backup": "delete"})
        assert plan(desired(invalid("backup", "volume")), kept) == []
        gone = Kept(fates={"volume:backup": "delete"})
        assert plan_upkeep(desired(), gone, ()) == (KeepFates({}),)


class TestOwnNetworks:
    def test_is_made_again_when_somebody_removed_it(self) -> None:
        wanted = desired(declared=declare(networks=["back"]))
        assert plan(wanted, Kept(deployed=frozenset({"web"}))) == ["make the network web_back"]
        assert plan(wanted, Kept()) == []  # it comes with the first container
        assert plan(wanted, Kept(deployed=frozenset({"web"})), "web") == []

    def test_goes_when_nothing_asks_for_it(self) -> None:
        there = Kept(objects(Network("web_back", "web")), deployed=frozenset({"web"}))
        assert plan(desired(declared=declare()), there) == ["remove the network web_back"]
        assert plan(desired(declared=declare(networks=["back"])), there) == []
        assert plan(desired(declared=declare()), there, "web") == []
        broken = Declared("web", "/etc/web.yaml", errors=(ERROR,))
        assert plan(desired(declared=broken), there) == []

    def test_of_a_workload_that_is_gone_goes_after_its_containers(self) -> None:
        there = objects(Network("web_back", "web"))
        assert plan(desired(), Kept(there)) == ["remove the network web_back"]
        assert plan(desired(), Kept(there, deployed=frozenset({"web"}))) == []


class TestLitter:
    def test_secrets_that_no_container_refers_to(self) -> None:
        there = objects(secrets=frozenset({"web_pw_1", "web_pw_2", "db_pw_3"}))
        kept = Kept(there, secrets=frozenset({"web_pw_2"}))
        assert plan_upkeep(desired(), kept, ()) == (DropSecrets(("db_pw_3", "web_pw_1")),)
        assert plan_upkeep(desired(), kept, ("web",)) == (DropSecrets(("db_pw_3",)),)

    def test_files_that_no_container_refers_to(self) -> None:
        files = StoredFiles(frozenset({"a", "b"}), {"web_main_1": {}, "web_main_2": {}})
        kept = Kept(files=files, stored=frozenset({"a"}), live=frozenset({"web_main_2"}))
        assert plan_upkeep(desired(), kept, ()) == (
            DropFiles(frozenset({"b"}), frozenset({"web_main_1"})),
        )
        # Somebody may be about to use what is kept by content.
        dropped = plan_upkeep(desired(), kept, ("db",))
        assert dropped == (DropFiles(frozenset(), frozenset({"web_main_1"})),)
        assert plan_upkeep(desired(), kept, ("web",)) == ()


def test_actions_say_what_they_do() -> None:
    needs = declare(networks=["back"], volumes=["d:/d"]).needs
    said = [EnsureNetwork(needs.networks[0]), EnsureVolume(needs.volumes[0]), DropNetwork("a"),
            DropVolume("b"), DropSecrets(("c",)), DropFiles(frozenset("d"), frozenset()),
            KeepFates({})]  # fmt: skip
    assert len({str(action) for action in said}) == len(said)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, (999, 0)),
        ({"userns_mode": "host"}, (999, 0)),
        ({"userns_mode": "nomap"}, (1000, 1)),
        ({"userns_mode": "keep-id:uid=999,gid=999"}, (0, 1)),
        ({"userns_mode": "keep-id:uid=5,gid=0"}, (999, 0)),
        ({"userns_mode": "keep-id"}, None),
        ({"userns_mode": "auto"}, None),
        ({"uid_map": ["0:100:1000"]}, (1099, 100)),
        ({"uid_map": ["0:100:10"]}, None),
    ],
)
def test_who_a_user_of_the_container_is(
    content: dict[str, Any], expected: tuple[int, int] | None
) -> None:
    assert outside(validated(NamespacesSpec, content), 999, 0) == expected
