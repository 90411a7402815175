"""The checker: all structural and semantic requirements, over every row of datasets (CHK-1, CHK-3).

Strategy: a file is read once, slice by slice; each slice gives breaches, which are counted, and sums, which
are kept for what is judged over the dataset as a whole. A file that breaks off keeps what was found so far.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from logitpack import dataset, facts, figures, screen, semantics, structure
from logitpack.arrays import known_arrays
from logitpack.causes import explained
from logitpack.columns import normalise
from logitpack.containers import PARQUET, DataFile, Slice, corrupt, require_readable
from logitpack.dataset import Totals
from logitpack.entries import Sound
from logitpack.errors import DataError, Place
from logitpack.metadata import SIDECAR, Metadata
from logitpack.pages import first_broken, first_without_checksum
from logitpack.report import PLACES, DatasetReport, FileReport, Findings, Report, Spot
from logitpack.shards import data_files, sidecars
from logitpack.table import COLUMNS, schema_errors, type_name
from logitpack.urls import StrPath, shown


def check(paths: Iterable[StrPath] | StrPath, *, metadata: Metadata | None = None, places: int = PLACES) -> Report:
    """Judge datasets, each a file, a folder, a pattern or a URL of one.

    `metadata` stands for that of files that have none. `places` is how many places of each finding are kept.
    Raises UsageError where a path cannot be read or a folder holds no data; everything else is a finding.
    """
    roots = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    found = [(root, data_files(root)) for root in roots]
    for path in (path for _, files in found for path in files):
        require_readable(path)  # before hours of work are lost over the last one
    reports: list[FileReport] = []
    datasets: list[DatasetReport] = []
    for root, files in found:
        states = [_File(path, root, metadata, places) for path in files]
        for state in states:
            state.read()
        _judge_dataset(states)
        told, seen = _explained(shown(root), states)
        reports += told
        datasets.append(seen)
    return Report(tuple(reports), tuple(datasets))


def _explained(root: str, states: list[_File]) -> tuple[list[FileReport], DatasetReport]:
    """Give what was found in the files of a dataset, with suggested causes, and what it looks like as a whole."""
    whole = sum((state.figures for state in states), figures.Figures())
    hits = dataset.hit_shares(sum((state.totals for state in states), Totals()))
    declared = next((state.metadata for state in states if state.metadata is not None), None)
    return explained([state.report() for state in states], DatasetReport(root, whole, hits), declared)


@dataclass
class _Stride:
    """The rows with one S: how many, and the first few of them."""

    rows: int = 0
    spots: list[Spot] = field(default_factory=list)


class _File:
    """One file: what was found in it, and what it adds to its dataset."""

    def __init__(self, path: str, root: str, given: Metadata | None, places: int) -> None:
        self.path, self.root, self.given = path, root, given
        self.name = shown(path)
        self.findings = Findings(places)
        self.metadata: Metadata | None = None
        self.described, self.comparable, self.large = False, True, False
        self.types: dict[str, str] | None = None
        self.totals = Totals()
        self.figures = figures.Figures()
        self.strides: dict[int, _Stride] = {}
        self.rows = self.tokens = 0

    def read(self) -> None:
        """Read and judge the file to its end, or to where it breaks off."""
        try:
            with DataFile(self.path, name=self.name) as file:
                if not self._judge_metadata(file):
                    return
                self.large = file.native.size() >= facts.LARGE
                judgeable = self._judge_schema(file.info.schema)
                for part in file.slices():
                    self._judge_slice(part, judgeable=judgeable)
                if file.info.container == PARQUET:
                    with corrupt(self.name):
                        self._judge_checksums(file)
        except DataError as error:
            self.findings.add_error(error)

    def report(self) -> FileReport:
        """Give what was found."""
        profile = "Described" if self.described else "Core"
        return FileReport(self.name, profile, self.rows, self.tokens, tuple(self.findings.sorted()))

    def _judge_metadata(self, file: DataFile) -> bool:
        """Find the metadata in force: META-1, META-7, and FILE-2 within the file. False where META-2 breaks."""
        embedded = self._metadata_from(file.info.metadata, "")
        beside = self._accompanying() if file.info.schema is not None else None
        own = [found for found in (embedded, beside) if found is not None]
        self.comparable = bool(own) or not self.findings.sorted()
        in_force = own[0] if own else self.given
        if isinstance(in_force, DataError):
            self.findings = Findings(self.findings.limit)  # nothing else is judged
            self.findings.add_error(in_force)
            return False
        if len(own) > 1 and embedded != beside:
            self.findings.add("FILE-2", f"the metadata in the file differs from the {SIDECAR} beside it")
        self.described, self.metadata = bool(own), in_force
        if in_force is not None and in_force.alignment != "predicts":
            message = f"alignment is declared to be {in_force.alignment!r}, expected 'predicts'"
            self.findings.add("ALN-6", message, got=in_force.alignment, allowed="predicts")
        return True

    def _accompanying(self) -> Metadata | DataError | None:
        """Give what stands beside the file, in its folder or at the root, and does not count as absent."""
        for path, raw in sidecars(self.path, self.root):
            found = self._metadata_from(raw, f"{shown(path)}: ")
            if found is not None:
                return found
        return None

    def _metadata_from(self, raw: bytes | None, source: str) -> Metadata | DataError | None:
        """Give metadata, the error where its major version is unknown, None where it is absent or counts as such.

        `source` begins the message of an error.
        """
        try:
            return None if raw is None else Metadata.from_bytes(raw)
        except DataError as error:
            told = DataError(source + error.message, requirement=error.requirement, got=error.got)
            if told.requirement == "META-2":
                return told
            self.findings.add_error(told)
            return None

    def _judge_schema(self, schema: pa.Schema | None) -> bool:
        """COL-1, COL-2, and COL-5 where they hold. False where rows cannot be judged."""
        if schema is None:
            return True
        errors = schema_errors(schema)
        for error in errors:
            self.findings.add_error(error)
        broken = {error.place.column for error in errors}
        types = {name: schema.field(name).type for name in COLUMNS if name in schema.names and name not in broken}
        for name, kind in types.items():
            got, expected = type_name(kind), COLUMNS[name].type
            if got != expected:
                message = f"{name} is {got}, canonical is {expected}"
                self.findings.add("COL-5", message, Place(column=name), got=got, allowed=expected)
        if not errors:
            self.types = {name: _full_name(kind) for name, kind in types.items()}
        return not errors

    def _judge_checksums(self, file: DataFile) -> None:
        """FILE-4, and FILE-5 for the columns that are not read."""
        broken = first_broken(file.native, passed_over=set(COLUMNS))
        if broken is not None:
            group, column = broken
            place = Place(row_group=group, column=column)
            self.findings.add("FILE-1", "a page does not match its checksum", place)
            return
        missing = first_without_checksum(file.native)
        if missing is not None:
            group, column = missing
            self.findings.add("FILE-4", "a page has no checksum", Place(row_group=group, column=column))

    def _judge_slice(self, part: Slice, *, judgeable: bool) -> None:
        try:
            if not judgeable:
                known_arrays(part.record_batch)  # FILE-1
                return
            columns = normalise(part.record_batch, first_row=part.first_row)
        except DataError as error:
            raise error.at(row_group=part.row_group) from error.__cause__
        judgement = structure.judge(columns)
        for breach in judgement.breaches:
            self.findings.add_breach(breach, row_group=part.row_group)
        numbers = np.flatnonzero(judgement.sound) + part.first_row
        sound = Sound(columns.select(judgement.sound), numbers)
        if len(sound):
            self._judge_sound(sound, part.row_group)
        self._count_strides(sound, part.row_group)
        self.rows += part.record_batch.num_rows
        self.tokens += int(sound.num_tokens.sum())

    def _judge_sound(self, sound: Sound, row_group: int | None) -> None:
        known = facts.compiled(sound, self.metadata) if self.large else None
        suspects = sound if known is None else sound.select(~screen.cleared(sound, known, self.metadata))
        for breach in semantics.judge(suspects, self.metadata):
            self.findings.add_breach(breach, row_group=row_group)
        known = known or facts.reckoned(sound, self.metadata)
        self.totals += known.totals
        self.figures += figures.observe(sound, known, self.metadata)

    def _count_strides(self, sound: Sound, row_group: int | None) -> None:
        for width in dict.fromkeys(sound.num_sampled.tolist()):
            rows = np.flatnonzero(sound.num_sampled == width)
            stride = self.strides.setdefault(width, _Stride())
            stride.rows += rows.size
            for row in rows[: self.findings.limit - len(stride.spots)]:
                number = int(sound.row_numbers[row])
                stride.spots.append(Spot(Place(row_group=row_group, row=number, column="sampled_indices_low"), width))


def _judge_dataset(files: list[_File]) -> None:
    """FILE-2, ROW-5, TAIL-3, TAIL-4, ALN-5: what is judged over all files of a dataset."""
    _judge_agreement([file for file in files if file.types is not None])
    _judge_strides(files)
    if any("FILE-2" in file.findings for file in files):
        return
    totals = Totals()
    for file in files:
        totals += file.totals
    chi_square = dataset.uniformity(totals)
    if chi_square is not None and chi_square > dataset.CHI_SQUARE_LIMIT:
        limit = dataset.CHI_SQUARE_LIMIT
        message = f"tail indices are not uniform: chi-square {chi_square:.6g} over 64 bins, allowed {limit}"
        first = next(file for file in files if file.totals.expected.any())
        first.findings.add("TAIL-3", message, got=chi_square, allowed=limit)
    shares = dataset.hit_shares(totals)
    follows = any(file.metadata is not None and file.metadata.alignment == "follows" for file in files)
    if shares is not None and not follows and shares[0] < max(shares[1:]):
        own, before, after = (f"{share:.1%}" for share in shares)
        first = next(file for file in files if file.totals.looked.any())
        first.findings.add(
            "ALN-5",
            f"{own} of the tokens are in their own entry's nucleus, {before} in that before, {after} in that after",
            got=list(shares),
        )


def _judge_agreement(files: list[_File]) -> None:
    """FILE-2: the same columns, types and metadata in all files whose columns can be read."""
    first = next((file for file in files if file.comparable), None)
    if first is None or first.types is None:
        return
    for file in files:
        types = file.types or {}
        differs = sorted(name for name in COLUMNS if first.types.get(name) != types.get(name))
        if differs:
            name = differs[0]
            got, expected = types.get(name, "absent"), first.types.get(name, "absent")
            message = f"{name} is {got}, but {expected} in {first.name}"
            file.findings.add("FILE-2", message, Place(column=name), got=got, allowed=expected)
        elif file.comparable and file.metadata != first.metadata:
            file.findings.add("FILE-2", f"the metadata differs from that of {first.name}")


def _full_name(kind: pa.DataType) -> str:
    """Give a type but for the names and nullability of its elements."""
    return f"{type_name(kind)}[{kind.list_size}]" if pa.types.is_fixed_size_list(kind) else type_name(kind)


def _judge_strides(files: list[_File]) -> None:
    """ROW-5, and TAIL-4 where it holds."""
    expected = next((width for file in files for width in file.strides), None)
    if expected is None:
        return
    for file in files:
        for width, stride in file.strides.items():
            if width != expected:
                text = f"the tail has {width} entries a token, expected {expected} as in the first row"
                spots = [spot._replace(allowed=expected) for spot in stride.spots]
                file.findings.add_places("ROW-5", text, spots, stride.rows)
    if any("ROW-5" in file.findings for file in files):
        return
    for file in files:
        if file.metadata is not None and file.strides and file.metadata.num_sampled != expected:
            declared = file.metadata.num_sampled
            message = f"the tail has {expected} entries a token, declared are {declared}"
            file.findings.add("TAIL-4", message, got=expected, allowed=declared)
