"""The files that LogitPack carries beside its code: the folder `schema/`.

Strategy: an installed package has the folder inside it, a checkout at its root. Everything
else asks here, so that no other module knows where it runs.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def schema_folder() -> Path:
    """Return the folder of schemas: the installed package's own, else the checkout's.

    Raises FileNotFoundError, with the places it looked at, where neither is there.
    """
    here = Path(__file__).resolve()
    places = (here.parent / "schema", here.parents[2] / "schema")
    for place in places:
        if (place / "columns.json").is_file():
            return place
    looked = " or ".join(str(place) for place in places)
    raise FileNotFoundError(f"LogitPack is not whole: columns.json is not in {looked}")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the JSON document `name` of the schema folder, parsed; callers leave it as it is."""
    text = (schema_folder() / name).read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
