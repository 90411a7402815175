"""The folder of a call: only what was checked in goes in, and nothing is followed out of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import GOOD, case
from logitpack_conformance import workplace
from logitpack_conformance.manifest import SuiteFault
from logitpack_conformance.model import Material


def test_fill(tmp_path: Path) -> None:
    """The files of a case are copied, and its input is named."""
    one = case("a/b", tmp_path)
    place = tmp_path / "in"
    assert place / "in.ndjson" == workplace.fill(place, one, one.materials["json"], tmp_path)
    assert GOOD == (place / "in.ndjson").read_bytes()


def test_fill_a_dataset(tmp_path: Path) -> None:
    """Folders in a case are made, and the input may be the folder itself."""
    one = case("a/b", tmp_path)
    material = one.materials["json"]
    (tmp_path / material.folder / "data").mkdir()
    (tmp_path / material.folder / "in.ndjson").rename(tmp_path / material.folder / "data" / "in.ndjson")
    nested = Material(material.folder, ".", {"data/in.ndjson": material.digests["in.ndjson"]})
    place = tmp_path / "in"
    assert place == workplace.fill(place, one, nested, tmp_path)
    assert GOOD == (place / "data" / "in.ndjson").read_bytes()


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (lambda path: path.write_bytes(b"other"), "is not the file that the manifest lists"),
    "missing": (lambda path: path.unlink(), "cannot be read"),
}


@pytest.mark.parametrize(("damage", "words"), FAULTS.values(), ids=FAULTS)
def test_fixtures_at_fault(damage: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    """A file that is not the one that was checked in is never sent."""
    one = case("a/b", tmp_path)
    damage(tmp_path / "cases/a/b/json/in.ndjson")
    with pytest.raises(SuiteFault, match=words):
        workplace.fill(tmp_path / "in", one, one.materials["json"], tmp_path)


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/../../x"])  # noqa: S108 - not written
def test_paths_out_of_the_folder(name: str, tmp_path: Path) -> None:
    """A manifest cannot have files written elsewhere."""
    one = case("a/b", tmp_path)
    material = replace(one.materials["json"], digests={name: "0" * 64})
    with pytest.raises(SuiteFault, match="is no path below the case"):
        workplace.fill(tmp_path / "in", one, material, tmp_path)


def test_outputs(tmp_path: Path) -> None:
    """Only a regular file of bearable size in its own folder is an output."""
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "around").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(workplace.OUTPUT_LIMIT + 1)
    names = ["file", "none", "folder", "link", "pipe", "around/file", "large"]
    found = [workplace.missing(tmp_path / name) for name in names]
    assert ["", "there is no output", *["the output is no regular file"] * 3] == found[:5]
    assert "the folder of the output was replaced" == found[5]
    assert found[6].startswith(f"the output has {workplace.OUTPUT_LIMIT + 1} bytes")


def test_remove(tmp_path: Path) -> None:
    """Links go, and what they lead to stays; folders that nobody may enter go too."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    place = tmp_path / "place"
    inner = place / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (inner / "file").write_text("gone")
    (place / "link").symlink_to(tmp_path / "kept")
    (place / "file").symlink_to(tmp_path / "kept" / "file")
    for folder in (inner, inner.parent, inner.parent.parent):
        folder.chmod(0)
    workplace.remove(place)
    assert not place.exists()
    assert "kept" == (tmp_path / "kept" / "file").read_text()


def test_remove_a_link(tmp_path: Path) -> None:
    """A folder that was replaced by a link is not followed."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("kept")
    (tmp_path / "place").symlink_to(tmp_path / "kept")
    workplace.remove(tmp_path / "place")
    assert ["kept"] == [path.name for path in tmp_path.iterdir()]
    assert "kept" == (tmp_path / "kept" / "file").read_text()


def test_remove_a_deep_folder(tmp_path: Path) -> None:
    """However deep folders stand in folders, they go."""
    place = tmp_path / "place"
    place.mkdir()
    here = os.open(place, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    workplace.remove(place)
    assert not place.exists()


def test_remove_nothing(tmp_path: Path) -> None:
    """A folder that is gone already is no fault."""
    workplace.remove(tmp_path / "gone")


def test_content(tmp_path: Path) -> None:
    """A file is read up to a limit; no link, pipe or folder is read, nor waited for."""
    (tmp_path / "file").write_bytes(b"123")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    assert b"123" == workplace.content(tmp_path / "file", 3)
    with pytest.raises(OSError, match="it has more than 2 bytes"):
        workplace.content(tmp_path / "file", 2)
    for name in ("link", "pipe", "", "none"):
        with pytest.raises(OSError, match=r"."):
            workplace.content(tmp_path / name, 3)


def _seen(places: workplace.Workplaces, act: Callable[[Path], object]) -> Path:
    with places.fresh() as place:
        act(place)
    return place


def test_a_folder_is_fresh_and_goes_by_another_name(tmp_path: Path) -> None:
    """What a call leaves is not there at the next, and neither is the name of its folder."""
    places = workplace.Workplaces(tmp_path)

    def litter(place: Path) -> None:
        assert ["in"] == [one.name for one in place.rglob("*")]
        (place / "out").write_bytes(b"x")
        (place / "in" / "more").write_bytes(b"x")
        (place / "link").symlink_to(tmp_path)

    names = [_seen(places, litter).name for _ in range(3)]
    assert 3 == len(set(names))


def _nested(place: Path) -> None:
    (place / "a").mkdir()
    (place / "a" / "file").touch()


def _replaced(place: Path) -> None:
    (place / "in").rmdir()
    (place / "in").touch()


MESSES: dict[str, Callable[[Path], object]] = {
    "a folder": lambda place: (place / "in" / "folder").mkdir(),
    "in a folder": _nested,
    "in gone": lambda place: (place / "in").rmdir(),
    "in a file": _replaced,
    "other rights": lambda place: (place / "in").chmod(0o755),
    "no rights": lambda place: place.chmod(0o500),
    "gone": lambda place: place.rename(place.with_name("elsewhere")),
}


@pytest.mark.parametrize("mess", MESSES.values(), ids=MESSES)
def test_a_folder_that_is_not_as_it_was_is_not_used_again(mess: Callable[[Path], object], tmp_path: Path) -> None:
    """Folders of the adapter's own, or other rights: the next call gets a new one, and the old one is gone."""
    places = workplace.Workplaces(tmp_path)
    assert not _seen(places, mess).exists()
    assert ["in"] == [one.name for one in _seen(places, lambda _: None).parent.glob("call-*/*")]


def test_no_link_is_followed_in_emptying(tmp_path: Path) -> None:
    """An adapter that puts a link in the place of a folder has nothing removed elsewhere."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()

    def act(place: Path) -> None:
        (place / "in").rmdir()
        (place / "in").symlink_to(tmp_path / "mine")

    _seen(workplace.Workplaces(tmp_path), act)
    assert (tmp_path / "mine" / "file").exists()
