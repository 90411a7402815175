"""`logitpack rules`: the requirements of the specification.

Strategy: everything is read from schema/requirements.json, which is generated from SPEC.md,
so that what is printed here cannot say anything else than the text does.
"""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any

import typer

from logitpack.cli.output import Column, Format, print_facts, print_json, print_line, print_table
from logitpack.errors import UsageError
from logitpack.resources import load_schema

KINDS = {"S": "structural", "M": "semantic", "B": "behaviour"}
MEANINGS = {
    "S": "structural: every reader rejects a row or file that breaks it",
    "M": "semantic: a checker reports a breach, a reader may accept it",
    "B": "behaviour: an obligation on a program, not on a file",
}

EPILOG = """\b
Examples:
  logitpack rules
  logitpack rules IDX-3
  logitpack rules NUC --format json"""


def rules(
    wanted: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="A requirement (IDX-3) or a group of them (IDX).", show_default="all"),
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="For people, or for programs.", metavar="text|json")
    ] = Format.text,
) -> None:
    """Print the requirements of the specification, or one of them."""
    document = load_schema("requirements.json")
    found = find(document["requirements"], wanted)
    if form is Format.json:
        print_json({"spec": document["spec"], "requirements": [_full(one) for one in found]})
    elif len(found) == 1:
        _print_one(found[0])
    else:
        columns = [Column("id", "bold cyan"), Column("level"), Column("kind"), Column("title")]
        rows = [(one["id"], one["level"], KINDS[one["kind"]], one["title"]) for one in found]
        print_table(columns, rows)


def find(requirements: list[dict[str, Any]], wanted: str | None) -> list[dict[str, Any]]:
    """Return the requirement `wanted`, those of the group `wanted`, or all where it is None.

    Upper and lower case are the same, and so are `IDX-3`, `IDX 3` and `idx3`. Raises
    UsageError, with what is spelt like it, for any other.
    """
    if wanted is None:
        return requirements
    asked = re.sub(r"^([A-Z]+)[-_ ]?0*([0-9]+)$", r"\1-\2", wanted.strip().upper())
    found = [one for one in requirements if asked in (one["id"], one["id"].partition("-")[0])]
    if not found:
        ids = [one["id"] for one in requirements]
        groups = list(dict.fromkeys(name.partition("-")[0] for name in ids))
        near = difflib.get_close_matches(asked, ids + groups, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"the groups are {', '.join(groups)}"
        raise UsageError(f"there is no requirement {wanted}; {hint}", got=wanted)
    return found


def _full(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"read": f"SPEC.md#{one['anchor']}"}


def _print_one(one: dict[str, Any]) -> None:
    print_line(f"{one['id']}  {one['title']}", "bold")
    print_line()
    print_line(one["text"])
    print_line()
    print_line(f"Why: {one['reason']}")
    print_line()
    print_facts(
        [
            ("level", one["level"]),
            ("kind", MEANINGS[one["kind"]]),
            ("section", one["section"]),
            ("read", f"SPEC.md#{one['anchor']}"),
        ]
    )
