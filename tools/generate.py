"""Make everything that is generated from SPEC.md, schema/columns.json and the suite, or check that it is fresh.

python tools/generate.py            write
python tools/generate.py --check    exit 1 where a generated file is stale
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import asdict

import pyarrow as pa

from logitpack_conformance.coverage import covered, load_trials
from logitpack_conformance.covertext import page
from logitpack_conformance.manifest import load_manifest
from spec import KINDS, ROOT, Requirement, SpecError, plain, read_spec, requirements, slug, wording

MARKED = re.compile(r"(<!-- generated: requirements -->\n).*?(<!-- end generated -->)", re.DOTALL)


def requirements_json() -> bytes:
    """schema/requirements.json: what SPEC.md obliges whom to do."""
    spec = read_spec()
    found = requirements(spec)
    faults = wording(spec) + withdrawn_in_silence(found)
    if faults:
        raise SpecError("\n".join(faults))
    document = {
        "description": "Generated from SPEC.md. Kinds: " + ", ".join(f"{key} {word}" for key, word in KINDS.items()),
        "spec": "1.0",
        "requirements": [asdict(requirement) for requirement in found],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def withdrawn_in_silence(found: list[Requirement]) -> list[str]:
    """Name the ids that the last generated list has and SPEC.md no longer has."""
    path = ROOT / "schema" / "requirements.json"
    before = json.loads(path.read_text("utf-8"))["requirements"] if path.exists() else []
    present = {requirement.id for requirement in found}
    return [f"{old['id']} was removed: an id is never removed or reused" for old in before if old["id"] not in present]


def spec_md() -> bytes:
    """SPEC.md, with the table of its last appendix made anew."""
    spec = read_spec()
    lines = ["| id | level | kind | title | section |", "|---|---|---|---|---|"]
    lines += [
        f"| [{r.id}](#{r.anchor}) | {r.level} | {r.kind} | {r.title} | [{r.section}](#{slug(r.section)}) |"
        for r in requirements(spec)
    ]
    return MARKED.sub(lambda match: match[1] + "\n".join(lines) + "\n" + match[2], spec).encode()


def columns_arrows() -> bytes:
    """schema/columns.arrows: the canonical columns as an Arrow schema, an IPC stream without batches."""
    table = json.loads((ROOT / "schema" / "columns.json").read_text("utf-8"))
    schema = pa.schema([arrow_field(column) for column in table["columns"]])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema):
        pass
    return bytes(sink.getvalue())


def arrow_field(column: dict[str, object]) -> pa.Field:
    """Give the Arrow field of an entry of schema/columns.json."""
    name = str(column["type"])
    element = re.fullmatch(r"list<(\w+)>", name)
    kind = pa.list_(pa.type_for_alias(element[1])) if element else pa.type_for_alias(name)
    return pa.field(str(column["name"]), kind)


def coverage_md() -> bytes:
    """docs/coverage.md: what the conformance suite covers, and where it is weak."""
    manifest = load_manifest(ROOT / "fixtures")
    appendix = re.search(r"\n## Appendix H:.*?\n\n(.*?)\n## ", read_spec(), re.DOTALL)
    if appendix is None:
        raise SpecError("there is no appendix H")
    untested = [plain(item.removeprefix("- ")) for item in appendix[1].splitlines() if item.startswith("- ")]
    trials = load_trials(ROOT / "conformance" / "logitpack_conformance" / "selftest" / "results.json")
    return page(manifest, covered(manifest, trials), untested).encode()


GENERATED: dict[str, Callable[[], bytes]] = {
    "schema/requirements.json": requirements_json,
    "schema/columns.arrows": columns_arrows,
    "SPEC.md": spec_md,
    "docs/coverage.md": coverage_md,
}


def main(arguments: list[str]) -> int:
    """Write, or with --check compare."""
    stale = []
    for name, make in GENERATED.items():
        path = ROOT / name
        try:
            content = make()
        except SpecError as error:
            print(f"SPEC.md: {error}", file=sys.stderr)
            return 1
        if path.exists() and path.read_bytes() == content:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            print(f"wrote {name}")
    if stale and "--check" in arguments:
        print(f"stale: {', '.join(stale)}; run python tools/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
