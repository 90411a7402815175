"""The programs of the card that the format comes from run on what LogitPack writes, and print its numbers.

The card is no part of this repository. It is looked for at $LOGITPACK_SEED_CARD, else at
../shared/seed/dataset_card.md beside the checkout; where it is not there, these tests are skipped.
Of its programs only the names of dataset and model are replaced.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from commandline import REAL, ROOT, TOKENIZER, Result, logitpack, python

CARD = Path(os.environ.get("LOGITPACK_SEED_CARD", ROOT.parent / "shared" / "seed" / "dataset_card.md"))

pytest.importorskip("datasets", reason="needs datasets")
pytest.importorskip("transformers", reason="needs transformers")
pytestmark = pytest.mark.skipif(not CARD.is_file(), reason=f"the seed card is not at {CARD}")

ABORT = "terminate called without an active exception"
"""What datasets may die of once a program that left its stream open has ended."""

TAKE_SAMPLE = {
    "datasets": "hydrate_sample(next(iter(ds.skip({row}))))",
    "explore_logits": "get_sample(ds, index={row})",
}
"""By the module that a program imports: how it gets a row."""

ROWS = (0, 3)


class Shown(NamedTuple):
    """One list of entries: the title's number, (rank, index, text, logit, percent) of each, and the total."""

    logsumexp: str
    entries: list[tuple[str, ...]]
    mass: str


def programs() -> dict[str, str]:
    """Return the card's programs by the module that sets them apart, with local paths for names."""
    found = re.findall(r"^```python\n(.*?)^```", CARD.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    named = {"explore_logits" if "explore_logits" in program else "datasets": program for program in found}
    return {
        name: text.replace("YOUR_DATASET_ID", REAL.as_posix()).replace("YOUR_MODEL_ID", TOKENIZER.as_posix())
        for name, text in named.items()
    }


def tokens_of(row: int) -> int:
    """Return how many tokens a row has."""
    return int(json.loads(logitpack("show", REAL, "--row", row, "--format", "json").out)["num_tokens"])


def sampled_tokens(row: int) -> list[int]:
    """Return some tokens of a row, from its first to its last."""
    last = tokens_of(row) - 1
    return sorted({last * part // 7 for part in range(8)})


@pytest.fixture(scope="module", params=[*TAKE_SAMPLE])
def output(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What a program prints for the first token, and then, asked for them, for others too."""
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    more = [
        f"\nsample = {TAKE_SAMPLE[name].format(row=row)}\n"
        f"for token in {sampled_tokens(row)}:\n"
        f"    print('row {row}')\n"
        "    print_top_logits(sample, token_idx=token, tokenizer=tokenizer)\n"
        "    print_sampled_logits(sample, token_idx=token, tokenizer=tokenizer)\n"
        for row in ROWS
    ]
    program = folder / "program.py"
    program.write_text(programs()[name] + "".join(more), encoding="utf-8")
    result = python(program, HF_HUB_OFFLINE="1", HF_HOME=folder / "home")
    if ABORT in result.err:
        result = result._replace(status=0)
    return result


def parsed(text: str) -> list[tuple[int, int, Shown]]:
    """Return row, token and entries of each list that a program printed; its columns have fixed widths."""
    found: list[tuple[int, int, Shown]] = []
    row = 0
    for line in text.splitlines():
        if match := re.fullmatch(r"row (\d+)", line):
            row = int(match[1])
        elif match := re.match(r"=== \w+ logits for token (\d+) \(logsumexp=(.*)\) ===", line):
            found.append((row, int(match[1]), Shown(match[2], [], "")))
        elif match := re.match(r"(\d+) +(\d+) +", line):
            logit, percent = line[36:].split()
            entry = (match[1], match[2], line[16:36].rstrip(), logit, percent)
            found[-1][2].entries.append(entry)
        elif match := re.match(r"Total .* mass: (.*)%", line):
            found[-1] = (*found[-1][:2], found[-1][2]._replace(mass=match[1]))
    return found


def shown(row: int, token: int) -> list[Shown]:
    """Return nucleus and tail of a token as `logitpack show` prints them."""
    out = logitpack("show", REAL, "--row", row, "--token", token, "--tokenizer", TOKENIZER).out
    lse = re.search(r"^logsumexp +(.*)$", out, flags=re.MULTILINE)
    assert lse is not None
    lists = []
    for part in re.split(r"^(?=Nucleus|Tail)", out, flags=re.MULTILINE)[1:]:
        _, header, *lines = part.splitlines()
        at = header.index("token")
        mass = next(line for line in lines if line.startswith("Total"))
        entries = []
        for line in lines[: lines.index(mass)]:
            # The text stands between an index and a logit, and may hold blanks and digits itself.
            match = re.fullmatch(r"(.*?) +(-?\d+\.\d{4}) +(\d+\.\d+)", line[at:])
            assert match is not None
            entries.append((*line[:at].split(), *match.groups()))
        lists.append(Shown(lse[1], entries, mass.split()[-2]))
    return lists


def test_the_card_has_two_programs() -> None:
    """One with `datasets` alone, one with `explore_logits`."""
    assert set(TAKE_SAMPLE) == set(programs())


def test_program_ends_well(output: Result) -> None:
    """The program runs to its end, and tells the number of tokens."""
    assert 0 == output.status, output.err
    assert f"Sample has {tokens_of(0)} tokens" in output.out.splitlines()


def test_first_token(output: Result) -> None:
    """Unchanged, the program prints for token 0 of row 0 what `logitpack show` prints."""
    (row, token, nucleus), (_, _, tail) = parsed(output.out)[:2]
    assert (0, 0) == (row, token)
    assert shown(0, 0) == [nucleus, tail]


@pytest.mark.parametrize("row", ROWS)
def test_other_tokens(output: Result, row: int) -> None:
    """So it does for other tokens and rows: ranks, indices, texts, logits, probabilities, masses."""
    printed = parsed(output.out)[2:]
    for token in sampled_tokens(row):
        lists = [one for at_row, at_token, one in printed if (at_row, at_token) == (row, token)]
        assert shown(row, token) == lists, f"row {row}, token {token}"
