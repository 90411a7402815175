// SPEC.md section 5: the columns, and which types stand for them. Types are written as Arrow writes them: list<uint16>.

import { Breach } from "./errors.js";

/**
 * @typedef {{name: string, type: string}} Field a column at the top level of a file
 *
 * @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array} Numbers
 *
 * @typedef {object} Column the values of one column in some rows
 * @property {Numbers} values of all rows, one after another; of binary, the bytes
 * @property {Int32Array | null} offsets row r has values offsets[r] to offsets[r + 1] - 1; null where each row has one
 * @property {Uint8Array | null} nulls 1 for a row that is null or has a null element; null where no row is
 *
 * @typedef {{rows: number, columns: Record<string, Column>}} Batch some rows of a file, their types checked
 *
 * @typedef {"scalar" | "list" | "binary"} Shape
 */

/** @type {Record<string, {shape: Shape, canonical: string, number: "integer" | "binary32" | "binary64" | "bytes"}>} */
export const COLUMNS = {
  num_tokens: { shape: "scalar", canonical: "int32", number: "integer" },
  top_counts: { shape: "list", canonical: "list<uint8>", number: "integer" },
  top_indices_low: { shape: "list", canonical: "list<uint16>", number: "integer" },
  top_indices_high: { shape: "binary", canonical: "binary", number: "bytes" },
  top_logits_quantized: { shape: "list", canonical: "list<uint16>", number: "integer" },
  top_min: { shape: "list", canonical: "list<float>", number: "binary32" },
  top_max: { shape: "list", canonical: "list<float>", number: "binary32" },
  sampled_indices_low: { shape: "list", canonical: "list<uint16>", number: "integer" },
  sampled_indices_high: { shape: "binary", canonical: "binary", number: "bytes" },
  sampled_logits_quantized: { shape: "list", canonical: "list<uint16>", number: "integer" },
  sampled_min: { shape: "list", canonical: "list<float>", number: "binary32" },
  sampled_max: { shape: "list", canonical: "list<float>", number: "binary32" },
  logsumexp: { shape: "list", canonical: "list<double>", number: "binary64" },
  token_ids: { shape: "list", canonical: "list<int32>", number: "integer" },
};

export const NAMES = Object.keys(COLUMNS);
export const REQUIRED = NAMES.filter((name) => name !== "token_ids");

const INTEGER = "u?int(8|16|32|64)";
const FLOAT = "halffloat|float|double";
const ELEMENTS = { integer: INTEGER, binary32: FLOAT, binary64: FLOAT };

/** @param {string} name */
function accepted(name) {
  const { shape, number } = COLUMNS[name];
  if (shape === "binary") return /^(large_)?binary$|^binary_view$/;
  if (shape === "scalar") return new RegExp(`^${ELEMENTS[number]}$`);
  return new RegExp(`^(list|large_list|fixed_size_list\\[[0-9]+\\]|list_view|large_list_view)<(${ELEMENTS[number]})>$`);
}

const ACCEPTED = Object.fromEntries(NAMES.map((name) => [name, accepted(name)]));

/**
 * COL-1, COL-2 and COL-5 of a schema.
 *
 * @param {Field[]} fields
 * @returns {{findings: Breach[], sound: boolean, types: Record<string, string>}} sound where COL-1 and COL-2 hold
 */
export function judgeColumns(fields) {
  const findings = [];
  const types = {};
  for (const name of NAMES) {
    const here = fields.filter((field) => field.name === name);
    if (here.length > 1 || (here.length === 0 && name !== "token_ids")) {
      findings.push(new Breach("COL-1", `${name} stands ${here.length} times`));
    } else if (here.length === 1) {
      const { type } = here[0];
      types[name] = type;
      if (!ACCEPTED[name].test(type)) findings.push(new Breach("COL-2", `${name} is ${type}`));
      else if (type !== COLUMNS[name].canonical) findings.push(new Breach("COL-5", `${name} is ${type}`));
    }
  }
  return { findings, sound: findings.every((finding) => finding.requirement === "COL-5"), types };
}
