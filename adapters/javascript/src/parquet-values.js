// The values of a Parquet page, of every encoding that the columns can have.

import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";
import { Limit } from "./errors.js";
import { decodeRuns } from "./rle.js";

const WIDTHS = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };
const ARRAYS = { INT32: Int32Array, INT64: BigInt64Array, FLOAT: Float32Array, DOUBLE: Float64Array };

/**
 * @param {Uint8Array} page its values, decompressed, up to the end of their buffer
 * @param {string} encoding
 * @param {number} count
 * @param {import("./parquet-schema.js").Leaf} leaf
 * @param {import("hyparquet").ColumnMetaData} chunk
 * @param {any} dictionary null where there is none
 * @returns {any} a typed array, or an array of Uint8Array; null where count is 0
 */
export function decodeValues(page, encoding, count, { element }, { type }, dictionary) {
  if (count === 0) return null;
  const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
  const integers = () => (type === "INT32" ? new Int32Array(count) : new BigInt64Array(count));
  switch (encoding) {
    case "PLAIN":
      return plain(page, type, count, element.type_length);
    case "PLAIN_DICTIONARY":
    case "RLE_DICTIONARY":
      return lookUp(page, count, dictionary);
    case "BYTE_STREAM_SPLIT":
      if (page.length !== count * (WIDTHS[type] ?? element.type_length))
        throw new Error("a page of another length than its values");
      return type in ARRAYS
        ? joinStreams(page, count, type)
        : byteStreamSplit(reader, count, type, element.type_length);
    case "DELTA_BINARY_PACKED": {
      const values = integers();
      deltaBinaryUnpack(reader, count, values);
      return values;
    }
    case "DELTA_LENGTH_BYTE_ARRAY":
    case "DELTA_BYTE_ARRAY": {
      const values = new Array(count);
      (encoding === "DELTA_BYTE_ARRAY" ? deltaByteArray : deltaLengthByteArray)(reader, count, values);
      return values;
    }
    case "ALP":
      throw new Limit(`no support for the encoding ${encoding}`);
    default:
      throw new Error(`values of type ${type} that are ${encoding}`);
  }
}

/** Values one after another: those of a page, or a dictionary. */
export function plain(page, type, count, width) {
  const each = WIDTHS[type] ?? (type === "FIXED_LEN_BYTE_ARRAY" ? width : undefined);
  // A byte array takes four bytes at least: nothing is allocated for values that cannot be there.
  if (each === undefined ? count * 4 > page.length : count * each !== page.length)
    throw new Error("a page of another length than its values");
  const reader = { view: new DataView(page.buffer, page.byteOffset, page.byteLength), offset: 0 };
  const values = readPlain(reader, type, count, width);
  if (count > 0 && reader.offset !== page.length) throw new Error("bytes stand after the values of a page");
  return values;
}

function lookUp(page, count, dictionary) {
  if (dictionary === null) throw new Error("a dictionary page is missing");
  const width = page[0];
  if (!(width <= 32)) throw new Error("a dictionary index is too wide");
  const indices = new Int32Array(count);
  if (width > 0) decodeRuns(page.subarray(1), width, indices);
  const values = new dictionary.constructor(count);
  for (let i = 0; i < count; i += 1) {
    if (!(indices[i] >= 0 && indices[i] < dictionary.length)) throw new Error("a dictionary index is too large");
    values[i] = dictionary[indices[i]];
  }
  return values;
}

/** BYTE_STREAM_SPLIT, a word at a time: hyparquet goes byte by byte. */
function joinStreams(page, count, type) {
  if (type === "INT32" && isUniform(page.subarray(2 * count), 0)) return joinTwo(page, count);
  const perValue = WIDTHS[type] / 4;
  const words = new Int32Array(count * perValue);
  for (let word = 0; word < perValue; word += 1) joinFour(page, word * 4 * count, count, words, word, perValue);
  return new ARRAYS[type](words.buffer);
}

function joinFour(page, start, count, words, first, step) {
  const [b, c, d] = [start + count, start + 2 * count, start + 3 * count];
  for (let i = 0; i < count; i += 1) {
    words[i * step + first] = page[start + i] | (page[b + i] << 8) | (page[c + i] << 16) | (page[d + i] << 24);
  }
}

/** Codes and low parts have 16 bits, and stand in words of 32. */
function joinTwo(page, count) {
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i += 1) values[i] = page[i] | (page[count + i] << 8);
  return values;
}

/** Whether all bytes have one value. Each is compared with the next, at the speed of memory. */
export function isUniform(bytes, value) {
  const last = bytes.length - 1;
  return last < 0 || (bytes[0] === value && Buffer.compare(bytes.subarray(0, last), bytes.subarray(1)) === 0);
}

/** hyparquet reads numbers from the buffer below an array: it has to end where the array does. */
export function inOwnBuffer(bytes) {
  return bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length ? bytes : bytes.slice();
}

/** Arrays as one; those of pages without values are null. */
export function concatenate(arrays) {
  const parts = arrays.filter((array) => array !== null);
  if (parts.length <= 1) return parts[0] ?? new Uint8Array(0);
  if (Array.isArray(parts[0])) return parts.flat(1);
  const widest = parts.reduce((a, b) => (b.BYTES_PER_ELEMENT > a.BYTES_PER_ELEMENT ? b : a));
  const all = new widest.constructor(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
