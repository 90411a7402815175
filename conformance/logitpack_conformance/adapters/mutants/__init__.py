"""Mutants: the reference with one deliberate fault each, as adapters by which the suite tests itself.

    python -m logitpack_conformance.adapters.mutants NAME
    python -m logitpack_conformance.adapters.mutants --list

Strategy: importing this package fills the table; nothing is changed until one mutant is built, and then for the life
of the process.
"""

from __future__ import annotations

from collections.abc import Sequence

from logitpack_conformance.adapters.mutants import (
    checker_files,
    checker_findings,
    checker_hiding,
    checker_judgement,
    checker_pages,
    checker_tolerances,
    extractor_logits,
    extractor_nucleus,
    extractor_positions,
    extractor_tail,
    first_only,
    reader_files,
    reader_indices,
    reader_lenient,
    reader_lists,
    reader_logits,
    reader_numbers,
    reader_parts,
    reader_rows,
    writer_metadata,
    writer_refusals,
    writer_rows,
    writer_spoiled,
    writer_values,
)
from logitpack_conformance.adapters.mutants.registry import MUTANTS, Mutant
from logitpack_conformance.adapters.reference import HELLO, Reference, handlers, settle
from logitpack_conformance.adapters.serve import ROLES, serve

__all__ = ["MUTANTS", "Mutant", "serve_mutant"]

_DECLARED = (
    checker_files,
    checker_findings,
    checker_hiding,
    checker_judgement,
    checker_pages,
    checker_tolerances,
    extractor_logits,
    extractor_nucleus,
    extractor_positions,
    extractor_tail,
    first_only,
    reader_files,
    reader_indices,
    reader_lenient,
    reader_lists,
    reader_logits,
    reader_numbers,
    reader_parts,
    reader_rows,
    writer_metadata,
    writer_refusals,
    writer_rows,
    writer_spoiled,
    writer_values,
)


def serve_mutant(mutant: Mutant, arguments: Sequence[str] = ()) -> int:
    """Make the fault, and serve requests of the mutant's role until the input ends; return the exit status."""
    settle()
    implementation = mutant.build() or Reference()
    answering = {name: handler for name, handler in handlers(implementation).items() if ROLES[name] == mutant.role}
    return serve(answering, {**HELLO, "name": mutant.name}, list(arguments))
