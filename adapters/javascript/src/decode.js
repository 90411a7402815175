// What stored rows mean.

import { judgeColumns } from "./columns.js";
import { Breach } from "./errors.js";
import { File } from "./files.js";
import { unpackIndices } from "./indices.js";
import { dequantizeAll } from "./quantize.js";
import { dataFiles, metadataOf, openSource } from "./source.js";
import { judgeStructure } from "./structure.js";

const LAST_INT32 = 2 ** 31 - 1;

/**
 * @typedef {object} Decoded some rows, whole
 * @property {number} rows
 * @property {Int32Array} tokens row r has tokens tokens[r] to tokens[r + 1] - 1
 * @property {Float64Array} logsumexp of each token
 * @property {Entries} top the nuclei
 * @property {Entries} sampled the tails
 * @property {(Int32Array | null)[]} tokenIds of each row
 *
 * @typedef {object} Entries
 * @property {Int32Array} offsets token i has entries offsets[i] to offsets[i + 1] - 1
 * @property {Int32Array} indices
 * @property {Float32Array} logits within QNT-2: computed in binary64, rounded once
 */

/**
 * Reads a file or a folder, in pieces of a row group, a record batch or a line.
 *
 * @param {string} path
 * @yields {Decoded}
 * @throws {Breach} at the first structural requirement that does not hold, or META-2; {Unsupported}; {Limit}
 */
export function* read(path) {
  const { root, paths } = dataFiles(path);
  for (const each of paths) {
    const file = new File(each);
    try {
      const source = openSource(file);
      const { findings, value } = metadataOf(source, root, null);
      const unknown = findings.find(({ requirement }) => requirement === "META-2");
      if (unknown !== undefined) throw unknown;
      if (source.fields !== null) {
        const broken = judgeColumns(source.fields).findings.find(({ requirement }) => requirement !== "COL-5");
        if (broken !== undefined) throw broken;
      }
      let first = 0;
      for (const batch of source.batches()) {
        yield decode(batch, value?.vocab_size, first);
        first += batch.rows;
      }
    } finally {
      file.close();
    }
  }
}

/**
 * Decodes a batch; RD-3: all of it or nothing.
 *
 * @param {import("./columns.js").Batch} batch
 * @param {number} [vocabulary] its declared size
 * @param {number} [first] the number of its first row in the file, for messages
 * @returns {Decoded}
 * @throws {Breach}
 */
export function decode(batch, vocabulary = Infinity, first = 0) {
  const { rows, columns } = batch;
  const report = (requirement, { row, token }, message) => {
    throw new Breach(requirement, message, token === undefined ? { row: first + row } : { row: first + row, token });
  };
  const tokens = new Int32Array(rows + 1);
  const strides = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const { n, stride } = judgeStructure(batch, row, report);
    tokens[row + 1] = tokens[row] + n;
    strides[row] = stride;
  }
  const { values: counts } = columns.top_counts;
  return {
    rows,
    tokens,
    logsumexp: Float64Array.from(columns.logsumexp.values),
    top: entries(columns, "top", tokens, (token) => counts[token]),
    sampled: entries(columns, "sampled", tokens, (token, row) => strides[row]),
    tokenIds: Array.from({ length: rows }, (_, row) =>
      tokenIds(columns.token_ids, row, tokens[row + 1] - tokens[row], vocabulary),
    ),
  };
}

/** @returns {Entries} */
function entries(columns, kind, tokens, sizeOf) {
  const [low, high, codes, min, max] = ["indices_low", "indices_high", "logits_quantized", "min", "max"].map(
    (part) => columns[`${kind}_${part}`],
  );
  const offsets = new Int32Array(tokens[tokens.length - 1] + 1);
  const indices = new Int32Array(low.values.length);
  const logits = new Float32Array(low.values.length);
  for (let row = 0; row < tokens.length - 1; row += 1) {
    unpackIndices(low.values, high.values, low.offsets[row], low.offsets[row + 1], high.offsets[row], indices);
    for (let token = tokens[row]; token < tokens[row + 1]; token += 1) {
      const end = offsets[token] + sizeOf(token, row);
      offsets[token + 1] = end;
      dequantizeAll(codes.values, offsets[token], end, min.values[token], max.values[token], logits);
    }
  }
  return { offsets, indices, logits };
}

/** The ids of a row; null where there are none, or they break ALN-4. */
function tokenIds(column, row, n, vocabulary) {
  if (column === undefined) return null;
  const ids = column.values.subarray(column.offsets[row], column.offsets[row + 1]);
  return areTokenIds(ids, n, vocabulary) ? Int32Array.from(ids) : null;
}

/**
 * ALN-4.
 *
 * @param {import("./columns.js").Numbers} ids
 * @param {number} n tokens of the row
 * @param {number} limit of the vocabulary
 */
export function areTokenIds(ids, n, limit) {
  return ids.length === n && ids.every((id) => id >= 0 && id < limit && id <= LAST_INT32);
}
