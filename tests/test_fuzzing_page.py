"""docs/fuzzing-and-pytest.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logitpack_conformance import plugin
from logitpack_conformance import strategies as lp
from logitpack_conformance.fuzz.conduct import CALLS, FOLDER, MOST_WAYS, SECONDS
from logitpack_conformance.process import Limits
from logitpack_conformance.run import PATIENCE

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "fuzzing-and-pytest.md").read_text("utf-8")


def test_each_strategy_is_named() -> None:
    """The table lists the strategies that there are."""
    table = PAGE.split("| strategy | gives |")[1].split("\n\n")[0]
    wanted = {name for name in lp.__all__ if name[0].islower()} - {"smallest"}
    assert wanted == set(re.findall(r"`(\w+)`", table))


def test_each_option_is_named() -> None:
    """The table lists the options of the plugin that there are."""
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    options = {name for group in parser._groups for option in group.options for name in option.names()}
    table = PAGE.split("| option | |")[1].split("\n\n")[0]
    first = "".join(line.split("|")[1] for line in table.splitlines()[2:])
    assert options == set(re.findall(r"`(--[\w-]+)", first))


def test_bounds() -> None:
    """The numbers are those of the suite."""
    words = {10: "ten", 60.0: "a minute"}
    assert f"at most {CALLS:,} calls and {words[SECONDS]}, and {words[MOST_WAYS]} ways" in PAGE
    assert f"sound answer to {words[PATIENCE]} requests in a row" in PAGE
    assert f"{Limits().timeout:g} seconds and {Limits().memory >> 20:,} MiB by default" in PAGE
    assert f"./{FOLDER}" in PAGE


def test_python_is_python() -> None:
    """The Python on the page can be run: its tests pass where they are called."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, object] = {}
    exec(compile(code, "page", "exec"), found)  # noqa: S102
    assert {"test_reader", "test_reader_rejects", "test_writer"} <= set(found)
