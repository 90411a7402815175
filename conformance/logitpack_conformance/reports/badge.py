"""badge.json: an endpoint badge as shields.io reads it. It holds no word of the adapter's own."""

from __future__ import annotations

import json

from logitpack_conformance.model import SPEC
from logitpack_conformance.reports.facts import Facts
from logitpack_conformance.score import Overall

COLORS = {Overall.CONFORMANT: "brightgreen", Overall.NOT_CONFORMANT: "red", Overall.INCOMPLETE: "lightgrey"}


def encode(facts: Facts) -> bytes:
    """Return the badge: the roles, the verdict, and the containers that it holds for."""
    containers = f" ({', '.join(facts.containers)})" if facts.containers else ""
    badge = {
        "schemaVersion": 1,
        "label": f"LogitPack {SPEC}",
        "message": f"{', '.join(facts.roles) or 'no role'}: {facts.overall}{containers}",
        "color": COLORS[facts.overall],
    }
    return (json.dumps(badge) + "\n").encode("ascii")
