"""Flags: classes of bugs, each with what it does to the data of someone whose program has it."""

from __future__ import annotations

FLAGS = {
    "TRUNCATION": "A file that was cut short is read as a shorter one: rows are missing, and nobody is told.",
    "TRAILING_BYTES": "Bytes after the end are overlooked: two files run together are read as the first of them.",
    "BIT_ROT": "Bytes that changed on disk are read as if they had been written: logits nobody computed.",
    "SIGNED_LOW": "Low parts of 32,768 and above are read as negative: the index of another token, or a crash.",
    "COUNT_WRAP": "Sums of uint8 counts wrap at 256: from there on every token has the entries of another.",
    "STRIDE_REMAINDER": "The remainder of n*S by n is dropped: a tail that lost entries passes for a shorter one.",
    "HIGH_LENGTH": "Missing or surplus bytes of high parts are overlooked: indices are wrong without a sign.",
    "PADDING_AS_DATA": "Padding bits are taken for high parts: a last entry gets an index 65,536 or more too large.",
    "NAN_SPREADS": "NaN or an infinity is passed on: one such value makes a whole training loss NaN.",
    "RANGE_OVERFLOW": "max - min overflows binary32: every logit of the token becomes infinite or NaN.",
    "MIN_MAX_SWAPPED": "Lower and upper end are taken for each other: likely tokens become unlikely ones.",
    "DOUBLED_COLUMN": "One of two columns of a name is taken: which one depends on the library.",
    "NULL_AS_ZERO": "A null is read as 0 or skipped: an entry gets an index or a logit that nobody stored.",
    "COERCED_TYPE": "A type that nobody widened is converted: text, fractions or booleans pass for indices and logits.",
    "LENIENT_BASE64": "Base64 that is not quite is decoded somehow: programs get different bytes of one text.",
    "LOW_ALIASED": "A low part outside 16 bits is cut: the entry gets the index of another token.",
    "CODE_ALIASED": "A code outside 16 bits is cut or used as it is: a logit far from, or outside, its range.",
    "MSB_FIRST": "High parts are taken most significant bits first: indices of 65,536 and above are another token's.",
    "PER_TOKEN_PACKING": "High parts begin anew at each token: all tokens but the first have wrong indices.",
    "SCALE_65536": "Codes are divided by 65,536 or 65,534: every logit but the smallest is off by up to 2^-16 of it.",
    "SHIFT": "Entries are filled from the wrong position: the student learns to skip or repeat tokens.",
    "COUNTED_TWICE": "An entry stands twice: its probability counts twice, in every sum over the token.",
    "WITH_REPLACEMENT": "The tail was drawn with replacement: weights that assume distinct entries are wrong.",
    "BEYOND_VOCABULARY": "An index beyond the vocabulary: a lookup by it fails, or takes another token's row.",
    "CAP_IGNORED": "A nucleus larger than declared: consumers that allocate by max_entries lose entries, or fail.",
    "STRIDE_CHANGES": "S changes between rows: tails stacked into one array shift, and their weights are wrong.",
    "IDS_ASTRAY": "Token ids that are no tokens are taken for tokens: a loss is computed for another one.",
    "ZERO_BY_ZERO": "0/0 in an empty range leaves NaN, or a code that means nothing.",
    "LOOSE_RANGE": "A range wider than its logits: steps are coarser than they need to be.",
    "NOT_THE_TOP": "The nucleus is not the top of the distribution: likely tokens are missing from it.",
    "SORTED_OTHERWISE": "Entries are not in the declared order: whoever takes the first k takes others.",
}
"""By name."""
