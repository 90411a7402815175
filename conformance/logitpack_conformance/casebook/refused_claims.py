"""What a writer has to refuse because of the metadata it is given: rows that do not hold what they declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from logitpack_conformance.oracle.logical import LogicalToken

from .draft import Draft
from .handed import Plain, declared, plain_token, put, put_in, refused, rows_of, with_entry, without, written
from .masses import token_of

COUNTS = ((3, 2), (1,), (2, 4))
REFUSING = ("WR-1", "WR-2")
VOCAB = 128_256


def drafts() -> Iterator[Draft]:
    """Yield the cases."""
    yield from _vocabulary()
    yield from _covering()
    yield from _below()
    yield from _others()
    yield from _metadata()


def _vocabulary() -> Iterator[Draft]:
    """Yield indices (IDX-6, IDX-5) and token ids (ALN-4) beyond a declared vocabulary."""
    group, flags = "vocabulary", ("BEYOND_VOCABULARY",)
    rows = rows_of("refuse/vocabulary", COUNTS, vocab=VOCAB, token_ids=True)
    put_in(0, 0, "top", "indices", 2, VOCAB - 1)(rows)
    put_in(-1, -1, "sampled", "indices", 2, VOCAB - 1)(rows)
    put(-1, -1, "token_id", VOCAB - 1)(rows)
    why = "The last index of the vocabulary, vocab_size - 1, in a nucleus, in a tail and as a token id."
    requirements = ("IDX-5", "IDX-6", "ALN-4", "LSE-3")
    members: dict[str, Any] = {"metadata": declared(VOCAB), "features": ("token_ids",)}
    twin = written(f"{group}/last-index", why, rows, requirements, twin=f"{group}/nucleus", **members)
    yield twin
    for slug, row, kind, value in (
        ("nucleus", 0, "top", VOCAB),
        ("nucleus-last", -1, "top", VOCAB),
        ("tail", -1, "sampled", VOCAB),
        ("tail-largest", 0, "sampled", 262_143),
    ):
        why = f"An index of {value:,}, while vocab_size is {VOCAB:,}."
        change = put_in(row, row, kind, "indices", 1, value)
        yield refused(twin, f"{group}/{slug}", why, "IDX-6/beyond-vocabulary", change, flags=flags, more=("IDX-5",))
    why = f"A token id of {VOCAB:,}, while vocab_size is as large."
    change = put(-1, -1, "token_id", VOCAB)
    yield refused(twin, f"{group}/token-id", why, "ALN-4/beyond-vocabulary", change, flags=flags, more=REFUSING)
    why = "A logsumexp that 128,256 entries cannot add up to."
    change = put(-1, -1, "logsumexp", 60.0)
    yield refused(twin, f"{group}/logsumexp", why, "LSE-3/too-large", change, flags=("LSE_TOO_LARGE",), more=REFUSING)


def _rows(*tokens: LogicalToken) -> list[Plain]:
    return [{"tokens": [plain_token(one) for one in tokens]}]


def _covering() -> Iterator[Draft]:
    """Yield nuclei that cover too little (NUC-4) or too much (NUC-5)."""
    group, metadata = "covering", declared(stride=2, top_p=0.98)
    rows = _rows(token_of([0.5, 0.49]), token_of([0.99]), token_of([0.9, 0.05, 0.04]))
    why = "Nuclei that end with the entry that crosses 0.98, that of p = 0.50 and 0.49 among them."
    twin = written(f"{group}/met", why, rows, ("NUC-4", "NUC-5"), twin=f"{group}/crossing-dropped", metadata=metadata)
    yield twin
    why = "p = 0.50 and 0.49: the nucleus holds only the first, and claims to cover 0.98."
    change = without(0, 0, "top", "indices", "logits")
    flags = ("CROSSING_DROPPED",)
    yield refused(twin, f"{group}/crossing-dropped", why, "NUC-4/short", change, flags=flags, more=REFUSING)
    why = "The last nucleus holds 0.95 of the 0.98 that it claims to cover."
    change = without(0, 2, "top", "indices", "logits")
    yield refused(twin, f"{group}/last-token", why, "NUC-4/short", change, flags=flags, more=REFUSING)
    why = "A nucleus has an entry after the one that crosses 0.98."
    change = with_entry(0, 0, "top", 9_000, token_of([0.5, 0.001]).top.logits[1].__float__())
    yield refused(twin, f"{group}/entry-too-many", why, "NUC-5/entry-too-many", change, flags=("OVERFULL",))


def _below() -> Iterator[Draft]:
    """Yield nuclei that hold more than rule below allows (NUC-6)."""
    group, metadata = "below", declared(stride=2, top_p=0.98, rule="below")
    rows = _rows(token_of([0.5]), token_of([0.99]), token_of([0.6, 0.3]))
    why = "Nuclei that stay below 0.98, or are one entry."
    twin = written(f"{group}/met", why, rows, ("NUC-6",), twin=f"{group}/crossing-kept", metadata=metadata)
    yield twin
    why = "p = 0.50 and 0.49: the nucleus holds both, above the 0.98 that rule below allows."
    change = with_entry(0, 0, "top", 9_000, token_of([0.5, 0.49]).top.logits[1].__float__())
    yield refused(twin, f"{group}/crossing-kept", why, "NUC-6/kept", change, flags=("OVERFULL",), more=REFUSING)


def _others() -> Iterator[Draft]:
    """Yield other claims: the cap (NUC-8), the order (NUC-7), the stride (TAIL-4)."""
    group = "claims"
    rows = rows_of("refuse/claims", ((3, 2), (1,), (2, 4)))
    metadata = declared(max_entries=4)
    why = "Nuclei of at most 4 entries in descending order, and tails of 3."
    requirements = ("NUC-7", "NUC-8", "TAIL-4")
    twin = written(f"{group}/met", why, rows, requirements, twin=f"{group}/order-last", metadata=metadata)
    yield twin
    why = "The last two entries of the last nucleus are not in descending order."
    members: dict[str, Any] = {"flags": ("SORTED_OTHERWISE",), "more": REFUSING}
    yield refused(twin, f"{group}/order-last", why, "NUC-7/swapped", _swap(-1, -1, 2, 3), **members)
    why = "The first two entries of the first nucleus are not in descending order."
    yield refused(twin, f"{group}/order-first", why, "NUC-7/swapped", _swap(0, 0, 0, 1), **members)
    why = "Metadata declare at most 3 entries, the last nucleus has 4."
    fewer = declared(max_entries=3)
    yield refused(twin, f"{group}/cap", why, "NUC-8/lower-declared", metadata=fewer, more=REFUSING)
    for number in (2, 4):
        why = f"Metadata declare a tail of {number} entries a token, there are 3."
        other = {**metadata, "tail": {**metadata["tail"], "num_sampled": number}}
        yield refused(twin, f"{group}/stride-{number}", why, "TAIL-4/declared", metadata=other, more=REFUSING)


def _swap(row: int, token: int, first: int, second: int) -> Any:
    def change(rows: list[Plain]) -> None:
        part = rows[row]["tokens"][token]["top"]
        for values in (part["indices"], part["logits"]):
            values[first], values[second] = values[second], values[first]

    return change


def _metadata() -> Iterator[Draft]:
    """Yield metadata that no file may have (META-1), or that no reader of this version understands (META-2)."""
    group, metadata = "metadata", declared()
    rows = rows_of("refuse/metadata", COUNTS)
    why = "Metadata that are valid."
    twin = written(f"{group}/valid", why, rows, ("META-1", "WR-1"), twin=f"{group}/no-vocab-size", metadata=metadata)
    yield twin
    for slug, told, other in (
        ("no-vocab-size", "lack vocab_size", {name: part for name, part in metadata.items() if name != "vocab_size"}),
        ("no-top-p", "lack the top_p of rule covering", {**metadata, "nucleus": {"rule": "covering"}}),
        ("unknown-rule", "name a rule that there is not", {**metadata, "nucleus": {"rule": "nearly"}}),
        ("temperature", "declare a temperature of 0.7", {**metadata, "temperature": 0.7}),
        ("tokenizer-size", "declare a tokenizer wider than the vocabulary", _wider(metadata)),
        ("version", "have a version that is no version", {**metadata, "spec_version": "1"}),
        ("empty", "are an empty object", {}),
    ):
        yield refused(twin, f"{group}/{slug}", f"The metadata {told}.", f"META-1/{slug}", metadata=other, more=REFUSING)
    why = "The metadata declare major version 2, whose columns may mean something else."
    later = {**metadata, "spec_version": "2.0"}
    yield refused(twin, f"{group}/major-2", why, "META-2/major-2", metadata=later, more=REFUSING)


def _wider(metadata: Plain) -> Plain:
    return {**metadata, "tokenizer": {"id": "example/teacher", "size": metadata["vocab_size"] + 1}}
