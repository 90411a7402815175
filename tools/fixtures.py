"""Build fixtures/ from the casebook, or compare what is checked in with what would be built, and prove it.

    python tools/fixtures.py                  compare and prove; exit 1 where anything differs
    python tools/fixtures.py --write          make the files what is built, say which changed, and prove them
    python tools/fixtures.py --only 'idx/*'   these cases only; the manifest keeps the others

Checked-in files are golden. Comparing looks at what cases declare and at the digests of their contents, not at bytes:
those depend on the version of Arrow. Writing replaces bytes, so that a new version of Arrow changes many files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from typing import Any

import cases
import golden
from cases import FIXTURES, Done, JsonCase
from catalogue import catalogue
from logitpack_conformance.breakable import BREAKABLE
from logitpack_conformance.casebook import FLAGS
from logitpack_conformance.manifest import NAME, SuiteFault, case_of_json, digest_of, load_manifest
from logitpack_conformance.model import SPEC, Case, Kind, Role
from logitpack_conformance.score import ACCEPT, REJECT, sides


def others() -> dict[str, str]:
    """Return the digests of the files that belong to no case."""
    paths = sorted(path for path in FIXTURES.rglob("*") if path.is_file())
    names = [path.relative_to(FIXTURES).as_posix() for path in paths]
    return {
        name: digest_of(path.read_bytes())
        for name, path in zip(names, paths, strict=True)
        if name != NAME and not name.startswith("cases/")
    }


def as_text(manifest: dict[str, Any]) -> str:
    """Return the manifest as it is checked in, a line for each case."""
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in manifest["cases"])
    parts = [
        f'"{name}": ' + (f"[\n{lines}\n]" if name == "cases" else json.dumps(value, ensure_ascii=False, indent=1))
        for name, value in manifest.items()
    ]
    return "{" + ",\n".join(parts) + "}\n"


def one_sided(listed: list[JsonCase]) -> Iterator[str]:
    """Name the requirements of which, for a role and a container, the cases and their twins show one side only."""
    known = {case["id"]: case_of_json(case) for case in listed}
    shown: dict[tuple[str, Role, str], set[str]] = {}
    for case in known.values():
        twin = known.get(case.twin or "")
        if case.twin is not None and twin is None:
            yield f"{case.id}: there is no twin {case.twin}"
        judged = [(name, role) for name in case.requirements for role in case.roles if role in BREAKABLE.get(name, ())]
        for (name, role), one in product(judged, [case, *([twin] if twin else [])]):
            for key in one.materials if role in one.roles else ():
                shown.setdefault((name, role, key), set()).update(_sides(one, role, name))
    for (name, role, key), found in sorted(shown.items()):
        holds = key != "json" or not name.startswith("META")  # stored JSON has no metadata to be wrong
        for side in sorted({ACCEPT, REJECT} - found) if holds else ():
            yield f"{name} has no {side} side for a {role} of {key}"


def _sides(case: Case, role: Role, requirement: str) -> frozenset[str]:
    """Return the sides of a requirement that a case shows; other cases show that a reader rejects."""
    if case.kind is Kind.EITHER and role is Role.READER:
        return frozenset({ACCEPT, REJECT})
    return sides(case, role, "accepted", requirement)


def additions(listed: list[JsonCase]) -> Iterator[str]:
    """Say where a faulty case finds other requirements than its twin and its own."""
    known = {case["id"]: case for case in listed}
    for case in listed:
        twin = known.get(str(case.get("twin")))
        if case["kind"] in {"reject", "either"} and case["requirements"] and twin is not None:
            more = set(case["findings"]) - set(twin["findings"])
            own = set(case["requirements"])
            is_single = own & {"CHK-1", "CHK-3"} or more <= own
            if not more or not is_single or twin["kind"] != "accept":
                yield f"{case['id']} finds {sorted(more)} more than its twin {twin['id']}"
    used = {flag for case in listed for flag in case.get("flags", ())}
    yield from (f"the flag {flag} is used by no case" for flag in sorted(set(FLAGS) - used))


def main(arguments: list[str]) -> int:
    """Write, or compare; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="*", metavar="GLOB")
    chosen = parser.parse_args(arguments)
    with ProcessPoolExecutor() as pool:
        work = partial(cases.do, write=chosen.write)
        done: list[Done] = list(pool.map(work, cases.select(chosen.only), chunksize=8))
    is_whole = chosen.only == "*"
    listed = {**({} if is_whole else cases.checked_in()), **{one.case["id"]: one.case for one in done}}
    ordered = [listed[name] for name in sorted(listed)]
    written = [name for one in done for name in one.written]
    problems = [problem for one in done for problem in one.problems]
    if is_whole:
        problems += [*one_sided(ordered), *additions(ordered)]
        if chosen.write:
            written += [f"{name}, removed" for name in cases.prune()]
        (written if chosen.write else problems).extend(golden.update(write=chosen.write))
    if is_whole or chosen.write:
        (written if chosen.write else problems).extend(listing(ordered, write=chosen.write))
    problems += faults_of_manifest()
    for name in written:
        print(f"wrote {name}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(done)} cases, {len(problems)} problems")
    return 1 if problems else 0


def faults_of_manifest() -> Iterator[str]:
    """Say what the suite itself would find wrong with the manifest as it stands."""
    try:
        load_manifest(FIXTURES)
    except SuiteFault as fault:
        yield str(fault)


def listing(ordered: list[JsonCase], *, write: bool) -> Iterator[str]:
    """Make README.md and the manifest anew; yield those that were stale."""
    manifest = {"spec": SPEC, "flags": FLAGS, "cases": ordered}
    for name in ("README.md", NAME):
        path = FIXTURES / name
        text = catalogue(ordered) if name == "README.md" else as_text(manifest | {"others": others()})
        if path.exists() and path.read_text("utf-8") == text:
            continue
        if write:
            path.write_text(text, encoding="utf-8")
        yield f"{name} is not what is generated"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
