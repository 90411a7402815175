// Arrow schemas, straight from their flatbuffers: apache-arrow's own Schema drops bytes that are no UTF-8, and has no
// list views and no run-end encoding.

import { ByteBuffer, Encoding } from "flatbuffers";
import { FixedSizeList } from "apache-arrow/fb/fixed-size-list";
import { FloatingPoint } from "apache-arrow/fb/floating-point";
import { Int } from "apache-arrow/fb/int";
import { Message } from "apache-arrow/fb/message";
import { MessageHeader } from "apache-arrow/fb/message-header";
import { Schema } from "apache-arrow/fb/schema";
import { Type } from "apache-arrow/fb/type";

const LISTS = { List: "list", LargeList: "large_list", ListView: "list_view", LargeListView: "large_list_view" };
const BINARIES = { Binary: "binary", LargeBinary: "large_binary", BinaryView: "binary_view" };
const FLOATS = ["halffloat", "float", "double"];
const BEYOND = { ListView: "list_view", LargeListView: "list_view", RunEndEncoded: "run_end_encoded" };
const NATIVE = 0; // little-endian

/**
 * @typedef {object} ArrowSchema
 * @property {import("./columns.js").Field[]} fields
 * @property {Uint8Array | null} metadata the value of the key logitpack
 * @property {string | null} beyond a feature that apache-arrow lacks, where a type needs it
 * @property {boolean} isNative whether it is little-endian
 */

/**
 * @param {Schema} schema
 * @param {number} bytes the size of the flatbuffer, which bounds what it can claim
 * @returns {ArrowSchema}
 */
export function readSchema(schema, bytes) {
  const seen = { count: 0, limit: bytes, beyond: null };
  const fields = children(schema.fieldsLength(), (i) => schema.fields(i), seen).map((field) => ({
    name: field.name() ?? "",
    type: typeOf(field, seen),
  }));
  const pairs = children(schema.customMetadataLength(), (i) => schema.customMetadata(i), seen);
  const found = pairs.find((pair) => pair.key() === "logitpack");
  return {
    fields,
    metadata: found?.value(Encoding.UTF8_BYTES) ?? null,
    beyond: seen.beyond,
    isNative: schema.endianness() === NATIVE,
  };
}

/** Flatbuffers can claim any number of elements, and the same one again and again. */
function children(length, at, seen) {
  seen.count += length;
  if (length < 0 || seen.count > seen.limit) throw new Error("a schema of more elements than it has room for");
  return Array.from({ length }, (_, i) => at(i));
}

/** @returns {string} as in Field */
function typeOf(field, seen) {
  const kind = Type[field.typeType()];
  if (kind === undefined || kind === "NONE") throw new Error("a column of an unknown type");
  seen.beyond ??= BEYOND[kind] ?? null;
  const nested = children(field.childrenLength(), (i) => field.children(i), seen).map((child) => typeOf(child, seen));
  if (field.dictionary() !== null) return "dictionary";
  if (kind === "Int") {
    const type = field.type(new Int());
    return `${type.isSigned() ? "" : "u"}int${type.bitWidth()}`;
  }
  if (kind === "FloatingPoint") return FLOATS[field.type(new FloatingPoint()).precision()];
  if (kind === "FixedSizeList") return `fixed_size_list[${field.type(new FixedSizeList()).listSize()}]<${nested}>`;
  if (kind in LISTS) return `${LISTS[kind]}<${nested}>`;
  return BINARIES[kind] ?? kind.toLowerCase();
}

/**
 * The types of a Parquet file's columns, where an Arrow schema in its footer tells which variant was written. One that
 * cannot be read tells nothing.
 *
 * @param {Uint8Array | null} encoded the value of ARROW:schema
 * @param {import("./columns.js").Field[]} fields as the Parquet schema has them
 * @returns {import("./columns.js").Field[]}
 */
export function storedTypes(encoded, fields) {
  if (encoded === null) return fields;
  let written;
  try {
    written = messageSchema(Buffer.from(Buffer.from(encoded).toString("latin1"), "base64"));
  } catch {
    return fields;
  }
  return fields.map(({ name, type }, i) => {
    const other = written.fields[i]?.name === name ? written.fields[i].type : type;
    return { name, type: isVariant(type, other) ? other : type };
  });
}

function isVariant(type, other) {
  const element = (list) => /^[a-z_]+(?:\[[0-9]+\])?<(.*)>$/.exec(list)?.[1];
  const same = (a, b) => a === b || (a === "int64" && b === "uint32"); // version 1 of Parquet has no uint32
  if (type === "binary") return Object.values(BINARIES).includes(other);
  return type.startsWith("list<")
    ? element(other) !== undefined && same(element(type), element(other))
    : same(type, other);
}

/** @param {Uint8Array} bytes an encapsulated message, with or without a continuation indicator */
function messageSchema(bytes) {
  const buffer = new ByteBuffer(bytes);
  const start = buffer.readInt32(0) === -1 ? 8 : 4;
  const message = Message.getRootAsMessage(new ByteBuffer(bytes.subarray(start)));
  if (message.headerType() !== MessageHeader.Schema) throw new Error("no schema");
  return readSchema(message.header(new Schema()), bytes.length);
}
