"""The text of a dataset card.

Strategy: the words stand in a template; this module turns metadata into the values it asks
for, every string of which goes through `markdown` on its way into the text.
"""

from __future__ import annotations

import shlex
from typing import Any

import jinja2

from logitpack.cli import hub
from logitpack.cli.markdown import code, front_matter, literal, plain
from logitpack.cli.measure import Counts, measure
from logitpack.errors import DataError, Place
from logitpack.files import Reader
from logitpack.metadata import Metadata
from logitpack.urls import extension, shown

RULES = {
    "covering": "the likeliest entries, as few as hold {top_p:g} of the probability, but no more than {max_entries}",
    "below": "the likeliest entries that hold {top_p:g} of the probability or less, 1 to {max_entries} of them",
    "unspecified": "the likeliest entries; where it was cut is not declared",
}
METHODS = {
    "uniform": "further entries, each of the rest of the vocabulary with the same chance, none twice",
    "proportional": "further entries, drawn from the rest one by one in proportion to probability, none twice",
    "unspecified": "further entries of the rest of the vocabulary; how they were chosen is not declared",
}


def render(reader: Reader, metadata: Metadata, *, dataset_id: str, license_id: str | None = None) -> str:
    """Return the card of a dataset. Raises DataError where the rows and the metadata disagree."""
    counts = measure(reader)
    if counts.num_sampled != metadata.num_sampled:
        raise DataError(
            f"the tails have {counts.num_sampled} entries a token, tail.num_sampled says {metadata.num_sampled}",
            requirement="TAIL-4",
            place=Place(file=shown(reader.path)),
        )
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("logitpack.cli"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - the result is Markdown; `code` and `literal` escape for it
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": code, "literal": literal}
    template = environment.get_template("card.md.j2")
    return template.render(**_values(reader, metadata, counts, dataset_id, license_id))


def _values(
    reader: Reader, metadata: Metadata, counts: Counts, dataset_id: str, license_id: str | None
) -> dict[str, Any]:
    raw = metadata.raw
    in_folder = reader.files != (reader.path,)
    splits = hub.splits([reader.name_of(file) for file in reader.files] if in_folder else [])
    return {
        "front_matter": _front_matter(raw, counts, splits, license_id),
        "license": license_id,
        "model": raw["model"]["id"],
        "tokenizer": raw["tokenizer"]["id"],
        "source": raw.get("source", {}).get("id"),
        "spec_version": metadata.spec_version,
        "vocab_size": metadata.vocab_size,
        "alignment": metadata.alignment,
        "tail_method": metadata.tail_method,
        "nucleus": RULES[metadata.rule].format(top_p=metadata.top_p, max_entries=metadata.max_entries),
        "tail": METHODS[metadata.tail_method],
        "mask": _mask(raw.get("mask")),
        "example": _example(metadata),
        "dataset_id": dataset_id,
        "split": "train" if "train" in splits else next(iter(splits), "train"),
        "streams": all(extension(file) in hub.STREAMED for file in reader.files),
        "counts": counts,
        "parameters": _parameters(metadata),
        "tokenizer_argument": shlex.quote(plain(raw["tokenizer"]["id"])),
    }


def _front_matter(raw: dict[str, Any], counts: Counts, splits: dict[str, str], license_id: str | None) -> str:
    members: dict[str, object] = {"pretty_name": f"Teacher logits of {raw['model']['id']}"}
    if license_id is not None:
        members["license"] = license_id
    members |= {
        "task_categories": ["text-generation"],
        "tags": ["logitpack", "logits", "knowledge-distillation"],
        "size_categories": [hub.size_category(counts.rows)],
    }
    if splits:
        files: list[object] = [{"split": name, "path": pattern} for name, pattern in splits.items()]
        members["configs"] = [{"config_name": "default", "data_files": files}]
    return front_matter(members)


def _parameters(metadata: Metadata) -> list[tuple[str, str]]:
    """Return names and Markdown of all that the metadata declares, in its own order."""
    raw = metadata.raw
    found = [
        ("LogitPack version", raw["spec_version"]),
        *_members("model", raw["model"], "id", "revision", "dtype"),
        *_members("tokenizer", raw["tokenizer"], "id", "revision", "sha256", "size"),
        ("vocabulary (width of the logits)", f"{metadata.vocab_size:,}"),
        *_members("nucleus", raw["nucleus"], "rule", "top_p", "max_entries", "order"),
        *_members("tail", raw["tail"], "num_sampled", "method", "seed"),
        *_members("", raw, "temperature", "alignment"),
        *_members("mask", raw.get("mask", {}), "turns", "end_of_turn", "excluded"),
        *_members("", raw, "chat_template_sha256"),
        *_members("source", raw.get("source", {}), "id", "revision", "split"),
        *_members("writer", raw.get("writer", {}), "name", "version"),
    ]
    return [(name, code(value)) for name, value in found]


def _members(group: str, values: dict[str, Any], *names: str) -> list[tuple[str, Any]]:
    return [(f"{group} {name}".strip().replace("_", " "), _shown(values[name])) for name in names if name in values]


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(plain(inner) for inner in value) or "none"
    return value


def _mask(mask: dict[str, Any] | None) -> dict[str, str] | None:
    if not mask:
        return None
    ends = {True: "; the token that ends a turn is one of them", False: "; the token that ends a turn is not", None: ""}
    excluded = mask.get("excluded") or []
    return {
        "turns": f"the turns {code(mask['turns'])}" if "turns" in mask else "the assistant's turns",
        "end_of_turn": ends[mask.get("end_of_turn")],
        "excluded": f" Left out: {', '.join(map(code, excluded))}." if excluded else "",
    }


CONVERSATION = "[user] Where now [end] [assistant] +Turn +left +[end] [user] Then [end] [assistant] +Stop +there +[end]"
"""A conversation for the worked table; a plus marks what a mask may select."""


def _example(metadata: Metadata) -> list[dict[str, Any]]:
    """Return the worked table, one line a token.

    Where it is not known whether the token that ends a turn is selected, the conversation has none.
    """
    selects_end = metadata.raw.get("mask", {}).get("end_of_turn")
    words = [word for word in CONVERSATION.split() if selects_end is not None or not word.endswith("[end]")]
    lines: list[dict[str, Any]] = []
    entry = 0
    for place, word in enumerate(words):
        token = word.removeprefix("+")
        line = {"place": place, "token": token, "entry": "", "output": ""}
        if token != word and (selects_end or token != "[end]"):  # noqa: S105 - a token of text
            output = {"predicts": place - 1, "follows": place}.get(metadata.alignment, "not declared")
            line |= {"entry": entry, "output": output}
            entry += 1
        lines.append(line)
    return lines
