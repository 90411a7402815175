"""CHK-3: one fault whose consequences are not to be reported.

Strategy: each file breaks one requirement such that others, judged all the same, would fail as well. A checker that
reports them blames what is sound, and nobody can tell the fault from what follows of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from logitpack_conformance.model import Kind
from logitpack_conformance.oracle.enclosure import log_sum_exp
from logitpack_conformance.oracle.logical import LogicalEntries, LogicalToken, encode
from logitpack_conformance.rows import Row, described

from .alignments import BEFORE, OWN, facts, ids, mostly, nuclei
from .alignments import row as aligned_row
from .bases import edited, sound, stored, variant
from .draft import Draft, Folder, Stored, accept, broken
from .draws import PARQUET, lower_half, pairs, rows_of
from .draws import facts as uniform
from .masses import token_of
from .sizes import shorter
from .spots import added, with_entries
from .spread import DATASET, metadata_of

FLAGS = ("CONSEQUENCES",)
AT = "chk/one-fault"
WITNESSES = frozenset(
    {
        "columns/nulls/logsumexp-element",  # COL-3, and not ROW-2
        "container/arrow-stream-cut/after-first-batch",  # FILE-3, and not FILE-1
        "container/parquet-cut/in-footer",  # FILE-1, and not FILE-4
        "idx/high-length/one-over/top-short",  # IDX-3, and not IDX-4
        "idx/low-range/nucleus-65536",  # IDX-1, and not IDX-5
        "json/base64/no-padding",  # JSON-2, and not IDX-3
        "lse/finite/nan",  # LSE-1, and not LSE-2
        "meta/major/0-9",  # META-2, and not META-1
        "meta/size/one-more",  # META-7, and not META-1
        "qnt/code-range/nucleus-65536",  # QNT-8, and not NUC-7
        "types/refused/logsumexp-string",  # COL-2, and not COL-5
    }
)
"""Cases of other groups that are evidence for CHK-3 as well."""


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _sets()
    yield from _masses()
    yield from _strides()
    yield from _ids()
    yield from _files()


def _file(tokens: list[LogicalToken], vocab_size: int = 50_000, **nucleus: Any) -> Stored:
    declared = {"top_p": 0.9, "max_entries": 100, "rule": "covering", "order": "descending", **nucleus}
    stride = len(tokens[0].sampled.indices)
    tail = {"num_sampled": stride, "method": "unspecified"}
    return Stored([encode(tokens)], described(vocab_size=vocab_size, nucleus=declared, tail=tail))


def _both(
    slug: str, whys: tuple[str, str], fault: str, twin: Stored, content: Stored, **members: Any
) -> Iterator[Draft]:
    first = accept(f"{AT}/{slug}/sound", whys[0], twin)
    yield first
    requirement = fault.partition("/")[0]
    members = {"requirements": (requirement, "CHK-3"), "flags": FLAGS, **members}
    yield broken(first, f"{AT}/{slug}/fault", whys[1], fault, content, **members)


def _sets() -> Iterator[Draft]:
    """NUC-2, TAIL-1, TAIL-2 and NUC-3, which LSE-2, LSE-3 and the masses stand on."""
    plain = token_of([0.55, 0.4])

    def top(token: LogicalToken, index: int, logit: Fraction) -> LogicalToken:
        return with_entries(token, "top", lambda part: added(part, index, logit))

    first = plain.top.logits[0]
    twice = LogicalEntries([11, *plain.top.indices], [first, *plain.top.logits])
    why = (
        "A nucleus of 0.55 and 0.40.",
        "The entry of 0.55 stands twice: NUC-2, and neither that the sum exceeds 1 (LSE-2) nor that it is too much.",
    )
    yield from _both("nuc-2", why, "NUC-2/entry-twice", _file([plain]), _file([replace(plain, top=twice)]))
    drawn = LogicalEntries([plain.top.indices[0], *plain.sampled.indices[1:]], [first, *plain.sampled.logits[1:]])
    why = (
        "A tail below its nucleus.",
        "The first tail entry is that of 0.55: TAIL-2, and neither that it is above the nucleus (NUC-3) nor LSE-2.",
    )
    yield from _both("tail-2", why, "TAIL-2/entry-drawn", _file([plain]), _file([replace(plain, sampled=drawn)]))
    small = _whole([Fraction(4), Fraction(3)], [Fraction(5, 2), Fraction(1), Fraction(-1)])
    again = LogicalEntries([2, 3, 2], [Fraction(5, 2), Fraction(1), Fraction(5, 2)])
    why = (
        "A whole vocabulary of five entries is stored, and logsumexp is that of all of them.",
        "The last tail entry is the first again: TAIL-1, and not that the sum exceeds logsumexp (LSE-2).",
    )
    faulty = _file([replace(small, sampled=again)], 5, top_p=0.8)
    yield from _both("tail-1", why, "TAIL-1/entry-twice", _file([small], 5, top_p=0.8), faulty)
    above = LogicalEntries(plain.sampled.indices, [first + 3, plain.sampled.logits[1]])
    why = (
        "A tail below its nucleus, and a logsumexp above both.",
        "A tail logit is above nucleus and logsumexp: NUC-3, and not LSE-2, which would fail as well.",
    )
    yield from _both("nuc-3", why, "NUC-3/tail-above", _file([plain]), _file([replace(plain, sampled=above)]))
    flat = replace(token_of([0.3, 0.3, 0.3]), logsumexp=10.0)
    why = (
        "A nucleus of three entries of 0.3, max_entries is 3.",
        "A fourth entry, beyond max_entries: NUC-8, and not that three would have been enough (NUC-5).",
    )
    more = top(flat, 5, flat.top.logits[-1] - 3)
    yield from _both("nuc-8", why, "NUC-8/entry-more", _file([flat], max_entries=3), _file([more], max_entries=3))


def _whole(top: list[Fraction], tail: list[Fraction]) -> LogicalToken:
    logsumexp = float(log_sum_exp([*top, *tail]).high)
    return LogicalToken(logsumexp, LogicalEntries([0, 1], top), LogicalEntries([2, 3, 4], tail))


def _masses() -> Iterator[Draft]:
    """LSE-2 and LSE-3, which NUC-4, NUC-5 and NUC-6 stand on."""
    for rule, p, told in (("covering", [0.6, 0.32], "too much (NUC-5)"), ("below", [0.5, 0.3], "too much (NUC-6)")):
        content = _file([token_of(p)], rule=rule)
        row = content.rows[0]
        why = (
            f"A nucleus that meets rule {rule}.",
            f"The logsumexp is 2 too small: LSE-2, and not that the nucleus holds {told}.",
        )
        small = replace(content, rows=[row | {"logsumexp": [row["logsumexp"][0] - 2]}])
        yield from _both(f"lse-2-{rule}", why, "LSE-2/too-small", content, small)
    content = _file([token_of([0.6, 0.32])])
    row = content.rows[0]
    why = (
        "A nucleus that covers 0.9.",
        "The logsumexp is 40 too large: LSE-3, and not that the nucleus holds next to nothing (NUC-4).",
    )
    large = replace(content, rows=[row | {"logsumexp": [row["logsumexp"][0] + 40]}])
    yield from _both("lse-3", why, "LSE-3/too-large", content, large)
    why = (
        "A range of two equal logits.",
        "Min = max and a code of 65,535: QNT-4, and not that the order of codes is wrong or the range too wide.",
    )
    level = replace(token_of([0.48, 0.48]), logsumexp=10.0)
    content = _file([level], order="unspecified")
    codes = {"top_logits_quantized": [0, 65_535]}
    wrong = replace(content, rows=[content.rows[0] | codes])
    yield from _both("qnt-4", why, "QNT-4/code", content, wrong)


def _strides() -> Iterator[Draft]:
    """ROW-5, which TAIL-4 stands on, and TAIL-4 by itself."""
    twin = sound(f"{AT}/row-5/sound", "Three rows with the S that is declared.", counts=((2,), (1, 3), (2,)), stride=3)
    yield twin
    why = "The first row has another S than it declares, and than all others: ROW-5, and not TAIL-4."
    members: dict[str, Any] = {"requirements": ("ROW-5", "CHK-3"), "flags": FLAGS}
    yield edited(twin, f"{AT}/row-5/fault", why, "ROW-5/less", lambda rows: shorter(rows[0]), **members)


def _ids() -> Iterator[Draft]:
    """ALN-4, which ALN-5 stands on."""
    found = nuclei(f"{AT}/aln-4", 130)
    taken = ids(found, mostly(BEFORE, 130))
    sound_ids = ids(found, mostly(OWN, 130))
    twin = Stored([aligned_row(found, sound_ids)], facts())
    why = (
        "Tokens in the nuclei of their own entries.",
        "The ids lack the first: ALN-4, and not that all others stand in the nucleus of a neighbour (ALN-5).",
    )
    short: Row = aligned_row(found, taken) | {"token_ids": taken[1:]}
    content = Stored([short], facts())
    yield from _both("aln-4", why, "ALN-4/first-missing", twin, content, features=("token_ids",))


def _files() -> Iterator[Draft]:
    """FILE-2, which TAIL-3 and ALN-5 stand on."""
    found = pairs(f"{AT}/file-2", lower_half)
    half = len(found) // 2

    def folder(second: dict[str, Any]) -> Folder:
        first = Stored(rows_of(found[:half]), uniform(), containers=PARQUET)
        last = Stored(rows_of(found[half:]), second, containers=PARQUET)
        return Folder({"data/part-0": first, "data/part-1": last}, containers=PARQUET)

    why = "Two files that agree, whose tails are not as uniform as declared: TAIL-3, a warning."
    members: dict[str, Any] = {"features": DATASET, "requirements": ("TAIL-3",)}
    twin = accept(f"{AT}/file-2/sound", why, folder(uniform()), findings=("TAIL-3",), **members)
    yield replace(twin, twin="tail/uniform/two-files/sound")
    why = "The second file declares another seed: FILE-2, and not TAIL-3, for they are not one dataset."
    tail = {**uniform()["tail"], "seed": 8}
    members = {"requirements": ("FILE-2", "CHK-3"), "findings": ("FILE-2",), "flags": FLAGS, "kind": Kind.EITHER}
    yield broken(twin, f"{AT}/file-2/fault", why, "FILE-2/another-seed", folder(uniform(tail=tail)), **members)
    core = sound(f"{AT}/meta-1/sound", "A vocabulary of 32,000 entries, and indices within it.", vocab=32_000)
    yield core
    why = "Metadata without a required member count as absent: META-1, and nothing that they would have declared."
    absent = dict(metadata_of(stored(core))) | {"vocab_size": 5, "nucleus": {"rule": "covering"}}
    only = tuple(container for container in stored(core).containers if container != "json")
    members = {"requirements": ("META-1", "CHK-3"), "flags": FLAGS, "containers": only}
    yield variant(core, f"{AT}/meta-1/fault", why, "META-1/member-missing", embedded=absent, **members)
