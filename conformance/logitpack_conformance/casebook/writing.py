"""What a writer has to write: corner values of indices, counts, containers and rows.

Strategy: each group ends with the same rows plus an index that cannot be stored, which has to be refused: who writes
everything, or nothing, shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from logitpack_conformance.model import Container
from logitpack_conformance.rows import BOUNDARIES

from .draft import Draft
from .handed import Plain, declared, put_in, refused, rows_of, token, written

LAYOUT = ("ROW-2", "ROW-3", "ROW-4", "IDX-1", "IDX-2", "IDX-3", "IDX-4")
ORDER = ("WR-3", "WR-5")
OVER = ("none", "one", "two", "three")


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _containers()
    yield from _boundaries()
    yield from _counts()
    yield from _many()
    yield from _orders()
    yield from _described()


def closed(twin: Draft, group: str) -> Draft:
    """Return the refusal of a group: the last index of the last row is 262,144."""
    why = "The same rows, but the last index of the last token is 262,144: cut to 18 bits it would be 0."
    change = put_in(-1, -1, "sampled", "indices", -1, 262_144)
    more = ("WR-1", "WR-2")
    return refused(twin, f"{group}/last-index", why, "IDX-6/beyond-18-bits", change, flags=("ALIASING",), more=more)


def at(top: Sequence[int], sampled: Sequence[int]) -> Plain:
    """Return a token with these indices."""
    found = token([10.5 - 0.3 * k for k in range(len(top))], [-4.25 - 0.1 * k for k in range(len(sampled))])
    found["top"]["indices"], found["sampled"]["indices"] = list(top), list(sampled)
    return found


def _containers() -> Iterator[Draft]:
    """Yield what every file owes its container."""
    rows = rows_of("write/container", ((3, 2), (1,), (2, 1, 4)))
    why = "A few rows, of which every column has to come out in its canonical type and place."
    files = ("FILE-1", "COL-1", "COL-2", "COL-3", "ROW-1", "ROW-5", "NUC-1", "LSE-1", "WR-1", "WR-2")
    twin = written("container/rows", why, rows, (*files, *LAYOUT, *ORDER), twin="container/last-index")
    yield twin
    yield closed(twin, "container")
    why = "An IPC stream ends with its end-of-stream marker."
    rows = rows_of("write/stream", ((2,), (3, 1)))
    where = (Container.ARROW_STREAM,)
    twin = written("stream/rows", why, rows, ("FILE-3", "WR-1"), twin="stream/last-index", containers=where)
    yield twin
    yield closed(twin, "stream")
    why = "Stored JSON: one object a line, binary in base64, with each length of padding and every character."
    rows = rows_of("write/json", ((4, 1), (3, 1), (5,), (9,)), stride=2)
    plus, slash = [262_143, 131_072, 200_000, 262_000], [196_608, 196_609, 196_610, 196_611]
    rows.append({"tokens": [at(plus, (65_536, 7)), at(slash, (262_143, 131_071))]})
    where = (Container.JSON,)
    twin = written("json/rows", why, rows, ("JSON-1", "JSON-2", "WR-1"), twin="json/last-index", containers=where)
    yield twin
    yield closed(twin, "json")


def _boundaries() -> Iterator[Draft]:
    """Yield indices on both sides of each change of the high bits, in each lane of a byte."""
    group = "indices"
    for lane in range(4):
        others = range(1_000, 1_008 + lane), range(70_000, 70_000 + lane)
        tail = [*range(2_000, 2_000 + lane), *reversed(BOUNDARIES)]
        rows = [{"tokens": [at([*others[1], *BOUNDARIES], others[0]), at([9, 200_000], tail)]}]
        why = f"Indices on both sides of each change of the high bits, from entry {lane} of the row on."
        requirements = ("IDX-2", "IDX-3", "IDX-4")
        yield written(f"{group}/boundaries-from-{lane}", why, rows, requirements, twin=f"{group}/last-index")
    for over, word in enumerate(OVER):
        why = f"Entries {over} more than a multiple of four, in the nucleus and in the tail of each row."
        rows = rows_of(f"write/indices/{over}", ((4 + over,), (2, 2 + over, 4)), stride=4 + over, vocab=262_144)
        yield written(f"{group}/{word}-over", why, rows, LAYOUT, twin=f"{group}/last-index")
    why = "Nothing but high parts of 3: every padding bit beside them has to be zero."
    rows = [{"tokens": [at([262_143 - k for k in range(5)], range(262_100, 262_105))]}]
    twin = written(f"{group}/all-high", why, rows, ("IDX-2", "IDX-4"), twin=f"{group}/last-index")
    yield twin
    yield closed(twin, group)


def _counts() -> Iterator[Draft]:
    """Yield the least and the largest numbers of entries, and sums that wrap in 8 bits."""
    group, requirements = "counts", ("WR-3", "NUC-1", "NUC-8", "ROW-3", "IDX-2")
    twin = f"{group}/last-index"
    why = "Nuclei of one entry each, and tails of one: S = 1."
    rows = rows_of("write/counts/1", ((1, 1, 1), (1,)), stride=1)
    yield written(f"{group}/single-entries", why, rows, (*requirements, "QNT-4"), twin=twin)
    why = "Nuclei of 100 entries, three in a row: a sum of uint8 counts has wrapped by the third."
    rows = rows_of("write/counts/2", ((100, 100, 100, 2),), stride=2)
    yield written(f"{group}/sum-wraps", why, rows, requirements, twin=twin, flags=("COUNT_WRAP",))
    why = "Nuclei of 255 entries, the most that a count holds, where metadata declare as many."
    rows = rows_of("write/counts/3", ((255, 1), (2, 255)), stride=2)
    metadata = declared(stride=2, max_entries=255)
    yield written(f"{group}/all-of-255", why, rows, requirements, twin=twin, metadata=metadata)
    why = "Tails of 300 entries beside small nuclei."
    rows = rows_of("write/counts/4", ((2, 1),), stride=300)
    wide = written(f"{group}/large-stride", why, rows, ("WR-3", "ROW-4", "IDX-3", "TAIL-1"), twin=twin)
    yield wide
    yield closed(wide, group)


def _many() -> Iterator[Draft]:
    """Yield no row, many rows and a long one."""
    group = "many"
    twin = f"{group}/last-index"
    yield written(f"{group}/no-rows", "No rows at all: a file of none is valid.", [], ("WR-5",), twin=twin)
    why = "A hundred rows of one token: all of them are kept, in their order."
    rows = rows_of("write/many/rows", [(1 + k % 3,) for k in range(100)], stride=1)
    yield written(f"{group}/rows", why, rows, ORDER, twin=twin)
    why = "130 rows of one token, more than a hundred and more than a signed byte counts."
    rows = rows_of("write/many/rows-130", [(1,)] * 130, stride=1)
    yield written(f"{group}/rows-130", why, rows, ORDER, twin=twin)
    why = "One row of 260 tokens, more than 8 bits count."
    rows = rows_of("write/many/tokens", [[1 + k % 2 for k in range(260)]], stride=1)
    yield written(f"{group}/tokens", why, rows, (*ORDER, "ROW-2"), twin=twin)
    why = "Rows of very different lengths."
    rows = rows_of("write/many/mixed", ((1,), [2] * 50, (3, 1), [1] * 20, (5,)), stride=2)
    mixed = written(f"{group}/mixed", why, rows, (*ORDER, "ROW-2"), twin=twin)
    yield mixed
    yield closed(mixed, group)


def _orders() -> Iterator[Draft]:
    """Yield entries in orders that only a writer who keeps them brings out."""
    group, requirements = "order", ("WR-3", "IDX-2")
    twin = f"{group}/last-index"
    tokens = [token([8.0, 9.5, 7.25, 9.0], (-2.0, -1.0, -3.0)), token([1.5, 2.5], (-2.0, -5.0, 0.5))]
    tokens[0]["top"]["indices"] = [90_000, 5, 70_000, 131_072]
    tokens[0]["sampled"]["indices"] = [200_000, 7, 65_536]
    why = "A nucleus in no order at all, neither by logit nor by index."
    yield written(f"{group}/unsorted", why, [{"tokens": tokens}], requirements, twin=twin)
    tokens = [token([float(k) for k in range(5)], (-2.0, -1.0))]
    why = "A nucleus in ascending order of its logits."
    yield written(f"{group}/ascending", why, [{"tokens": tokens}], requirements, twin=twin)
    tokens = [token([9.0, 9.0, 9.0, 8.0, 8.0], (-2.0, -2.0))]
    tokens[0]["top"]["indices"] = [900, 100, 500, 300, 200]
    why = "Equal logits whose indices stand in no order."
    yield written(f"{group}/ties", why, [{"tokens": tokens}], requirements, twin=twin)
    same = token([3.0, 2.0], (-1.0, -1.5))
    why = "Rows and tokens that are all alike: none of them is a duplicate to be left out."
    rows = [{"tokens": [same, same]}, {"tokens": [same, same]}, {"tokens": [same]}]
    alike = written(f"{group}/alike", why, rows, ("WR-3",), twin=twin)
    yield alike
    yield closed(alike, group)


def _described() -> Iterator[Draft]:
    """Yield metadata that have to come out with the rows, and hold for them."""
    group = "described"
    twin = f"{group}/last-index"
    claims = (
        "NUC-4",
        "NUC-5",
        "NUC-6",
        "NUC-7",
        "NUC-8",
        "TAIL-4",
        "LSE-2",
        "LSE-3",
        "IDX-5",
        "META-1",
        "META-7",
        "WR-6",
    )
    rows = rows_of("write/described", ((3, 2), (1,), (2, 4)))
    why = "Rows that are all that their metadata declare: covering, descending, within the vocabulary."
    plain = written(f"{group}/covering", why, rows, claims, twin=twin, metadata=declared())
    yield plain
    why = "Metadata with members that SPEC.md does not know, and text beyond ASCII."
    more = {**declared(), "x-run": {"note": "Überprüfung \u2028 \U0001f600", "list": [1, 2.5, None, True]}}
    yield written(f"{group}/other-members", why, rows, ("META-1", "WR-6"), twin=twin, metadata=more)
    why = "Metadata with members that are empty, 0, false or null, and numbers in several forms."
    odd = {
        "x-none": None,
        "x-zero": 0,
        "x-no": False,
        "x-text": "",
        "x-list": [],
        "x-small": 1e-7,
        "x-1.0": [{}, "1.0"],
    }
    yield written(f"{group}/empty-members", why, rows, ("WR-6",), twin=twin, metadata={**declared(), **odd})
    why = "Metadata with every optional member."
    full = {
        **declared(),
        "model": {"id": "example/teacher", "revision": "a1b2c3", "dtype": "bfloat16"},
        "tokenizer": {"id": "example/teacher", "revision": "a1b2c3", "sha256": "0" * 64, "size": 151_669},
        "mask": {"turns": "assistant", "end_of_turn": False, "excluded": ["think"]},
        "chat_template_sha256": "f" * 64,
        "source": {"id": "example/conversations", "revision": "main", "split": "train"},
        "writer": {"name": "example-writer", "version": "0.3.0"},
    }
    yield written(f"{group}/all-members", why, rows, ("META-1", "WR-6"), twin=twin, metadata=full)
    why = "No rows, but metadata that say what there would have been."
    yield written(f"{group}/no-rows", why, [], ("META-1", "WR-6"), twin=twin, metadata=declared())
    yield closed(plain, group)
