"""Fuzz what reads files: change small valid ones, and check, read and show each in a child process that may crash.

Strategy: an input is its seed and number. Workers make, check and read inputs one after another, under limits of
memory and time; who dies or hangs over one is replaced, and that input is saved. An input passes where all that comes
of it is a report whose every form prints, rows, or an error of LogitPack's own.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

import compact
import flat
import logitpack
import logitpack.stored_json
from logitpack import native, recycling
from logitpack.cli.annotations import commands
from logitpack.cli.findings import lines
from logitpack.cli.onerow import read_row
from logitpack.cli.sarif import document
from logitpack_conformance.rows import described, valid_rows
from support import table

MEMORY, RESIDENT, PATIENCE = 4 << 30, 700 << 20, 20.0
"""Bytes that a worker can allocate and those it may come to use, and seconds for an input."""
INTEGERS = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1)


class Base(NamedTuple):
    """A valid file that inputs are made of."""

    name: str
    extension: str
    content: bytes


@cache
def bases() -> list[Base]:
    """Return small valid files of each container, in many encodings."""
    rows = table(valid_rows(token_ids=True), metadata=described())
    more = rows.append_column("words", pa.array(["a", "b", "a"]).dictionary_encode())
    more = more.append_column("nested", pa.array([{"a": [1, 2]}, {"a": []}, None]))
    views = _retyped(rows)
    found = []
    for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
        for version in ("1.0", "2.0"):
            settings: dict[str, Any] = {
                "compression": codec,
                "data_page_version": version,
                "use_dictionary": codec == "none",
            }
            found.append(Base(f"parquet {codec} {version}", ".parquet", _parquet(more, **settings)))
    for encoding in ("PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "RLE_DICTIONARY"):
        settings = {"compression": "none", "row_group_size": 2, "data_page_size": 64, "write_page_checksum": True}
        leaves = [f"{name}.list.element" for name in rows.schema.names if _is_list(rows, name)]
        if encoding == "RLE_DICTIONARY":
            settings["use_dictionary"] = True
        else:
            kinds = {leaf: _fits(rows, leaf, encoding) for leaf in leaves}
            settings |= {"use_dictionary": False, "column_encoding": kinds}
        found.append(Base(f"parquet {encoding}", ".parquet", _parquet(rows, **settings)))
    arrays: dict[str, Any] = {"use_dictionary": False, "column_encoding": {"top_indices_high": "DELTA_BYTE_ARRAY"}}
    found.append(Base("parquet DELTA_BYTE_ARRAY", ".parquet", _parquet(rows, compression="none", **arrays)))
    for compression in (None, "lz4", "zstd"):
        for content, label in ((rows, "plain"), (more, "more"), (views, "views")):
            for stream, extension in ((False, ".arrow"), (True, ".arrows")):
                name = f"{extension[1:]} {label} {compression}"
                found.append(Base(name, extension, _ipc(content, stream=stream, compression=compression)))
    text = "".join(f"{line}\n" for batch in rows.to_batches() for line in logitpack.stored_json.stored_lines(batch))
    found.append(Base("json", ".ndjson", text.encode()))
    return found


def _is_list(content: pa.Table, name: str) -> bool:
    return bool(pa.types.is_list(content.schema.field(name).type))


def _fits(content: pa.Table, leaf: str, encoding: str) -> str:
    whole = pa.types.is_integer(content.schema.field(leaf.partition(".")[0]).type.value_type)
    return "PLAIN" if encoding == "DELTA_BINARY_PACKED" and not whole else encoding


def _retyped(content: pa.Table) -> pa.Table:
    """Return rows as views and large lists."""
    arrays = {}
    for number, name in enumerate(content.schema.names):
        array = content.column(name).combine_chunks()
        if pa.types.is_list(array.type):
            kind = (pa.list_view, pa.large_list, pa.large_list_view)[number % 3]
            array = pa.array(array.to_pylist(), kind(array.type.value_type))
        elif pa.types.is_binary(array.type):
            array = pa.array(array.to_pylist(), pa.binary_view())
        arrays[name] = array
    return pa.table(arrays).replace_schema_metadata(content.schema.metadata)


def _parquet(content: pa.Table, **settings: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(content, out, **settings)
    return out.getvalue()


def _ipc(content: pa.Table, *, stream: bool, compression: str | None) -> bytes:
    out = io.BytesIO()
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(out, content.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(content, 2)
    return out.getvalue()


# Inputs


def made(seed: int, number: int) -> tuple[Base, bytes]:
    """Return an input: the file it was made of, and its bytes."""
    draw = Random(f"{seed}/{number}")  # noqa: S311
    base = draw.choice(bases())
    data = bytearray(base.content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        change = draw.choice(CHANGES[base.extension])
        with suppress(Exception):  # what was changed before may have no such place any more
            data = bytearray(change(data, draw, base)) or data
    return base, bytes(data)


def flip(data: bytearray, draw: Random, _: Base) -> bytes:
    """Flip one bit."""
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(data)


def overwrite(data: bytearray, draw: Random, _: Base) -> bytes:
    """Put an integer of 1 to 8 bytes somewhere."""
    width = draw.choice((1, 2, 4, 8))
    at = draw.randrange(len(data))
    value = draw.choice(INTEGERS) * draw.choice((1, 1, -1)) % (1 << 8 * width)
    data[at : at + width] = value.to_bytes(width, "little")
    return bytes(data)


def cut(data: bytearray, draw: Random, _: Base) -> bytes:
    """Cut the end off."""
    return bytes(data[: draw.randrange(1, len(data) + 1)])


def remove(data: bytearray, draw: Random, _: Base) -> bytes:
    """Take a part out."""
    at = draw.randrange(len(data))
    return bytes(data[:at] + data[at + draw.choice((1, 4, 8, 64, 500)) :])


def repeat(data: bytearray, draw: Random, _: Base) -> bytes:
    """Let a part stand several times."""
    at, size = draw.randrange(len(data)), draw.choice((1, 4, 8, 64, 500))
    return bytes(data[:at] + data[at : at + size] * draw.choice((2, 3, 50)) + data[at + size :])


def splice(data: bytearray, draw: Random, base: Base) -> bytes:
    """Put a part of another file of the container, or of this one, in place of a part."""
    other = draw.choice([one.content for one in bases() if one.extension == base.extension] + [bytes(data)])
    start, size = draw.randrange(len(other)), draw.choice((1, 4, 8, 64, 500))
    at = draw.randrange(len(data))
    return bytes(data[:at] + other[start : start + size] + data[at + size :])


def footer(data: bytearray, draw: Random, _: Base) -> bytes:
    """Change a value of a Parquet footer, and write it whole again."""
    tree = compact.footer_of(bytes(data))
    _spoil(tree, draw)
    return compact.with_footer(bytes(data), tree)


def page_header(data: bytearray, draw: Random, _: Base) -> bytes:
    """Change a value of the header of a page, and move what follows it in the file."""
    tree = compact.footer_of(bytes(data))
    chunks = [column.get(3) for group in tree.get(4).value for column in group.get(1).value]
    about = draw.choice(chunks)
    at = about.get(draw.choice((9, 9, 11)) if about.has(11) else 9).value
    header, end = compact.parsed(bytes(data), at)
    _spoil(header, draw)
    raw = compact.written(header)
    longer = at + len(raw) - end
    for chunk in chunks:
        for name in (9, 11):
            if chunk.has(name) and chunk.get(name).value > at:
                chunk.get(name).value += longer
    about.get(7).value += longer
    return compact.with_footer(bytes(data[:at]) + raw + bytes(data[end:]), tree)


def _spoil(tree: compact.Field, draw: Random) -> None:
    """Change one value of a tree, or repeat or drop one."""
    nodes = [node for node in tree.nodes() if node.kind not in {compact.TRUE, compact.FALSE, compact.DOUBLE}]
    node = draw.choice(nodes)
    if node.kind in {compact.I16, compact.I32, compact.I64}:
        near = node.value + draw.choice((-2, -1, 1, 2, 8))
        node.value = draw.choice((near, near, draw.choice(INTEGERS), -draw.choice(INTEGERS), node.value * 2))
    elif node.kind in {compact.BINARY, compact.BYTE} and node.kind == compact.BINARY:
        node.value = draw.choice((b"", node.value * 2, node.value[:-1], b"\x1b]0;x\x07\xff", b"logitpack"))
    elif node.kind in {compact.LIST, compact.STRUCT} and node.value:
        at = draw.randrange(len(node.value))
        change = draw.randrange(4)
        if change == 0:
            del node.value[at]
        elif change == 1:
            node.value.insert(at, node.value[draw.randrange(len(node.value))])
        elif change == 2:
            draw.shuffle(node.value)
        else:
            node.value = node.value * draw.choice((2, 5))


def claim(data: bytearray, draw: Random, base: Base) -> bytes:
    """Change the length of an array, the place or length of a buffer or block, or what a compressed buffer claims."""
    found = [message for message in flat.messages(data) if message.nodes]
    message = draw.choice(found)
    places = [(at + 8 * k) for at in (*message.nodes, *message.buffers) for k in range(2)]
    places += [message.body + flat.number(data, at, "<q") for at in message.buffers]
    if base.extension == ".arrow":
        places += [at + 8 * k for at in flat.blocks(data) for k in range(3)]
    at = draw.choice(places)
    old = flat.number(data, at, "<q")
    new = draw.choice((old + draw.choice((-8, -1, 1, 8)), draw.choice(INTEGERS), -draw.choice(INTEGERS), old * 2))
    flat.put(data, at, max(min(new, 2**63 - 1), -(2**63)))
    return bytes(data)


def metadata(data: bytearray, draw: Random, _: Base) -> bytes:
    """Overwrite a part of a flatbuffer of a message: a table's offsets, types, counts."""
    message = draw.choice(list(flat.messages(data)))
    at = message.start + 2 * draw.randrange((message.body - message.start) // 2)
    width = draw.choice((1, 2, 4, 8))
    value = draw.choice((*INTEGERS, *range(32))) * draw.choice((1, -1)) % (1 << 8 * width)
    data[at : at + width] = value.to_bytes(width, "little")
    return bytes(data)


def token(data: bytearray, draw: Random, _: Base) -> bytes:
    """Put other text somewhere into JSON."""
    at = draw.randrange(len(data))
    words = (b"[", b"{", b'"', b"null", b"1e999", b"-1", b"NaN", b'"Infinity"', b"\x1b[2J", b"9" * 500, b"\xff", b"\n")
    return bytes(data[:at] + draw.choice(words) + data[at + draw.choice((0, 1, 5)) :])


ANY = (flip, overwrite, cut, remove, repeat, splice)
IPC = (*ANY, claim, claim, claim, metadata, metadata, metadata)
CHANGES = {
    ".parquet": (*ANY, footer, footer, footer, page_header, page_header, page_header),
    ".arrow": IPC,
    ".arrows": IPC,
    ".ndjson": (*ANY, token, token, token),
}


# Judging


def outcome(path: Path) -> str:
    """Check, read and show a file; return what came of it. Raises whatever should not have come."""
    try:
        report = logitpack.check(path, jobs=1)
    except logitpack.UsageError as error:
        shown, verdict = str(error), "refused"
    else:
        verdict = report.verdict
        texts = [*map(str, lines(report)), *commands(report, 100)]
        programs = [json.dumps(form, allow_nan=False) for form in (report.to_json(), document(report, "0"))]
        shown = "".join([*texts, *programs])
    if not shown.isprintable():
        raise AssertionError("what is printed holds characters that a terminal obeys")
    try:
        for batch in logitpack.read(path):
            assert len(batch.top_counts) == batch.num_tokens.sum()
    except logitpack.LogitPackError as error:
        if verdict == "valid" or not str(error).isprintable():
            raise
    try:
        read_row(path, 0)
    except logitpack.LogitPackError as error:
        if verdict == "valid" or not str(error).isprintable():
            raise
    return verdict


def peak() -> int:
    """Return the most bytes of memory that this process has used, not counting the one that started it."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) << 10


def as_large(number: int) -> None:
    """Let every second file be read as a large one is, and of these every second as one of large batches."""
    native.SMALL, recycling.LARGE = (1 << 20, 1 << 20) if number % 2 else (0, 64)
    recycling.KEPT, recycling.ELEMENTS = (1 << 20, 1 << 20) if number % 4 else (256, 64)


def work(orders: Connection, seed: int, folder: str) -> None:
    """Judge inputs by their numbers, until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)  # Arrow tells there what it dies of
    bases()
    while (number := orders.recv()) is not None:
        base, data = made(seed, number)
        path = Path(folder, f"in{base.extension}")
        path.write_bytes(data)
        as_large(number)
        try:
            result = outcome(path)
        except Exception:  # noqa: BLE001 - all of them are what is looked for
            result = "raised\n" + traceback.format_exc()
        if peak() > RESIDENT:
            result = "memory"
        orders.send((base.extension, result))
        if result == "memory":  # the most that was ever used does not fall again
            return


class Worker:
    """A child process, and the input it is at."""

    def __init__(self, seed: int, folder: str) -> None:
        """Start it."""
        self.seed, self.folder = seed, folder
        self.number, self.since = -1, 0.0
        self.start()

    def start(self) -> None:
        """Start the process anew."""
        context = multiprocessing.get_context("spawn")
        self.orders, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, self.seed, self.folder), daemon=True)
        self.process.start()
        theirs.close()

    def order(self, number: int) -> None:
        """Hand it an input."""
        self.number, self.since = number, time.monotonic()
        self.orders.send(number)

    def end(self) -> int | None:
        """End the process; return how it ended."""
        self.process.kill()
        self.process.join()
        return self.process.exitcode


def fuzz(seed: int, *, seconds: float, count: int, jobs: int, saved: Path) -> tuple[Counter[str], list[str]]:
    """Try inputs; return how many came to what, and what failed. Inputs that fail are saved."""
    tally: Counter[str] = Counter()
    failures: list[str] = []

    def failed(number: int, what: str) -> None:
        base, data = made(seed, number)
        saved.mkdir(parents=True, exist_ok=True)
        path = saved / f"{seed}-{number}{base.extension}"
        path.write_bytes(data)
        failures.append(f"{path} ({base.name}): {what}")
        sys.stderr.write(failures[-1] + "\n")

    with tempfile.TemporaryDirectory() as folder:
        workers = []
        for k in range(jobs):
            Path(folder, str(k)).mkdir()
            workers.append(Worker(seed, str(Path(folder, str(k)))))
        stop, numbers = time.monotonic() + seconds, iter(range(count))
        busy = {worker.orders: worker for worker in workers if _hand_out(worker, numbers)}
        while busy:
            ready: list[Any] = wait(list(busy), timeout=min(1.0, PATIENCE))
            late = [orders for orders, worker in busy.items() if time.monotonic() - worker.since > PATIENCE]
            for orders in {*ready, *late}:
                worker = busy.pop(orders)
                try:
                    extension, result = orders.recv() if orders in ready else ("", "hung")
                except (EOFError, ConnectionError):
                    extension, result = "", f"crashed with status {worker.end()}"
                extension = extension or made(seed, worker.number)[0].extension
                kind = result.split("\n")[0]
                tally[f"{extension} {kind}"] += 1
                if kind not in {"valid", "invalid", "refused"}:
                    failed(worker.number, result)
                    worker.end()
                    worker.start()
                if time.monotonic() < stop and _hand_out(worker, numbers):
                    busy[worker.orders] = worker
        for worker in workers:
            worker.end()
    return tally, failures


def _hand_out(worker: Worker, numbers: Iterator[int]) -> bool:
    number = next(numbers, None)
    if number is not None:
        worker.order(number)
    return number is not None


def main() -> int:
    """Fuzz as the command line says; return 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--count", type=int, default=1 << 60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--saved", type=Path, default=Path("fuzz-failures"), help="folder for inputs that fail")
    options = parser.parse_args()
    start = time.monotonic()
    tally, failures = fuzz(
        options.seed, seconds=options.seconds, count=options.count, jobs=options.jobs, saved=options.saved
    )
    seconds = time.monotonic() - start
    for kind, number in sorted(tally.items()):
        sys.stdout.write(f"{kind}: {number:,}\n")
    sys.stdout.write(
        f"seed {options.seed}: {sum(tally.values()):,} inputs in {seconds:.0f} s, {len(failures)} failed\n"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
