"""What a writer has to refuse, whatever its metadata, beside the nearest that it has to write.

Strategy: no valid file can hold these rows as they are (WR-1, WR-3, WR-4), so that a refusal is all that is left. The
fault stands at the first token as well as at the last, where a writer may have written the rest already (WR-2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from logitpack_conformance.oracle.binary32 import LARGEST

from .draft import Draft
from .handed import Change, Plain, both, put, put_in, refused, rows_of, token, without, written

MOST = float(LARGEST)
WIDEST = 2.0**102
"""FLT_MAX + 2^102 still rounds to FLT_MAX; FLT_MAX + 2^103 is a tie, and rounds to infinity."""
SIDES = {"top": "nucleus", "sampled": "tail"}
COUNTS = ((3, 2), (1,), (2, 4))
REFUSING = ("WR-1", "WR-2")


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _indices()
    yield from _not_finite()
    yield from _overflows()
    yield from _twice()
    yield from _contradictions()
    yield from _token_ids()
    yield from _partial()


def _indices() -> Iterator[Draft]:
    """Yield indices that do not fit 18 bits (IDX-6)."""
    group, fault, flags = "index", "IDX-6/beyond-18-bits", ("ALIASING",)
    rows = rows_of("refuse/index", COUNTS, vocab=262_144, chosen=(262_143,))
    why = "The largest index that can be stored, 262,143, in the first nucleus and in the last tail."
    put_in(-1, -1, "sampled", "indices", -1, 262_143)(rows)
    twin = written(f"{group}/largest", why, rows, ("IDX-6", "WR-1", "WR-5"), twin=f"{group}/nucleus-first")
    yield twin
    for slug, row, kind, value in (
        ("nucleus-first", 0, "top", 262_144),
        ("nucleus-last", -1, "top", 262_144),
        ("tail-first", 0, "sampled", 262_144),
        ("nucleus-262149", -1, "top", 262_149),
        ("tail-2-to-32", -1, "sampled", 2**32),
        ("nucleus-2-to-32-and-5", 0, "top", 2**32 + 5),
        ("tail-2-to-63", -1, "sampled", 2**63),
        ("nucleus-2-to-64-and-7", -1, "top", 2**64 + 7),
        ("nucleus-negative", 0, "top", -1),
        ("tail-negative", -1, "sampled", -1),
        ("tail-negative-262144", -1, "sampled", -262_144),
    ):
        why = f"An index of {value:,} in a {SIDES[kind]}: 18 bits of it are another token's."
        change = put_in(row, row, kind, "indices", 0, value)
        yield refused(twin, f"{group}/{slug}", why, fault, change, flags=flags, more=REFUSING)


def _not_finite() -> Iterator[Draft]:
    """Yield logits (QNT-6) and logsumexps (LSE-1) that are no numbers."""
    group, flags = "finite", ("NAN_AS_ZERO",)
    rows = rows_of("refuse/finite", COUNTS)
    twin = written(
        f"{group}/all", "Finite logits and logsumexps.", rows, ("QNT-6", "LSE-1"), twin=f"{group}/nan-top-first"
    )
    yield twin
    values = {"nan": math.nan, "infinity": math.inf, "minus-infinity": -math.inf}
    for name, value in values.items():
        for kind, where in SIDES.items():
            for slug, place in (("first", 0), ("last", -1)):
                why = f"A logit of the {slug} token's {where} is {value}: it has no code."
                change = put_in(place, place, kind, "logits", place, value)
                fault = f"QNT-6/{name}"
                yield refused(twin, f"{group}/{name}-{kind}-{slug}", why, fault, change, flags=flags, more=REFUSING)
        why = f"The last logsumexp is {value}: no probability of the token is known."
        change = put(-1, -1, "logsumexp", value)
        yield refused(twin, f"{group}/{name}-logsumexp", why, f"LSE-1/{name}", change, more=REFUSING)
    why = "A nucleus of one entry whose logit is NaN: min and max are NaN too, and compare with nothing."
    change = put_in(1, 0, "top", "logits", 0, math.nan)
    yield refused(twin, f"{group}/nan-single-entry", why, "QNT-6/nan", change, flags=flags)


def _overflows() -> Iterator[Draft]:
    """Yield ranges that binary32 cannot hold (QNT-1, QNT-11)."""
    group, flags = "overflow", ("RANGE_OVERFLOW",)

    def rows(top: list[float], sampled: tuple[float, ...] = (-1.0, -2.0)) -> list[Plain]:
        return [{"tokens": [token([2.0, 1.0], (0.0, 0.5)), token(top, sampled, 4e38)]}]

    why = "A range from -2^102 to the largest finite number: its width rounds to that number."
    twin = written(
        f"{group}/just-finite", why, rows([MOST, -WIDEST], (-WIDEST, -MOST)), ("QNT-1",), twin=f"{group}/tie"
    )
    yield twin
    why = "A range from -2^103 to the largest finite number: its width is a tie, and rounds to infinity."
    change = put_in(0, 1, "top", "logits", 1, -2 * WIDEST)
    lower = put_in(0, 1, "sampled", "logits", 0, -2 * WIDEST)
    yield refused(twin, f"{group}/tie", why, "QNT-1/width", both(change, lower), flags=flags)
    why = "Logits of 1.7e38 and -1.7e38: their difference is finite."
    twin = written(
        f"{group}/wide", why, rows([1.7e38, -1.7e38], (-1.7e38, -3e38)), ("QNT-1", "QNT-11"), twin=f"{group}/nucleus"
    )
    yield twin
    why = "Nucleus logits of 3e38 and -3e38: both are finite in binary32, their difference is not."
    spread = both(put_in(0, 1, "top", "logits", 0, 3e38), put_in(0, 1, "top", "logits", 1, -3e38))
    lower = put_in(0, 1, "sampled", "logits", 0, -3e38)
    yield refused(twin, f"{group}/nucleus", why, "QNT-1/width", both(spread, lower), flags=flags)
    why = "Tail logits of 1.5e38 and -3e38: their difference is not finite in binary32."
    spread = both(put_in(0, 1, "top", "logits", 1, 1.6e38), put_in(0, 1, "sampled", "logits", 0, 1.5e38))
    yield refused(twin, f"{group}/tail", why, "QNT-1/width", spread, flags=flags)
    for slug, value, told in (
        ("beyond", 1e39, "beyond every finite binary32 number"),
        ("beyond-by-little", 3.40282355e38, "above the largest finite binary32 number, though nearest to it"),
    ):
        why = f"A nucleus logit of {value} is {told}: no range contains it."
        yield refused(twin, f"{group}/{slug}", why, "QNT-11/beyond", _top(value), flags=flags, more=("QNT-1",))
    why = "A tail logit of -1e39 is below every finite binary32 number: no range contains it."
    change = put_in(0, 1, "sampled", "logits", 1, -1e39)
    yield refused(twin, f"{group}/tail-beyond", why, "QNT-11/beyond", change, flags=flags, more=("QNT-1",))


def _top(value: float) -> Change:
    return both(put_in(0, 1, "top", "logits", 0, value), put(0, 1, "logsumexp", 2e39))


def _copied(row: int, token: int, source: tuple[str, int], target: tuple[str, int]) -> Change:
    def change(rows: list[Plain]) -> None:
        parts = rows[row]["tokens"][token]
        parts[target[0]]["indices"][target[1]] = parts[source[0]]["indices"][source[1]]

    return change


def _twice() -> Iterator[Draft]:
    """Yield indices that stand twice (NUC-2, TAIL-1, TAIL-2)."""
    group = "twice"
    rows = rows_of("refuse/twice", COUNTS)
    why = "Distinct indices in every nucleus and tail, which keep clear of each other."
    twin = written(f"{group}/none", why, rows, ("NUC-2", "TAIL-1", "TAIL-2"), twin=f"{group}/nucleus-first")
    yield twin
    for slug, row, source, target, fault in (
        ("nucleus-first", 0, ("top", 0), ("top", 1), "NUC-2/index-twice"),
        ("nucleus-last", -1, ("top", 0), ("top", 3), "NUC-2/index-twice"),
        ("tail-first", 0, ("sampled", 0), ("sampled", 1), "TAIL-1/index-twice"),
        ("tail-last", -1, ("sampled", 0), ("sampled", 2), "TAIL-1/index-twice"),
        ("both-first", 0, ("top", 0), ("sampled", 0), "TAIL-2/in-nucleus"),
        ("both-last", -1, ("top", 3), ("sampled", 2), "TAIL-2/in-nucleus"),
    ):
        where = "in a tail and its nucleus" if slug.startswith("both") else f"twice in a {SIDES[source[0]]}"
        why = f"An index stands {where}, at the {slug.split('-')[1]} token."
        change = _copied(row, row, source, target)
        yield refused(twin, f"{group}/{slug}", why, fault, change, flags=("COUNTED_TWICE",), more=REFUSING)


def _contradictions() -> Iterator[Draft]:
    """Yield rows that contradict themselves (NUC-3, LSE-2)."""
    group = "contradiction"
    rows = [{"tokens": [token([3.0, 2.0], (1.0, 0.0), 3.5), token([3.0, 2.0], (1.0, 0.0), 3.5)]}]
    why = "Tails below their nuclei, and logsumexps a little above what is stored."
    twin = written(f"{group}/none", why, rows, ("NUC-3", "LSE-2"), twin=f"{group}/tail-above")
    yield twin
    for slug, place in (("tail-above", -1), ("tail-above-first", 0)):
        why = "A tail logit is above the smallest of the nucleus: the nucleus is not the top."
        change = put_in(0, place, "sampled", "logits", 0, 2.25)
        yield refused(twin, f"{group}/{slug}", why, "NUC-3/tail-above", change, flags=("NOT_THE_TOP",), more=REFUSING)
    for slug, place in (("logsumexp-small", -1), ("logsumexp-small-first", 0)):
        why = "A logsumexp is 0.2 below that of the stored entries: probabilities add up to more than 1."
        change = put(0, place, "logsumexp", 3.2)
        flags = ("LSE_TOO_SMALL",)
        yield refused(twin, f"{group}/{slug}", why, "LSE-2/too-small", change, flags=flags, more=REFUSING)
    why = "A logsumexp of 0 beside raw logits."
    yield refused(twin, f"{group}/logsumexp-zero", why, "LSE-2/zero", put(0, 1, "logsumexp", 0.0))


def _token_ids() -> Iterator[Draft]:
    """Yield token ids that cannot be stored (ALN-4)."""
    group, features, flags = "ids", ("token_ids",), ("IDS_ASTRAY",)
    rows = rows_of("refuse/ids", COUNTS, token_ids=True)
    twin = written(
        f"{group}/all", "A token id in every token.", rows, ("ALN-4",), twin=f"{group}/negative", features=features
    )
    yield twin
    for slug, value in (("negative", -1), ("2-to-31", 2**31), ("2-to-32", 2**32), ("minus-100", -100)):
        why = f"The token id of the last token is {value}."
        change = put(-1, -1, "token_id", value)
        yield refused(twin, f"{group}/{slug}", why, f"ALN-4/{slug}", change, flags=flags, more=REFUSING)
    for slug, changes in (
        ("some-tokens", (_no_id(0, 1),)),
        ("all-but-last-token", (_no_id(-1, -1),)),
        ("all-but-first-token", (_no_id(0, 0),)),
        ("all-but-last-row", (_no_id(-1, 0), _no_id(-1, 1))),
        ("all-but-first-row", (_no_id(0, 0), _no_id(0, 1))),
    ):
        why = "Token ids in some tokens only: they can neither be stored nor left out."
        yield refused(twin, f"{group}/{slug}", why, "ALN-4/some", both(*changes), flags=flags, more=("COL-3",))


def _no_id(row: int, token: int) -> Change:
    return lambda rows: rows[row]["tokens"][token].pop("token_id")


def _partial() -> Iterator[Draft]:
    """Yield many rows whose last token is at fault: nothing that looks complete may be left (WR-2)."""
    group, flags = "partial", ("PARTIAL_FILE",)
    rows = rows_of("refuse/partial", [(2, 1)] * 60, stride=2)
    twin = written(f"{group}/all", "Sixty rows without fault.", rows, ("WR-2",), twin=f"{group}/index")
    yield twin
    for slug, fault, change in (
        ("index", "IDX-6/beyond-18-bits", put_in(-1, -1, "top", "indices", 0, 262_144)),
        ("nan", "QNT-6/nan", put_in(-1, -1, "sampled", "logits", 0, math.nan)),
        ("length", "ROW-3/logit-missing", without(-1, -1, "top", "logits")),
        ("logsumexp", "LSE-1/infinity", put(-1, -1, "logsumexp", math.inf)),
    ):
        why = f"Of 60 rows the last token of the last one is at fault ({fault.split('/')[0]}): 59 rows are no file."
        yield refused(twin, f"{group}/{slug}", why, fault, change, flags=flags, more=REFUSING)
