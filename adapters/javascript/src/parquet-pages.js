// The pages of a Parquet column chunk: headers, checksums, levels and values. Each way in which they can disagree with
// each other or with the footer is an error, for hyparquet alone would read on.

import { brotliDecompressSync, crc32, gunzipSync } from "node:zlib";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { readPlain } from "hyparquet/src/plain.js";
import { compressors } from "hyparquet-compressors";
import { ZSTDDecoder } from "zstddec";
import { Limit, judgeClaim } from "./errors.js";
import { decompressRaw } from "./lz4.js";
import { decodeRuns } from "./rle.js";

const MAX_VALUES = 1 << 26;
const WIDTHS = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };
const ARRAYS = { INT32: Int32Array, INT64: BigInt64Array, FLOAT: Float32Array, DOUBLE: Float64Array };

// Of two decoders the one that is stricter, and faster: zstd three times so.
const zstd = new ZSTDDecoder();
await zstd.init();
const CODECS = {
  SNAPPY: compressors.SNAPPY,
  LZ4: compressors.LZ4,
  LZ4_RAW: decompressRaw,
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(length, 1) }),
  ZSTD: (input, length) => (length === 0 ? new Uint8Array(0) : zstd.decode(input, length)),
};

/**
 * @typedef {ReturnType<typeof parquetHeader>} Header
 * @typedef {{header: Header, body: Uint8Array}} Page
 *
 * @typedef {object} Values what a column chunk holds
 * @property {Uint8Array | null} repetition a level for each value, nulls and empty lists included
 * @property {Uint8Array | null} definition
 * @property {number} count how many levels there are
 * @property {any} values those that are not null
 * @property {boolean} isFull whether all are there: no nulls, no empty lists
 */

/**
 * The pages of a chunk, each with its checksum verified (FILE-5).
 *
 * @param {Uint8Array} bytes the whole chunk, in a buffer of its own
 * @returns {Page[]}
 */
export function splitPages(bytes) {
  const reader = { view: new DataView(bytes.buffer), offset: 0 };
  const pages = [];
  while (reader.offset < bytes.length) {
    const header = parquetHeader(reader);
    const { type, compressed_page_size: size, uncompressed_page_size: claimed } = header;
    const end = reader.offset + size;
    if (type === undefined || !(size >= 0) || !(claimed >= 0) || end > bytes.length) throw new Error("a page header is not sound");
    judgeClaim(claimed, size);
    const body = bytes.subarray(reader.offset, end);
    if (header.crc !== undefined && header.crc >>> 0 !== crc32(body)) throw new Error("a page does not match its checksum");
    const levels = levelsOf(header) ?? 0;
    if (levels < 0) throw new Error("a page with a negative number of values");
    if (levels > MAX_VALUES) throw new Limit(`a page of ${levels} values, more than ${MAX_VALUES}`);
    pages.push({ header, body });
    reader.offset = end;
  }
  return pages;
}

/** @param {Header} header */
export function levelsOf(header) {
  return (header.data_page_header ?? header.data_page_header_v2)?.num_values;
}

/**
 * @param {Page[]} pages
 * @param {import("./parquet-schema.js").Leaf} leaf
 * @param {import("hyparquet").ColumnMetaData} chunk
 * @returns {Values}
 */
export function decodePages(pages, leaf, chunk) {
  if (chunk.codec !== "UNCOMPRESSED" && !(chunk.codec in CODECS)) throw new Limit(`no support for the codec ${chunk.codec}`);
  const count = pages.reduce((sum, { header }) => sum + (levelsOf(header) ?? 0), 0);
  const levels = (max) => (max > 0 ? new Uint8Array(count) : null);
  const repetition = levels(leaf.maxRepetition);
  const definition = levels(leaf.maxDefinition);
  let dictionary = null;
  let at = 0;
  let full = true;
  const parts = [];
  for (const { header, body } of pages) {
    if (header.type === "DICTIONARY_PAGE") {
      const page = inOwnBuffer(decompressPage(body, header.uncompressed_page_size, chunk.codec, CODECS));
      dictionary = plain(page, chunk.type, header.dictionary_page_header.num_values, leaf.element.type_length);
    } else if (header.type.startsWith("DATA_PAGE")) {
      const end = at + levelsOf(header);
      const found = { repetition: repetition?.subarray(at, end), definition: definition?.subarray(at, end) };
      const { page, encoding } = (header.type === "DATA_PAGE" ? splitPage : splitPage2)(header, body, leaf, chunk, found);
      const present = definition === null ? end - at : countOf(found.definition, leaf.maxDefinition);
      full &&= present === end - at;
      parts.push(decodeValues(page, encoding, present, leaf, chunk, dictionary));
      at = end;
    }
  }
  return { repetition, definition, count, values: concatenate(parts), isFull: full };
}

/** A page of version 1: its levels stand before its values, and are compressed with them. They go into `found`. */
function splitPage(header, body, leaf, chunk, found) {
  const { encoding, repetition_level_encoding: forRepetition, definition_level_encoding: forDefinition } = header.data_page_header;
  const page = inOwnBuffer(decompressPage(body, header.uncompressed_page_size, chunk.codec, CODECS));
  const view = new DataView(page.buffer);
  let at = 0;
  for (const [max, out, kind] of [
    [leaf.maxRepetition, found.repetition, forRepetition],
    [leaf.maxDefinition, found.definition, forDefinition],
  ]) {
    if (max === 0) continue;
    if (kind === "BIT_PACKED") throw new Limit("no support for levels that are BIT_PACKED");
    if (kind !== "RLE") throw new Error(`levels that are ${kind}`);
    const start = at + 4;
    at = start + view.getUint32(at, true);
    readLevels(page, start, at, max, out);
  }
  return { page: page.subarray(at), encoding };
}

/** A page of version 2: levels are never compressed, and their lengths stand in the header. */
function splitPage2(header, body, leaf, chunk, found) {
  const { data_page_header_v2: second, uncompressed_page_size: whole } = header;
  const { repetition_levels_byte_length: first, definition_levels_byte_length: next, encoding } = second;
  if (!(first >= 0 && next >= 0 && first + next <= whole)) throw new Error("the levels are longer than their page");
  if (leaf.maxRepetition > 0) readLevels(body, 0, first, leaf.maxRepetition, found.repetition);
  if (leaf.maxDefinition > 0) readLevels(body, first, first + next, leaf.maxDefinition, found.definition);
  const values = body.subarray(first + next);
  const rest = whole - first - next;
  if (rest === 0) return { page: new Uint8Array(0), encoding };
  const codec = second.is_compressed === false ? "UNCOMPRESSED" : chunk.codec;
  return { page: inOwnBuffer(decompressPage(values, rest, codec, CODECS)), encoding };
}

function readLevels(page, start, end, max, out) {
  if (end > page.length) throw new Error("the levels reach beyond their page");
  const width = 32 - Math.clz32(max);
  decodeRuns(page.subarray(start, end), width, out);
  if (max + 1 < 2 ** width && out.some((level) => level > max)) throw new Error("a level is too high");
}

function decodeValues(page, encoding, count, { element }, { type }, dictionary) {
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
      if (page.length !== count * (WIDTHS[type] ?? element.type_length)) throw new Error("a page of another length than its values");
      return type in ARRAYS ? joinStreams(page, count, type) : byteStreamSplit(reader, count, type, element.type_length);
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

function plain(page, type, count, width) {
  const each = WIDTHS[type] ?? (type === "FIXED_LEN_BYTE_ARRAY" ? width : undefined);
  // A byte array takes four bytes at least: nothing is allocated for values that cannot be there.
  if (each === undefined ? count * 4 > page.length : count * each !== page.length) throw new Error("a page of another length than its values");
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
function isUniform(bytes, value) {
  const last = bytes.length - 1;
  return last < 0 || (bytes[0] === value && Buffer.compare(bytes.subarray(0, last), bytes.subarray(1)) === 0);
}

/** hyparquet reads numbers from the buffer below an array: it has to end where the array does. */
function inOwnBuffer(bytes) {
  return bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length ? bytes : bytes.slice();
}

function countOf(levels, wanted) {
  if (isUniform(levels, wanted)) return levels.length;
  let count = 0;
  for (let i = 0; i < levels.length; i += 1) if (levels[i] === wanted) count += 1;
  return count;
}

/** Arrays as one; those of pages without values are null. */
function concatenate(arrays) {
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
