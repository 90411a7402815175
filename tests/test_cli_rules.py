"""`logitpack rules`: what the specification says, from the terminal."""

from __future__ import annotations

import json
import re

import pytest

from commandline import ROOT, logitpack

REQUIREMENTS = json.loads((ROOT / "schema" / "requirements.json").read_text("utf-8"))["requirements"]
SPEC = (ROOT / "SPEC.md").read_text("utf-8")


def test_all_requirements_are_listed() -> None:
    """Without an id there is a line for each requirement, in the order of SPEC.md."""
    result = logitpack("rules")
    assert (0, "") == (result.status, result.err)
    header, *lines = result.out.splitlines()
    assert ["id", "level", "kind", "title"] == header.split()
    assert [(one["id"], one["level"]) for one in REQUIREMENTS] == [tuple(line.split()[:2]) for line in lines]
    assert all(line.endswith(one["title"]) for one, line in zip(REQUIREMENTS, lines, strict=True))


@pytest.mark.parametrize("one", REQUIREMENTS, ids=lambda one: one["id"])
def test_one_requirement(one: dict[str, str]) -> None:
    """Each has its title, text, reason, level, section, and an anchor that SPEC.md has."""
    result = logitpack("rules", one["id"])
    assert (0, "") == (result.status, result.err)
    lines = result.out.splitlines()
    assert f"{one['id']}  {one['title']}" == lines[0]
    assert one["text"] in lines
    assert f"Why: {one['reason']}" in lines
    facts = dict(re.split(r"  +", line, maxsplit=1) for line in lines[-4:])
    assert (one["level"], one["section"], f"SPEC.md#{one['anchor']}") == (
        facts["level"],
        facts["section"],
        facts["read"],
    )
    assert f'<a id="{one["anchor"]}"></a>' in SPEC


@pytest.mark.parametrize("spelling", ["IDX-3", "idx-3", "idx3", "Idx_3", " IDX 3 ", "idx-03"])
def test_spellings_of_an_id(spelling: str) -> None:
    """Upper and lower case, and what stands before the number, are the same."""
    assert logitpack("rules", "IDX-3") == logitpack("rules", spelling)


def test_group() -> None:
    """The name of a group lists its requirements."""
    result = logitpack("rules", "nuc")
    expected = [one["id"] for one in REQUIREMENTS if one["id"].startswith("NUC-")]
    assert expected == [line.split()[0] for line in result.out.splitlines()[1:]]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("IDX-99", "did you mean IDX-"), ("NUK-4", "did you mean NUC-4"), ("%%%", "the groups are FILE, JSON, COL")],
)
def test_unknown_id(asked: str, hint: str) -> None:
    """An id that is not there is wrong usage, and those spelt like it are named."""
    result = logitpack("rules", asked)
    assert (2, "") == (result.status, result.out)
    assert result.err.startswith(f"error: there is no requirement {asked}; {hint}")
    assert 1 == result.err.count("\n")


def test_unknown_id_is_escaped() -> None:
    """What the user typed is printed without its control characters."""
    assert "\x1b" not in logitpack("rules", "\x1b[31mX").err


@pytest.mark.parametrize("arguments", [[], ["IDX-3"], ["IDX"]])
def test_json(arguments: list[str]) -> None:
    """As JSON the same requirements have all their members, and where to read them."""
    document = json.loads(logitpack("rules", *arguments, "--format", "json").out)
    wanted = (arguments or [""])[0]
    expected = [{**one, "read": f"SPEC.md#{one['anchor']}"} for one in REQUIREMENTS if one["id"].startswith(wanted)]
    assert {"spec": "1.0", "requirements": expected} == document
