"""A reader adapter for container json that needs nothing but Python: copy it, and put your own reader in its place."""

import base64
import json
import math
import struct
import sys
from decimal import Decimal

HELLO = {"protocol": 1, "spec": ["1.0"], "name": "minimal", "version": "1", "roles": ["reader"], "containers": ["json"]}
INTEGERS = ("top_counts", "top_indices_low", "top_logits_quantized", "sampled_indices_low", "sampled_logits_quantized")
FLOATS = ("top_min", "top_max", "sampled_min", "sampled_max", "logsumexp")
COLUMNS = ("num_tokens", "top_indices_high", "sampled_indices_high", *INTEGERS, *FLOATS)


def _need(holds: object, requirement: str) -> None:  # what does not hold rejects the file, as other exceptions do
    if not holds:
        raise ValueError(requirement)


def _binary32(text: str) -> float:  # rounded once, from the decimal text (section 4.3); raises for an infinite number
    near = float(text)
    if 0 < abs(near) < math.inf and near != Decimal(text) and struct.pack("<d", near)[0] % 2 == 0:
        near = math.nextafter(near, math.inf if near < Decimal(text) else -math.inf)  # odd, and so never half-way
    return float(struct.unpack("<f", struct.pack("<f", near))[0])


def _row(line: str, ids: set[int]) -> str:  # numbers stay text, as bytes, until it is known how to round them
    pairs = json.loads(line, object_pairs_hook=tuple, parse_constant=int, parse_int=str.encode, parse_float=str.encode)
    names, stored = [name for name, _ in pairs], {"token_ids": [], **dict(pairs)}
    ids.add(names.count("token_ids"))
    _need(type(pairs) is tuple and all(names.count(c) == 1 for c in COLUMNS) and ids in ({0}, {1}), "JSON-1, COL-1")
    for name in (*INTEGERS, *FLOATS, "token_ids"):  # list.copy and bytes.decode take no other type: COL-2, COL-3
        stored[name] = [(str if name in FLOATS else int)(bytes.decode(number)) for number in list.copy(stored[name])]
    n, counts = int(bytes.decode(stored["num_tokens"])), bytes(stored["top_counts"])  # bytes end at 255: NUC-1
    _need(n > 0 and len(counts) == n and all(len(stored[name]) == n for name in FLOATS), "ROW-1, ROW-2")
    tokens: list[dict[str, object]] = [{"logsumexp": float(text)} for text in stored["logsumexp"]]
    for kind, sizes in ("top", counts), ("sampled", [len(stored["sampled_indices_low"]) // n] * n):
        low, text, codes = (stored[f"{kind}_{part}"] for part in ("indices_low", "indices_high", "logits_quantized"))
        _need(base64.b64encode(high := base64.b64decode(text, validate=True)).decode() == text, "JSON-2")
        _need(min(sizes) > 0 and len(low) == len(codes) == sum(sizes), "NUC-1, ROW-3, ROW-4")
        _need(len(high) == (len(low) + 3) // 4 and all(0 <= x < 65536 for x in low + codes), "IDX-3, IDX-1, QNT-8")
        index, code = iter([x + 65536 * (high[j // 4] >> 2 * (j % 4) & 3) for j, x in enumerate(low)]), iter(codes)
        for token, size, *ends in zip(tokens, sizes, stored[f"{kind}_min"], stored[f"{kind}_max"], strict=True):
            least, most = map(_binary32, ends)
            _need(least <= most and struct.pack("<f", most - least), "QNT-1")  # raises where the difference is infinite
            logits = [least + next(code) / 65535 * (most - least) for _ in range(size)]
            token[kind] = {"indices": [next(index) for _ in range(size)], "logits": logits}
    return json.dumps({"tokens": tokens}, allow_nan=False) + "\n"  # no infinities: LSE-1


for request in map(json.loads, sys.stdin.buffer):
    answer = {"seq": request["seq"], **(HELLO if request["cmd"] == "hello" else {"outcome": "accepted"})}
    if request["cmd"] == "read":
        with open(request["input"], encoding="utf-8", newline="\n") as file, open(request["output"], "w") as output:  # noqa: PTH123
            try:
                output.writelines(_row(line, ids) for ids in [set[int]()] for line in file)
            except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
                answer |= {"outcome": "rejected", "message": str(error)}
    print(json.dumps(answer), flush=True)
