// The writer: rows are encoded, judged as a checker would, and only then written.

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import {
  Binary,
  Field,
  Float32,
  Float64,
  Int32,
  List,
  Message,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Table,
  Uint16,
  Uint8,
  makeData,
} from "apache-arrow";
import { parquetWriteBuffer } from "hyparquet-writer";
import { checkRows } from "./check.js";
import { COLUMNS, NAMES } from "./columns.js";
import { encode } from "./encode.js";
import { Breach } from "./errors.js";
import { parseRow } from "./logical.js";
import { judgeMetadata } from "./metadata.js";

const GROUP_TOKENS = 65_536;
const LINE_FEED = 0x0a;

/**
 * Writes rows of logical JSON. The file is there whole or not at all (WR-2).
 *
 * @param {string} input its path
 * @param {string} output
 * @param {"parquet" | "arrow-file" | "arrow-stream" | "json"} container
 * @param {string | null} metadata as JSON; stored JSON cannot hold them
 * @throws {Breach} where the rows are refused, by the requirement that a file of them would break
 */
export function write(input, output, container, metadata) {
  const judged = metadata === null ? { value: null, finding: null } : judgeMetadata(Buffer.from(metadata));
  if (judged.finding !== null) throw judged.finding;
  const batch = encode([...rowsOf(readFileSync(input))]);
  const [broken] = checkRows([batch], judged.value);
  if (broken !== undefined) throw new Breach(broken.requirement, broken.message, broken);
  const partial = `${output}.partial`;
  try {
    writeFileSync(partial, FORMATS[container](batch, metadata));
    renameSync(partial, output);
  } finally {
    rmSync(partial, { force: true });
  }
}

function* rowsOf(bytes) {
  for (let start = 0, row = 0; start < bytes.length; row += 1) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    yield parseRow(bytes.subarray(start, end), row);
    start = end + 1;
  }
}

/** The values of each row of a column; a view of them where it has many. */
function valuesOf({ values, offsets }, rows) {
  return Array.from({ length: rows }, (_, row) =>
    offsets === null ? values[row] : values.subarray(offsets[row], offsets[row + 1]),
  );
}

const FORMATS = {
  parquet: toParquet,
  "arrow-file": (batch, metadata) => WholeFileWriter.writeAll(toTable(batch, metadata)).toUint8Array(true),
  "arrow-stream": (batch, metadata) => RecordBatchStreamWriter.writeAll(toTable(batch, metadata)).toUint8Array(true),
  json: toJson,
};

function toJson({ rows, columns }) {
  const present = Object.keys(columns).map((name) => [name, valuesOf(columns[name], rows)]);
  const stored = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  const lines = Array.from({ length: rows }, (_, row) => {
    const members = present.map(([name, values]) => [
      name,
      COLUMNS[name].shape === "binary" ? Buffer.from(values[row]).toString("base64") : stored(values[row]),
    ]);
    return `${JSON.stringify(Object.fromEntries(members))}\n`;
  });
  return lines.join("");
}

// Parquet

// By converted types alone: as logical type hyparquet-writer writes an integer's width as another type of Thrift than
// the Parquet specification has, which other readers refuse.
const ELEMENTS = {
  uint8: { type: "INT32", converted_type: "UINT_8" },
  uint16: { type: "INT32", converted_type: "UINT_16" },
  int32: { type: "INT32" },
  float: { type: "FLOAT" },
  double: { type: "DOUBLE" },
};
const elementOf = (name) => /^list<(.*)>$/.exec(COLUMNS[name].canonical)?.[1];

/** @returns {import("hyparquet").SchemaElement[]} */
function parquetSchemaOf(name) {
  const element = elementOf(name);
  if (element === undefined) {
    return [
      {
        name,
        repetition_type: "REQUIRED",
        ...(COLUMNS[name].shape === "binary" ? { type: "BYTE_ARRAY" } : ELEMENTS.int32),
      },
    ];
  }
  return [
    { name, repetition_type: "REQUIRED", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "REQUIRED", ...ELEMENTS[element] },
  ];
}

function toParquet({ rows, columns }, metadata) {
  const names = NAMES.filter((name) => name in columns);
  return new Uint8Array(
    parquetWriteBuffer({
      schema: [{ name: "schema", num_children: names.length }, ...names.flatMap(parquetSchemaOf)],
      columnData: names.map((name) => ({
        name,
        data: valuesOf(columns[name], rows).map((value) =>
          COLUMNS[name].shape === "list" ? Array.from(value) : value,
        ),
        // SPEC.md appendix E: codes and indices look random, but share their high bytes.
        encoding: ["uint16", "float", "double"].includes(elementOf(name)) ? "BYTE_STREAM_SPLIT" : "PLAIN",
      })),
      kvMetadata: metadata === null ? undefined : [{ key: "logitpack", value: metadata }],
      statistics: false,
      rowGroupSize: groupSizes(columns.num_tokens.values),
    }),
  );
}

/** How many rows make up some 65,536 tokens each time. */
function groupSizes(tokens) {
  const sizes = [0];
  let held = 0;
  for (const n of tokens) {
    if (held > 0 && held + n > GROUP_TOKENS) {
      sizes.push(0);
      held = 0;
    }
    sizes[sizes.length - 1] += 1;
    held += n;
  }
  return sizes;
}

// Arrow

/** A file holds a stream, which begins with its schema: apache-arrow leaves that out, and has it in the footer only. */
class WholeFileWriter extends RecordBatchFileWriter {
  static writeAll(table) {
    const writer = new WholeFileWriter();
    writer.writeAll(table);
    return writer;
  }

  _writeSchema(schema) {
    super._writeSchema(schema);
    return this._writeMessage(Message.from(schema));
  }
}

const TYPES = {
  uint8: new Uint8(),
  uint16: new Uint16(),
  int32: new Int32(),
  float: new Float32(),
  double: new Float64(),
};

function toTable({ rows, columns }, metadata) {
  const names = NAMES.filter((name) => name in columns);
  const children = names.map((name) => toData(name, columns[name], rows));
  const fields = names.map((name, i) => new Field(name, children[i].type, true));
  const schema = new Schema(fields, metadata === null ? new Map() : new Map([["logitpack", metadata]]));
  const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
  return new Table(schema, rows === 0 ? [] : [new RecordBatch(schema, data)]);
}

function toData(name, { values, offsets }, length) {
  const { shape } = COLUMNS[name];
  if (shape === "scalar") return makeData({ type: TYPES.int32, length, nullCount: 0, data: values });
  if (shape === "binary")
    return makeData({ type: new Binary(), length, nullCount: 0, valueOffsets: offsets, data: values });
  const type = TYPES[elementOf(name)];
  const child = makeData({ type, length: values.length, nullCount: 0, data: values });
  return makeData({
    type: new List(new Field("item", type, true)),
    length,
    nullCount: 0,
    valueOffsets: offsets,
    child,
  });
}
