"""The queries of logitpack.sql, on tables and on files."""

import math
import random
import re
import struct
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest
from support import ROOT, WORKED, example

HERE = Path(__file__).resolve().parents[1]


def test_worked_row(table: duckdb.DuckDBPyConnection) -> None:
    """The row of SPEC.md's appendix A, in a table and in a file, decodes to what the appendix says."""
    tokens = example("row-logical")["tokens"]
    for source in "worked", str(WORKED):
        decoded = table.execute("FROM logitpack_tokens($1)", [source]).fetchall()
        assert [(0, 0), (0, 1)] == [row[:2] for row in decoded]
        for token, (_, _, logsumexp, token_id, *entries) in zip(tokens, decoded, strict=True):
            assert (token["logsumexp"], None) == (logsumexp, token_id)
            assert [token["top"]["indices"], token["sampled"]["indices"]] == entries[::2]
            assert token["top"]["logits"] == pytest.approx(entries[1], abs=2e-5)
            assert token["sampled"]["logits"] == pytest.approx(entries[3], abs=2e-5)


def test_readme(connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each query of the README runs as it stands there, and the first says what the README shows."""
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/train.parquet").write_bytes(WORKED.read_bytes())
    Path("logitpack.sql").write_bytes((HERE / "logitpack.sql").read_bytes())
    text = (HERE / "README.md").read_text(encoding="utf-8")
    blocks = ";".join(re.findall(r"```sql\n(.*?)```", text, re.DOTALL))
    queries = [query for query in blocks.split(";") if query.strip()]
    assert len(queries) > 4
    shown = re.search(r"```\n(token +entry.*?)```", text, re.DOTALL)
    assert shown
    results = [connection.execute(query).fetchall() for query in queries]
    assert [line.split() for line in shown[1].splitlines()[1:]] == [[str(value) for value in row] for row in results[0]]


def test_packed_index(connection: duckdb.DuckDBPyConnection) -> None:
    """The example of section 7."""
    named = example("indices")
    query = "SELECT list_transform(range(5), lambda k: logitpack_index($low::USMALLINT[], unhex($high)::BIT, k))"
    assert named["indices"] == connection.execute(query, {"low": named["low"], "high": named["high"]}).fetchall()[0][0]


def test_indices_over_many_entries(connection: duckdb.DuckDBPyConnection) -> None:
    """IDX-2 for runs that end anywhere in a byte: against the definition, bit by bit."""
    rng = random.Random(7)
    for count in range(1, 18):
        indices = [rng.randrange(1 << 18) for _ in range(count)]
        packed = bytearray((count + 3) // 4)
        for j, index in enumerate(indices):
            packed[j // 4] |= index >> 16 << 2 * (j % 4)
        query = "SELECT list_transform(range($n), lambda k: logitpack_index($low::USMALLINT[], $high::BLOB::BIT, k))"
        values = {"n": count, "low": [index & 0xFFFF for index in indices], "high": bytes(packed)}
        assert indices == connection.execute(query, values).fetchall()[0][0]


def test_logits_within_bounds(connection: duckdb.DuckDBPyConnection) -> None:
    """QNT-2 on ranges of all sizes, those at the ends of binary32 among them."""
    rng = random.Random(11)
    largest, least = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0], 2.0**-149
    ends = [(-largest / 2, largest / 2), (0.0, largest), (0.0, least), (-least, least), (-largest, 0.0), (7.0, 7.0)]
    for _ in range(500):
        pair = [struct.unpack("<f", rng.randbytes(4))[0] for _ in range(2)]
        if all(map(math.isfinite, pair)) and abs(pair[0]) + abs(pair[1]) < largest:
            ends.append((min(pair), max(pair)))
    cases = [(rng.choice([0, 1, 32767, 65534, 65535, rng.randrange(65536)]), *pair) for pair in ends for _ in range(8)]
    query = "SELECT list_transform($cases, lambda c: logitpack_logit(c[1]::USMALLINT, c[2]::FLOAT, c[3]::FLOAT))"
    decoded = connection.execute(query, {"cases": [list(map(float, case)) for case in cases]}).fetchall()[0][0]
    for (code, low, high), found in zip(cases, decoded, strict=True):
        exact = Fraction(low) + code * (Fraction(high) - Fraction(low)) / 65535
        allowed = Fraction(max(abs(low), abs(high))) / 2**21 + Fraction(1, 2**149)
        assert abs(Fraction(found) - exact) <= allowed / 2**20, (code, low, high)


@pytest.mark.parametrize(
    ("requirement", "change"),
    [
        ("COL-2", "* REPLACE (top_counts::FLOAT[] AS top_counts)"),
        ("COL-2", "*, [true, false] AS token_ids"),
        ("COL-3", "* REPLACE ([NULL, 2] AS top_counts)"),
        ("COL-3", "* REPLACE (NULL::BLOB AS sampled_indices_high)"),
        ("COL-3", "* REPLACE (NULL::FLOAT[] AS top_max)"),
        ("COL-3", "*, NULL::INTEGER[] AS token_ids"),
        ("COL-3", "*, [1, NULL] AS token_ids"),
        ("ROW-1", "* REPLACE (0 AS num_tokens)"),
        ("ROW-1", "* REPLACE (4294967298 AS num_tokens)"),
        ("ROW-2", "* REPLACE (2147483647 AS num_tokens)"),
        ("ROW-2", "* REPLACE (logsumexp[:1] AS logsumexp)"),
        ("ROW-2", "* REPLACE (top_counts || [1] AS top_counts)"),
        ("NUC-1", "* REPLACE ([5, 0] AS top_counts)"),
        ("NUC-1", "* REPLACE ([9223372036854775807, 9223372036854775807] AS top_counts)"),
        ("ROW-3", "* REPLACE ([3, 3] AS top_counts)"),
        ("ROW-3", "* REPLACE (top_logits_quantized[:4] AS top_logits_quantized)"),
        ("ROW-4", "* REPLACE (sampled_indices_low[:3] AS sampled_indices_low)"),
        ("ROW-4", "* REPLACE ([]::USMALLINT[] AS sampled_indices_low, []::USMALLINT[] AS sampled_logits_quantized)"),
        ("ROW-4", "* REPLACE (sampled_logits_quantized || [0] AS sampled_logits_quantized)"),
        ("IDX-3", "* REPLACE (''::BLOB AS sampled_indices_high)"),
        ("IDX-3", "* REPLACE (top_indices_high || '\\x00'::BLOB AS top_indices_high)"),
        ("IDX-1", "* REPLACE ([-1, 1, 2, 3, 4] AS top_indices_low)"),
        ("QNT-8", "* REPLACE ([0, 65536, 0, 0] AS sampled_logits_quantized)"),
        ("QNT-1", "* REPLACE (['nan', '3']::FLOAT[] AS top_min)"),
        ("QNT-1", "* REPLACE ([11, 3]::FLOAT[] AS top_min)"),
        ("QNT-1", "* REPLACE ([-3e38, 3]::FLOAT[] AS top_min, [3e38, 4]::FLOAT[] AS top_max)"),
        ("QNT-1", "* REPLACE ([1e39, 1e39]::DOUBLE[] AS top_max)"),
        ("LSE-1", "* REPLACE (['10.25', 'infinity']::DOUBLE[] AS logsumexp)"),
    ],
)
def test_broken_row(table: duckdb.DuckDBPyConnection, requirement: str, change: str) -> None:
    """A row that breaks one requirement is named with it, and is an error of the queries that decode (RD-1)."""
    table.execute(f"CREATE TABLE broken AS SELECT {change} FROM worked")
    ((row, found, message),) = table.execute(
        "SELECT row, requirement, message FROM logitpack_breaches('broken')"
    ).fetchall()
    assert (0, requirement) == (row, found)
    assert message.startswith(f"{requirement}: ")
    for query in "tokens", "entries", "json":
        with pytest.raises(duckdb.InvalidInputException, match=rf"{requirement}: .*\(row 0\)"):
            table.execute(f"SELECT count(*) FROM logitpack_{query}('broken')").fetchall()


def test_broken_rows_among_others(table: duckdb.DuckDBPyConnection) -> None:
    """Each broken row is told by its number, and by what comes first."""
    table.execute(
        """CREATE TABLE mixed AS FROM worked
        UNION ALL (SELECT * REPLACE ([1, 0] AS top_counts, []::DOUBLE[] AS logsumexp) FROM worked)
        UNION ALL FROM worked UNION ALL (SELECT * REPLACE (NULL AS num_tokens) FROM worked)"""
    )
    found = table.execute("FROM logitpack_breaches('mixed')").fetchall()
    expected = [(1, "ROW-2", "ROW-2: logsumexp has 0, expected 2"), (3, "COL-3", "COL-3: null in num_tokens")]
    assert expected == found


@pytest.mark.parametrize(
    ("ids", "limit", "expected"),
    [
        ("[1, 262143]", "", [1, 262143]),
        ("[1, 262143]", ", vocab_size := 262143", [None, None]),
        ("[1]", "", [None, None]),
        ("[-1, 1]", "", [None, None]),
        ("[1, 2147483648]", "", [None, None]),
        ("[]::BIGINT[]", "", [None, None]),
    ],
)
def test_token_ids(table: duckdb.DuckDBPyConnection, ids: str, limit: str, expected: list[int | None]) -> None:
    """ALN-4: what is no list of vocabulary indices counts as absent."""
    table.execute(f"CREATE TABLE more AS SELECT *, {ids} AS token_ids FROM worked")
    found = table.execute(f"SELECT token_id FROM logitpack_tokens('more'{limit})").fetchall()
    assert expected == [token_id for (token_id,) in found]


def test_wide_types(table: duckdb.DuckDBPyConnection) -> None:
    """Integers and floats of other types mean the same (section 5); DOUBLE ranges are rounded to binary32."""
    for integer in "TINYINT", "INTEGER", "BIGINT", "UBIGINT":
        counts = f"top_counts::{integer}[] AS top_counts, num_tokens::{integer} AS num_tokens"
        lows = "" if integer == "TINYINT" else f", top_indices_low::{integer}[] AS top_indices_low"
        table.execute(f"CREATE OR REPLACE TABLE wide AS SELECT * REPLACE ({counts}{lows}) FROM worked")
        expected = table.execute("FROM logitpack_tokens('worked')").fetchall()
        assert expected == table.execute("FROM logitpack_tokens('wide')").fetchall()
    table.execute("CREATE OR REPLACE TABLE wide AS SELECT * REPLACE ([7.00000001, 3]::DOUBLE[] AS top_min) FROM worked")
    assert table.execute("SELECT top_logits[3] FROM logitpack_tokens('wide')").fetchall()[0] == (7.0,)


def test_order_over_row_groups(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """RD-2: rows come in stored order, with several threads and row groups."""
    path = tmp_path / "many.parquet"
    connection.execute(
        f"""COPY (SELECT 1 AS num_tokens, [1]::UTINYINT[] AS top_counts, [i % 65536]::USMALLINT[] AS top_indices_low,
            '\\x00'::BLOB AS top_indices_high, [0]::USMALLINT[] AS top_logits_quantized, [0]::FLOAT[] AS top_min,
            [1]::FLOAT[] AS top_max, [0]::USMALLINT[] AS sampled_indices_low, '\\x03'::BLOB AS sampled_indices_high,
            [0]::USMALLINT[] AS sampled_logits_quantized, [0]::FLOAT[] AS sampled_min, [0]::FLOAT[] AS sampled_max,
            [i]::DOUBLE[] AS logsumexp FROM range(100000) r(i)) TO '{path}' (ROW_GROUP_SIZE 2048)"""
    )
    connection.execute("SET threads = 4")
    query = "SELECT row, logsumexp, top_indices[1] FROM logitpack_tokens($1)"
    found = connection.execute(query, [str(path)]).fetchall()
    assert [(i, float(i), i % 65536) for i in range(100_000)] == found


def test_long_row(connection: duckdb.DuckDBPyConnection) -> None:
    """Time and memory grow with the entries of a row, not with their square: a row of 50,000 tokens is read."""
    connection.execute("CREATE MACRO times(x, n) AS list_resize([x], n, x)")
    connection.execute(
        """CREATE TABLE long AS SELECT
            n AS num_tokens, times(3::UTINYINT, n) AS top_counts, times(7::USMALLINT, 3 * n) AS top_indices_low,
            repeat('\\xFF'::BLOB, (3 * n + 3) // 4) AS top_indices_high,
            times(1::USMALLINT, 3 * n) AS top_logits_quantized, times(0::FLOAT, n) AS top_min,
            times(1::FLOAT, n) AS top_max, times(9::USMALLINT, n) AS sampled_indices_low,
            repeat('\\x00'::BLOB, (n + 3) // 4) AS sampled_indices_high,
            times(1::USMALLINT, n) AS sampled_logits_quantized, times(0::FLOAT, n) AS sampled_min,
            times(0::FLOAT, n) AS sampled_max, times(2::DOUBLE, n) AS logsumexp
        FROM (SELECT 50000 AS n)"""
    )
    query = "SELECT count(*), sum(list_sum(top_indices)), sum(list_sum(sampled_indices)) FROM logitpack_tokens('long')"
    assert [(50_000, 150_000 * (7 + 3 * 65536), 50_000 * 9)] == connection.execute(query).fetchall()


def test_real_dataset(connection: duckdb.DuckDBPyConnection) -> None:
    """The nuclei of real tokens have the mass that their metadata declare, 0.98, or all entries that these allow."""
    pattern = str(ROOT / "fixtures/real/smollm2-135m-instruct/data/*.parquet")
    query = """SELECT count(*) FILTER (kind = 'top'), sum(probability) FILTER (kind = 'top'), sum(probability)
        FROM logitpack_entries($1) GROUP BY row, token"""
    tokens = connection.execute(query, [pattern]).fetchall()
    assert len(tokens) == 958
    assert all((mass > 0.979 or count == 100) and mass <= total < 1.001 for count, mass, total in tokens)
