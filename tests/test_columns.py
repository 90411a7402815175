"""Record batches of all accepted types, flat; and the column table itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import logitpack
from logitpack.columns import cut, normalise
from logitpack.errors import DataError, Place
from logitpack.resources import load_schema
from logitpack.table import COLUMNS, canonical_schema, schema_errors
from logitpack_conformance.rows import valid_rows, with_token_ids
from support import table

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
LISTS = {
    "list": pa.list_,
    "large_list": pa.large_list,
    "list_view": pa.list_view,
    "large_list_view": pa.large_list_view,
}
BINARIES = [pa.binary(), pa.large_binary(), pa.binary_view()]


def batch_of(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Make one record batch of canonical types."""
    return table(rows).combine_chunks().to_batches()[0]


def replaced(batch: pa.RecordBatch, **columns: pa.Array) -> pa.RecordBatch:
    """Put other arrays in the place of columns."""
    arrays = {name: columns.get(name, batch.column(name)) for name in batch.schema.names}
    return pa.RecordBatch.from_pydict(arrays)


def retyped(batch: pa.RecordBatch, name: str, kind: pa.DataType) -> pa.RecordBatch:
    """Give a column another type, with the same values."""
    return replaced(batch, **{name: pa.array(batch.column(name).to_pylist(), kind)})


def lists(offsets: list[int], values: pa.Array) -> pa.Array:
    """Make a list array of buffers, whose offsets are not looked at in between."""
    buffers = [None, pa.py_buffer(np.array(offsets, np.int32))]
    return pa.Array.from_buffers(pa.list_(values.type), len(offsets) - 1, buffers, children=[values])


@pytest.fixture(scope="module")
def valid() -> pa.RecordBatch:
    """A valid batch of three rows, with token ids."""
    return batch_of(with_token_ids(valid_rows()))


def test_table_is_the_published_one() -> None:
    """The columns are those of columns.json, in its order."""
    assert [entry["name"] for entry in load_schema("columns.json")["columns"]] == list(COLUMNS)


def test_canonical_schema_names_the_types_of_the_table() -> None:
    """The canonical Arrow types are those that columns.json names."""
    expected = [column.type.replace("<", "<item: ").replace("float32", "float") for column in COLUMNS.values()]
    schema = canonical_schema(token_ids=True)
    assert [kind.replace("float64", "double") for kind in expected] == [str(field.type) for field in schema]


def test_canonical_types_are_not_copied(valid: pa.RecordBatch) -> None:
    """The values of a canonical column are Arrow's own buffer."""
    values = normalise(valid).top_logits_quantized.values
    assert valid.column("top_logits_quantized").values.buffers()[1].address == values.ctypes.data


@pytest.mark.parametrize("kind", INTEGERS)
def test_integer_types(valid: pa.RecordBatch, kind: str) -> None:
    """Any integer type stands for any other, values being equal."""
    counts = [[1, 2], [100, 3, 4], [1]]
    columns = normalise(replaced(valid, top_counts=pa.array(counts, pa.list_(pa.type_for_alias(kind)))))
    assert [1, 2, 100, 3, 4, 1] == columns.top_counts.values.tolist()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("column", ["top_counts", "sampled_indices_low", "logsumexp"])
def test_list_types(valid: pa.RecordBatch, name: str, column: str) -> None:
    """Every list type gives the values and offsets that the canonical one gives."""
    expected = normalise(valid).ragged(column)
    kind = LISTS[name](valid.schema.field(column).type.value_type)
    got = normalise(retyped(valid, column, kind)).ragged(column)
    assert (expected.values.tolist(), expected.offsets.tolist()) == (got.values.tolist(), got.offsets.tolist())


def test_fixed_size_list(valid: pa.RecordBatch) -> None:
    """A fixed-size list has the lengths of its size."""
    fixed = pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.uint16(), 2))
    column = normalise(replaced(valid, top_counts=fixed)).top_counts
    assert ([1, 2, 3, 4, 5, 6], [0, 2, 4, 6]) == (column.values.tolist(), column.offsets.tolist())


@pytest.mark.parametrize("kind", BINARIES, ids=str)
def test_binary_types(valid: pa.RecordBatch, kind: pa.DataType) -> None:
    """Every binary type gives the same bytes, short and long, whole and sliced."""
    data = [b"", b"0123", b"0123456789abcdefghij"]
    column = normalise(replaced(valid, top_indices_high=pa.array(data, kind)).slice(1)).top_indices_high
    assert (b"".join(data), [0, 4, 24]) == (column.values.tobytes(), column.offsets.tolist())


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_float_types(valid: pa.RecordBatch, kind: pa.DataType) -> None:
    """Ranges become float32 and logsumexp float64, whatever float they are stored as."""
    batch = retyped(retyped(valid, "top_min", pa.list_(kind)), "logsumexp", pa.list_(kind))
    columns = normalise(batch)
    assert ["float32", "float64"] == [str(columns.top_min.values.dtype), str(columns.logsumexp.values.dtype)]


def test_float64_range_is_rounded_to_nearest(valid: pa.RecordBatch) -> None:
    """Where float64 stands for float32, the value meant is the nearest one."""
    ranges = pa.array([[0.1], [1e-46], [1e300]], pa.list_(pa.float64()))
    assert [np.float32(0.1), 0.0, np.inf] == normalise(replaced(valid, top_min=ranges)).top_min.values.tolist()


def test_logsumexp_keeps_binary64(valid: pa.RecordBatch) -> None:
    """Logsumexp means exactly what is stored."""
    stored = pa.array([[0.1], [1e-300], [1e300]], pa.list_(pa.float64()))
    assert [0.1, 1e-300, 1e300] == normalise(replaced(valid, logsumexp=stored)).logsumexp.values.tolist()


def test_slices_are_what_they_show(valid: pa.RecordBatch) -> None:
    """Of a sliced batch, only the rows of the slice are there."""
    whole, part = normalise(valid), normalise(valid.slice(1, 1))
    first, last = whole.top_counts.offsets[1:3].tolist()
    assert whole.top_counts.values[first:last].tolist() == part.top_counts.values.tolist()


def test_child_with_an_offset(valid: pa.RecordBatch) -> None:
    """A list array whose values are themselves a slice is read from the right place."""
    values = pa.array([9, 9, 1, 2, 3], pa.uint8()).slice(2)
    assert [2, 3] == normalise(replaced(valid, top_counts=lists([1, 2, 3, 3], values))).top_counts.values.tolist()


def test_views_out_of_order(valid: pa.RecordBatch) -> None:
    """Views may stand in any order and share elements: rows still come out in theirs."""
    offsets, sizes = pa.array([3, 0, 1], pa.int32()), pa.array([2, 3, 2], pa.int32())
    view = pa.ListViewArray.from_arrays(offsets, sizes, pa.array([1, 2, 3, 4, 5], pa.uint8()))
    column = normalise(replaced(valid, top_counts=view)).top_counts
    assert ([4, 5, 1, 2, 3, 2, 3], [0, 2, 5, 7]) == (column.values.tolist(), column.offsets.tolist())


def test_no_rows() -> None:
    """A batch without rows has empty columns."""
    empty = pa.RecordBatch.from_pylist([], schema=canonical_schema())
    columns = normalise(empty)
    assert (0, [0]) == (len(columns), columns.top_counts.offsets.tolist())


def test_empty_array_without_buffers(valid: pa.RecordBatch) -> None:
    """An empty list array need not have an offsets buffer; it is not looked for."""
    bare = pa.Array.from_buffers(pa.list_(pa.uint8()), 0, [None, None], children=[pa.array([], pa.uint8())])
    assert [0] == normalise(replaced(valid.slice(0, 0), top_counts=bare)).top_counts.offsets.tolist()


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if column.required])
def test_absent_column(valid: pa.RecordBatch, name: str) -> None:
    """COL-1: each required column has to be there."""
    with pytest.raises(DataError) as caught:
        normalise(valid.drop_columns([name]))
    assert ("COL-1", Place(column=name)) == (caught.value.requirement, caught.value.place)


@pytest.mark.parametrize("name", COLUMNS)
def test_column_twice(valid: pa.RecordBatch, name: str) -> None:
    """COL-1: of two columns of one name, which one is meant?"""
    arrays, names = [*valid.columns, valid.column(name)], [*valid.schema.names, name]
    with pytest.raises(DataError, match=f"COL-1: {name} stands there 2 times"):
        normalise(pa.RecordBatch.from_arrays(arrays, names=names))


def test_name_of_another_case_is_another(valid: pa.RecordBatch) -> None:
    """COL-1: names are exact."""
    names = [name.replace("top_min", "Top_Min") for name in valid.schema.names]
    assert ["COL-1"] == [error.requirement for error in schema_errors(valid.rename_columns(names).schema)]


WRONG = {
    "num_tokens": [pa.float64(), pa.string(), pa.list_(pa.int32()), pa.bool_(), pa.decimal128(5)],
    "top_counts": [
        pa.int32(),
        pa.binary(),
        pa.list_(pa.float32()),
        pa.list_(pa.list_(pa.uint8())),
        pa.list_(pa.bool_()),
    ],
    "top_indices_high": [pa.string(), pa.binary(4), pa.list_(pa.uint8()), pa.dictionary(pa.int8(), pa.binary())],
    "top_min": [pa.float32(), pa.list_(pa.int32()), pa.list_(pa.decimal128(9, 3)), pa.list_(pa.string())],
    "logsumexp": [pa.list_(pa.dictionary(pa.int8(), pa.float64())), pa.null()],
    "token_ids": [pa.list_(pa.float64()), pa.list_(pa.date32())],
}


@pytest.mark.parametrize(("name", "kind"), [(n, kind) for n, kinds in WRONG.items() for kind in kinds], ids=str)
def test_wrong_type(valid: pa.RecordBatch, name: str, kind: pa.DataType) -> None:
    """COL-2: what no widening of types would give is not accepted."""
    schema = valid.schema.set(valid.schema.get_field_index(name), pa.field(name, kind))
    errors = schema_errors(schema)
    assert [("COL-2", name, str(kind))] == [(e.requirement, e.place.column, e.got) for e in errors]


def test_other_columns_are_not_touched(valid: pa.RecordBatch) -> None:
    """COL-4: a column that is no part of the format may hold anything, even broken offsets."""
    broken = lists([0, 5, 3, 8], pa.array(range(8)))
    arrays, names = [broken, *valid.columns], ["messages", *valid.schema.names]
    assert 3 == len(normalise(pa.RecordBatch.from_arrays(arrays, names=names)))


def test_decreasing_offsets(valid: pa.RecordBatch) -> None:
    """FILE-1: offsets that decrease are found before a value is read."""
    with pytest.raises(DataError, match="FILE-1: top_counts is corrupt") as caught:
        normalise(replaced(valid, top_counts=lists([0, 5, 3, 8], pa.array(range(8), pa.uint8()))))
    assert "top_counts" == caught.value.place.column


@pytest.mark.parametrize("name", ["num_tokens", "top_counts", "top_indices_high", "logsumexp", "token_ids"])
def test_null_row(valid: pa.RecordBatch, name: str) -> None:
    """COL-3: a null in place of a row's value is found, in its row."""
    values = [*valid.column(name).to_pylist()[:2], None]
    nulls = normalise(replaced(valid, **{name: pa.array(values, valid.schema.field(name).type)})).nulls
    assert [("COL-3", Place(row=2, column=name))] == [(n.requirement, n.place()) for n in nulls]


def test_null_element(valid: pa.RecordBatch) -> None:
    """COL-3: a null element of a per-token list is found, in its token."""
    values = valid.column("top_min").to_pylist()
    values[2][4] = None
    nulls = normalise(replaced(valid, top_min=pa.array(values, pa.list_(pa.float32()))), first_row=10).nulls
    assert [Place(row=12, token=4, column="top_min")] == [null.place() for null in nulls]


def test_nulls_of_lists_and_elements_together(valid: pa.RecordBatch) -> None:
    """COL-3: elements keep their row's number where rows before them are null."""
    lists_ = pa.array([None, [1], [2, None]], pa.list_view(pa.uint8()))
    nulls = normalise(replaced(valid, top_counts=lists_)).nulls
    assert [[0], [2]] == [null.rows.tolist() for null in nulls]


def test_null_outside_of_every_list(valid: pa.RecordBatch) -> None:
    """A null that no row holds is no null of the column."""
    values = pa.array([None, 1, 2, 3, None], pa.uint8())
    assert () == normalise(replaced(valid, top_counts=lists([1, 2, 3, 4], values))).nulls


def test_rows_without_nulls_keep_their_numbers(valid: pa.RecordBatch) -> None:
    """A row with a null is empty; those around it are what they were."""
    values = [valid.column("top_min").to_pylist()[0], None, valid.column("top_min").to_pylist()[2]]
    columns = normalise(replaced(valid, top_min=pa.array(values, pa.list_(pa.float32()))))
    whole = normalise(valid)
    assert [whole.top_indices_low.lengths[0], 0, whole.top_indices_low.lengths[2]] == list(
        columns.top_indices_low.lengths
    )


def test_null_with_binary_view(valid: pa.RecordBatch) -> None:
    """Rows with nulls are put aside in columns of views, too."""
    counts = pa.array([[1], None, [1]], pa.list_(pa.uint8()))
    view = pa.array([b"a", b"b", b"a long one of 19 bytes"[:19]], pa.binary_view())
    column = normalise(replaced(valid, top_counts=counts, top_indices_high=view)).top_indices_high
    assert [0, 1, 1, 20] == column.offsets.tolist()


def test_cut_bounds_what_views_grow_to(valid: pa.RecordBatch) -> None:
    """A batch is cut by what its rows take once flat, not by what it takes as it is."""
    rows = 8
    wide = pa.ListViewArray.from_arrays(
        pa.array([0] * rows, pa.int32()), pa.array([1000] * rows, pa.int32()), pa.array(np.zeros(1000, np.uint8))
    )
    batch = pa.RecordBatch.from_pydict({name: valid.column(name).take([0] * rows) for name in valid.schema.names})
    parts = cut(replaced(batch, top_counts=wide), elements=3000)
    assert [2, 2, 2, 2] == [part.num_rows for part in parts]


def test_cut_keeps_all_rows(valid: pa.RecordBatch) -> None:
    """A limit below one row gives each row a slice of its own."""
    assert valid.to_pylist() == [row for part in cut(valid, elements=1) for row in part.to_pylist()]


def test_select_and_slice_agree(valid: pa.RecordBatch) -> None:
    """Rows picked by a mask are the rows that a slice has."""
    columns = normalise(valid)
    picked, part = columns.select(np.array([False, True, True])), columns.slice(1, 3)
    assert part.sampled_min.values.tolist() == picked.sampled_min.values.tolist()


def test_table_of_the_package_has_no_reader_specific_type() -> None:
    """Every canonical type is itself accepted."""
    assert [] == schema_errors(logitpack.canonical_schema(token_ids=True))
