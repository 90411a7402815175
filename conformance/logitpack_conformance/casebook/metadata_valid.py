"""Metadata that readers take: absent, of a later minor version, with unknown members (META-3, META-4, META-6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from logitpack_conformance.rows import Metadata, Row

from .bases import contents, edited, sound, variant
from .draft import ARROW, Draft, Stored, accept

AT = "meta"
Change = Callable[[Metadata], object]


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _absent()
    yield from _unknown()
    yield from _minor()
    yield from _written()


def described(name: str, change: Change = lambda _: None, **options: Any) -> tuple[Stored, Metadata]:
    """Return sound rows in the containers that have metadata, and these metadata after a change in place."""
    content = contents(name, **{"containers": ARROW, **options})
    metadata: Metadata = json.loads(json.dumps(content.metadata))
    change(metadata)
    return replace(content, metadata=metadata), metadata


def _with_major(twin: Draft, name: str, metadata: Mapping[str, Any]) -> Draft:
    """Return the twin in another major version: the file that a reader refuses."""
    why = "The same metadata, of major version 2: that, a reader does not ignore."
    foreign = {**metadata, "spec_version": "2.0"}
    return variant(twin, name, why, "META-2/version-2.0", embedded=foreign, flags=("MAJOR_IGNORED",))


def _absent() -> Iterator[Draft]:
    """META-4."""
    at = f"{AT}/absent"
    for name, options, why in (
        ("one-row", {"sizes": (3,)}, "A Core file: no metadata at all."),
        ("more-rows", {"sizes": (2, 1, 2)}, "A Core file of several rows."),
        ("with-ids", {"token_ids": True, "features": ("token_ids",)}, "A Core file with token_ids."),
    ):
        key = f"{at}/{name}"
        members: dict[str, Any] = {"core": True, "requirements": ("META-4",), "twin": f"{key}-broken", **options}
        twin = sound(key, why, **members)
        yield twin
        yield edited(
            twin, f"{key}-broken", "A Core file in which a logsumexp is missing.", "ROW-2/logsumexp-short", _short
        )


def _short(rows: list[Row]) -> None:
    rows[-1]["logsumexp"].pop()


def _unknown() -> Iterator[Draft]:
    """META-3."""
    at = f"{AT}/unknown"
    changes: tuple[tuple[str, Change, str], ...] = (
        (
            "at-top",
            lambda m: m.update(license="CC0-1.0", notes=[1, None, {"x": {}}]),
            "Members at the top that no version has.",
        ),
        ("in-objects", _nested, "Members inside model, nucleus, tail and mask that this version does not have."),
        (
            "first",
            lambda m: _put_first(m, "audit", {"spec_version": "9.0"}),
            "An unknown object that has a spec_version of its own.",
        ),
        (
            "strange-names",
            lambda m: m.update({"": 1, "Spec_Version": "2.0", "spec_version ": "3.0"}),
            "Members whose names are almost that of the version.",
        ),
        ("deep", lambda m: m.update(deep=_deep(40)), "An unknown member that is nested forty levels deep."),
    )
    for name, change, why in changes:
        key = f"{at}/{name}"
        content, metadata = described(key, change)
        twin = accept(key, why, content, requirements=("META-3",), twin=f"{key}-major")
        yield twin
        yield _with_major(twin, f"{key}-major", metadata)


def _nested(metadata: Metadata) -> None:
    metadata["model"]["quantisation"] = {"bits": 4}
    metadata["nucleus"]["ties"] = "lowest"
    metadata["tail"]["gumbel"] = [0.1, 2e-3]
    metadata["mask"] = {"turns": "assistant", "speaker": None}


def _put_first(metadata: Metadata, name: str, value: object) -> None:
    rest = dict(metadata)
    metadata.clear()
    metadata.update({name: value}, **rest)


def _deep(levels: int) -> Any:
    return [] if levels == 0 else {"in": [_deep(levels - 1)]} if levels % 2 else [_deep(levels - 1)]


def _minor() -> Iterator[Draft]:
    """META-6."""
    at = f"{AT}/minor"
    for version, change, why in (
        ("1.1", lambda _: None, "The next minor version, with nothing new in it."),
        ("1.7", lambda m: m.update(entropy={"unit": "nats"}), "A later minor version with a member that it added."),
        ("1.10", lambda m: m["tail"].update(weights="none"), "Minor version 10, which text would sort before 2."),
        ("1.999999999", lambda _: None, "The largest minor version that the form allows."),
    ):
        key = f"{at}/{version.replace('.', '-')}"
        content, metadata = described(key, change)
        metadata["spec_version"] = version
        twin = accept(key, why, replace(content, metadata=metadata), requirements=("META-6",), twin=f"{key}-major")
        yield twin
        yield _with_major(twin, f"{key}-major", metadata)


def _written() -> Iterator[Draft]:
    """Every way in which the same members can be written."""
    at = f"{AT}/written"

    def everything(metadata: Metadata) -> None:
        metadata["model"].update(revision="a1b2c3", dtype="bfloat16")
        metadata["tokenizer"].update(revision="a1b2c3", sha256="0a" * 32, size=metadata["vocab_size"])
        metadata["tail"]["seed"] = 7
        metadata.update(
            temperature=1.0,
            mask={"turns": "assistant", "end_of_turn": False, "excluded": ["think"]},
            chat_template_sha256="f0" * 32,
            source={"id": "example/conversations", "revision": "d4", "split": "train"},
            writer={"name": "example-writer", "version": "0.3.0"},
        )

    def least(metadata: Metadata) -> None:
        metadata["nucleus"] = {"rule": "unspecified"}
        metadata["tail"] = {"num_sampled": metadata["tail"]["num_sampled"], "method": "unspecified"}

    def floats(metadata: Metadata) -> None:
        metadata["vocab_size"] = float(metadata["vocab_size"])
        metadata["nucleus"]["max_entries"] = 100.0
        metadata["tail"].update(num_sampled=float(metadata["tail"]["num_sampled"]), seed=-7.0)

    changes: tuple[tuple[str, Change, str], ...] = (
        ("everything", everything, "Every member that the specification knows."),
        ("least", least, "No member but the required ones."),
        ("whole-floats", floats, "Integers written with a fraction of zero, which JSON Schema takes for integers."),
    )
    for name, change, why in changes:
        yield accept(f"{at}/{name}", why, described(f"{at}/{name}", change)[0])
    texts: tuple[tuple[str, Callable[[Metadata], bytes], str], ...] = (
        ("indented", lambda m: json.dumps(m, indent=2).encode() + b"\n", "Indented, with a line break at the end."),
        (
            "compact",
            lambda m: json.dumps(m, separators=(",", ":"), sort_keys=True).encode(),
            "Without white space, members sorted.",
        ),
        (
            "escaped",
            lambda m: json.dumps(m).replace("spec_version", "spec\\u005fversion").encode(),
            "A member's name with an escape.",
        ),
        ("utf-8", _utf_8, "Identifiers in characters beyond ASCII, as UTF-8."),
        ("exponents", _exponents, "Numbers with exponents: 1e2 entries, a top_p of 9e-1."),
        (
            "white-space",
            lambda m: b"\r\n\t " + json.dumps(m).encode() + b" \r\n",
            "White space before and after the object.",
        ),
    )
    for name, write, why in texts:
        key = f"{at}/{name}"
        content, metadata = described(key, top_p=0.9)
        yield accept(key, why, replace(content, metadata=write(metadata)))


def _utf_8(metadata: Metadata) -> bytes:
    metadata["model"]["id"] = "例/教師-7b — ü"
    return json.dumps(metadata, ensure_ascii=False).encode()


def _exponents(metadata: Metadata) -> bytes:
    text = json.dumps(metadata)
    return text.replace('"max_entries": 100', '"max_entries": 1e2').replace('"top_p": 0.9', '"top_p": 9e-1').encode()
