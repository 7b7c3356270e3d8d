"""Networks and volumes of files of their own, and the workloads that name them."""

from pathlib import Path

from workloadd.sources.directories import Directories


def put(root: Path, name: str, text: str) -> None:
    (root / f"{name}.yaml").write_text(text)


def test_shared_objects_are_apart_and_a_workload_waits_for_them(tmp_path: Path) -> None:
    source = Directories([tmp_path], home=tmp_path)
    image = "image: docker.io/library/nginx:1.27\n"
    put(tmp_path, "web", f"{image}networks: [shop.network]\nvolumes: ['backup.volume:/b']\n")
    waiting = source.load().workloads["web"]
    assert [p.reason for p in waiting.problems] == ["NetworkMissing", "VolumeMissing"]

    put(tmp_path, "shop", "kind: network\ninternal: true\n")
    put(tmp_path, "backup", "kind: volume\nuid: seven\n")
    loaded = source.load()
    assert set(loaded.workloads) == {"web"}
    assert set(loaded.networks) == {"shop"}
    assert loaded.volumes["backup"].spec is None
    assert loaded.volumes["backup"].errors
    assert [p.reason for p in loaded.workloads["web"].problems] == ["VolumeInvalid"]

    put(tmp_path, "backup", "kind: volume\n")
    web = source.load().workloads["web"]
    assert not web.problems
    assert [n.name for n in web.needs.networks] == ["shop"]
    assert [v.name for v in web.needs.volumes] == ["backup"]


def test_a_name_is_taken_whatever_it_is_the_name_of(tmp_path: Path) -> None:
    put(tmp_path, "shop", "kind: network\n---\nname: other\nkind: volume\n")
    source = Directories([tmp_path], home=tmp_path)
    put(tmp_path, "shop", "name: shop\nkind: network\n---\nname: shop\nimage: localhost/a:1\n")
    loaded = source.load()
    assert set(loaded.networks) == {"shop"}
    (second,) = loaded.workloads.values()
    assert second.errors[0].reason == "DuplicateName"
