"""Single faults: for each requirement on files, ways to break it, and it alone, in valid rows.

Strategy: a fault changes valid rows and valid metadata (`rows.valid_rows`, `rows.described`) in place, mostly in the
last row. It is named by the requirement and an operation. Some rows leave no room for some faults: NoRoomError says so.
"""

from __future__ import annotations

from . import meaning, structure
from .making import FAULTS, Fault, NoRoomError
from .structure import PER_TOKEN

__all__ = ["FAULTS", "PER_TOKEN", "Fault", "NoRoomError", "meaning", "structure"]
