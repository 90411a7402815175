// Container json, SPEC.md section 4.3: one row a line.

import { COLUMNS, NAMES, REQUIRED } from "./columns.js";
import { Breach } from "./errors.js";
import { Members, Numeral, binary32, parse } from "./json.js";

const WORDS = { NaN, Infinity, "-Infinity": -Infinity };
const LINE_FEED = 0x0a;

/**
 * The rows of stored JSON, each a batch.
 *
 * @param {Uint8Array} bytes the whole file
 * @yields {import("./columns.js").Batch}
 * @throws {Breach} JSON-1, COL-1, COL-2 or JSON-2, at the first line that breaks one
 */
export function* jsonBatches(bytes) {
  let hasIds = null;
  let row = 0;
  for (let start = 0; start < bytes.length; row += 1) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found;
    const batch = batchOf(bytes.subarray(start, end), row, hasIds);
    hasIds ??= "token_ids" in batch.columns;
    yield batch;
    start = end + 1;
  }
}

/**
 * @param {Uint8Array} line
 * @param {number} row for messages
 * @param {boolean | null} hasIds whether the lines before have token_ids
 * @returns {import("./columns.js").Batch} of one row
 */
function batchOf(line, row, hasIds) {
  const broken = (requirement, message) => new Breach(requirement, message, { row });
  let members;
  try {
    members = parse(line);
  } catch (error) {
    throw broken("JSON-1", error.message);
  }
  if (!(members instanceof Members)) throw broken("JSON-1", "the line is no JSON object");
  /** @type {Record<string, import("./json.js").Value>} */
  const stored = Object.create(null);
  for (const [name, value] of members.pairs) {
    if (!Object.hasOwn(COLUMNS, name)) continue;
    if (name in stored) throw broken("COL-1", `${name} stands twice`);
    stored[name] = value;
  }
  for (const name of REQUIRED) {
    if (!(name in stored)) throw broken("COL-1", `${name} is missing`);
  }
  if (hasIds !== null && hasIds !== "token_ids" in stored)
    throw broken("COL-1", "token_ids stands in some lines and not in others");
  const present = NAMES.filter((name) => name in stored);
  for (const name of present) {
    if (!hasType(stored[name], COLUMNS[name])) throw broken("COL-2", `${name} has a value of another type`);
  }
  const columns = {};
  for (const name of present)
    columns[name] = columnOf(stored[name], COLUMNS[name], () => broken("JSON-2", `${name} is no base64`));
  return { rows: 1, columns };
}

/** COL-2. Null is of every type: COL-3 is about it. */
function hasType(value, { shape, number }) {
  if (value === null) return true;
  if (shape === "binary") return typeof value === "string";
  const fits = (element) => {
    if (element === null) return true;
    if (element instanceof Numeral) return number !== "integer" || element.isInteger;
    return number !== "integer" && typeof element === "string" && Object.hasOwn(WORDS, element);
  };
  return shape === "scalar" ? fits(value) : Array.isArray(value) && value.every(fits);
}

/** @returns {import("./columns.js").Column} */
function columnOf(value, { shape, number }, noBase64) {
  if (shape === "binary") {
    const bytes = Buffer.from(value ?? "", "base64");
    if (value !== null && bytes.toString("base64") !== value) throw noBase64(); // Buffer is lenient
    return { values: bytes, offsets: Int32Array.of(0, bytes.length), nulls: value === null ? Uint8Array.of(1) : null };
  }
  const elements = shape === "scalar" || value === null ? [value] : value;
  const read = (element) => {
    if (element === null) return 0;
    if (typeof element === "string") return WORDS[element];
    return number === "binary32" ? binary32(element.text) : Number(element.text);
  };
  return {
    values: Float64Array.from(elements, read),
    offsets: shape === "scalar" ? null : Int32Array.of(0, elements.length),
    nulls: elements.includes(null) ? Uint8Array.of(1) : null,
  };
}
