"""Settings: precedence, merging, masking, and errors that people can act on."""

import os
from pathlib import Path

import pytest

from workloadd.core.errors import Permanent
from workloadd.core.room import Low
from workloadd.settings import Paths, Settings, load_settings
from workloadd.settings.explain import locate
from workloadd.settings.load import merge, read_fragment, settings_files, to_settings
from workloadd.settings.model import split_listen


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(paths: Paths) -> str:
    with pytest.raises(Permanent) as caught:
        load_settings(paths)
    assert caught.value.problem.reason == "SettingsInvalid"
    return caught.value.problem.message


def test_nothing_written_gives_the_defaults(paths: Paths) -> None:
    settings = load_settings(paths)
    assert settings == Settings()
    assert settings.api.address == ("127.0.0.1", 7780)
    assert settings.reconcile.interval == 60.0
    assert settings.reconcile.debounce == 0.05
    assert settings.reconcile.jobs >= 2
    assert (settings.rollout.soak, settings.rollout.deadline) == (5.0, 120.0)
    assert (settings.pull.backoff_base, settings.pull.backoff_max) == (2.0, 300.0)


def test_a_file_replaces_its_namesake_in_every_weaker_root(paths: Paths) -> None:
    for number, root in enumerate(paths.config_roots, 1):
        write(root / "workloadd.toml", f"[history]\nkeep = {number}\n")
        assert load_settings(paths).history.keep == number
    # As a whole: what only the weaker one said is gone with it.
    write(paths.config_roots[0] / "workloadd.toml", "[rollout]\nrestarts = 9\n")
    assert load_settings(paths).rollout.restarts == 2


def test_drop_ins_are_merged_by_name_whatever_their_root(paths: Paths) -> None:
    vendor, admin = paths.config_roots[:2]
    write(admin / "workloadd.toml", "[history]\nkeep = 1\n[log]\nlevel = 'debug'\n")
    write(vendor / "workloadd.conf.d/20-b.toml", "[history]\nkeep = 20\n")
    write(admin / "workloadd.conf.d/10-a.toml", "[history]\nkeep = 10\n[pull]\nparallel = 7\n")
    settings = load_settings(paths)
    assert (settings.history.keep, settings.pull.parallel) == (20, 7)
    assert settings.log.level == "debug"
    write(admin / "workloadd.conf.d/20-b.toml", "[history]\nkeep = 21\n")
    assert load_settings(paths).history.keep == 21


@pytest.mark.parametrize("name", ["workloadd.toml", "workloadd.conf.d/10-a.toml"])
def test_a_link_to_dev_null_masks(paths: Paths, name: str) -> None:
    write(paths.config_roots[0] / name, "[history]\nkeep = 3\n")
    assert load_settings(paths).history.keep == 3
    mask = paths.config_roots[1] / name
    mask.parent.mkdir(parents=True, exist_ok=True)
    mask.symlink_to(os.devnull)
    assert settings_files(paths.config_roots) == []
    assert load_settings(paths) == Settings()


def test_other_files_are_ignored(paths: Paths) -> None:
    for name in (".a.toml", "a.toml~", "a.toml.bak", "a.conf"):
        write(paths.config_roots[1] / "workloadd.conf.d" / name, "not = TOML =")
    assert load_settings(paths) == Settings()


def test_all_errors_of_all_files_are_told_at_once_with_their_places(paths: Paths) -> None:
    main = write(
        paths.config_roots[1] / "workloadd.toml",
        '[reconcile]\ninterval = "5 parsecs"\nworker = 3\njobs = "a"\n\n[apu]\nlisten = ""\n',
    )
    broken = write(paths.config_roots[2] / "workloadd.conf.d/a.toml", "[log]\nlevel = \n")
    message = refusal(paths)
    assert f'{main}:2:1: cannot accept reconcile.interval: "parsecs" is not a unit' in message
    assert f"{main}:3:1: cannot accept reconcile.worker: there is no such setting" in message
    assert "did you mean workers?" in message
    assert f"{main}:4:1: cannot accept reconcile.jobs: expected a whole number" in message
    assert f"{main}:6:1: cannot accept apu: there is no such setting (did you mean api?)" in message
    assert f"{broken}:2:9: cannot parse it: invalid value" in message


@pytest.mark.parametrize(
    "text",
    [
        '[api]\nlisten = "0.0.0.0:7780"',
        '[fleetlock]\nupstream = "lock.example.com"',
        '[fleetlock]\nupstream = "https://me:secret@lock.example.com/"',
        '[fleetlock]\nupstream = "file:///etc/passwd"',
        '[fleetlock]\nusers = "zincati"',
        '[api]\nlisten = "example.org:7780"',
        '[api]\nlisten = "127.0.0.1"',
        '[api]\nlisten = "127.0.0.1:0"',
        '[api]\ntoken_file = "token"',
        '[api]\ntoken_file = "credential:"',
        '[api]\ntoken_file = "credential:../token"',
        '[api]\ngroup = "o p s"',
        '[api]\ngroup = "nogroup"',
        "[reconcile]\ninterval = 0",
        "[reconcile]\njitter = 1.5",
        "[pull]\nauth_file = 'auth.json'",
        "[history]\nkeep = true",
        "[log]\nlevel = 'chatty'",
        "history = 3",
    ],
)
def test_values_out_of_bounds_are_refused(paths: Paths, text: str) -> None:
    file = write(paths.config_roots[1] / "workloadd.toml", text)
    assert f"{file}:" in refusal(paths)


def test_what_only_the_whole_shows(paths: Paths) -> None:
    one = write(paths.config_roots[1] / "workloadd.conf.d/a.toml", "[pull]\nbackoff_base='4m'")
    two = write(paths.config_roots[1] / "workloadd.conf.d/b.toml", "[pull]\nbackoff_max='3m'")
    assert read_fragment(one).values == {"pull": {"backoff_base": 240.0}}
    assert f"{one}, {two}: pull.backoff_base is longer" in refusal(paths)
    assert to_settings(merge([read_fragment(one)])).pull.backoff_base == 240.0


def test_files_that_cannot_be_read(paths: Paths) -> None:
    root = paths.config_roots[1]
    (root / "workloadd.toml").mkdir(parents=True)
    assert "Is a directory" in refusal(paths)
    (root / "workloadd.toml").rmdir()
    (root / "workloadd.toml").write_bytes(b"[log]\n# \xff\n")
    assert "is not UTF-8" in refusal(paths)
    (root / "workloadd.toml").write_bytes(b"#" * ((1 << 20) + 1))
    assert "larger than 1 MiB" in refusal(paths)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().history.keep = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("localhost:7780", ("127.0.0.1", 7780)),
        ("[::1]:7780", ("::1", 7780)),
    ],
)
def test_listen_addresses(text: str, address: tuple[str, int]) -> None:
    assert split_listen(text) == address


def test_an_empty_listen_turns_it_off(paths: Paths) -> None:
    write(paths.config_roots[1] / "workloadd.toml", '[api]\nlisten = ""')
    assert load_settings(paths).api.address is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[pull]\n  parallel = 1", (2, 3)),
        ("pull.parallel = 1", (1, 1)),
        ("[ pull ]\n'parallel' = 1", (2, 1)),
        ("x = 1\npull = {parallel = 1}", (2, 1)),
        ("[log]\nparallel = 1", (0, 0)),
    ],
)
def test_keys_are_found_in_the_text(text: str, place: tuple[int, int]) -> None:
    assert locate(text, ("pull", "parallel")) == place


@pytest.mark.parametrize(
    ("written", "low"),
    [
        ("low = '512m'", Low(512 << 20)),
        ("low = '10%'", Low(0, 0.1)),
        ("low_inodes = '0%'", Low(1 << 30, 0.0, 0.0)),
    ],
)
def test_how_much_room_has_to_be_left(paths: Paths, written: str, low: Low) -> None:
    write(paths.config_roots[0] / "workloadd.toml", f"[disk]\n{written}\n")
    assert load_settings(paths).disk.limit == low


@pytest.mark.parametrize(
    "written", ["low = 'much'", "low = '101%'", "low = '-1%'", "low = 'x%'", "low_inodes = '1g'"]
)
def test_what_is_neither_a_size_nor_a_share(paths: Paths, written: str) -> None:
    write(paths.config_roots[0] / "workloadd.toml", f"[disk]\n{written}\n")
    assert "disk.low" in refusal(paths)
