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
import { Limit } from "./errors.js";
import { decodeRuns } from "./rle.js";

const MAX_PAGE = 1 << 28; // bytes that a page may claim to have when it is decompressed
const MAX_VALUES = 1 << 26;
const WIDTHS = { INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 };

// Of two decoders the one that is stricter, and faster: zstd three times so.
const zstd = new ZSTDDecoder();
await zstd.init();
const CODECS = {
  SNAPPY: compressors.SNAPPY,
  LZ4: compressors.LZ4,
  LZ4_RAW: compressors.LZ4_RAW,
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
    if (claimed > MAX_PAGE) throw new Limit(`a page claims ${claimed} bytes, more than ${MAX_PAGE}`);
    const body = bytes.subarray(reader.offset, end);
    if (header.crc !== undefined && header.crc >>> 0 !== crc32(body)) throw new Error("a page does not match its checksum");
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
  let dictionary = null;
  const parts = [];
  for (const { header, body } of pages) {
    if (header.type === "DICTIONARY_PAGE") {
      const page = inOwnBuffer(decompressPage(body, header.uncompressed_page_size, chunk.codec, CODECS));
      dictionary = plain(page, chunk.type, header.dictionary_page_header.num_values, leaf.element.type_length);
    } else if (header.type.startsWith("DATA_PAGE")) {
      parts.push(decodePage(header, body, leaf, chunk, dictionary));
    }
  }
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (BigInt(count) !== chunk.num_values) throw new Error(`${count} values in the pages, ${chunk.num_values} in the footer`);
  const joined = (key) => concatenate(parts.map((part) => part[key]));
  return {
    repetition: leaf.maxRepetition > 0 ? joined("repetition") : null,
    definition: leaf.maxDefinition > 0 ? joined("definition") : null,
    count,
    values: joined("values"),
  };
}

function decodePage(header, body, leaf, chunk, dictionary) {
  const second = header.data_page_header_v2;
  const { num_values: count, encoding } = second ?? header.data_page_header;
  if (!(count >= 0)) throw new Error("a page with a negative number of values");
  if (count > MAX_VALUES) throw new Limit(`a page of ${count} values, more than ${MAX_VALUES}`);
  let page;
  let at = 0;
  const levels = (max, length) => {
    if (max === 0) return null;
    const start = second === undefined ? at + 4 : at;
    const end = start + (length ?? new DataView(page.buffer, page.byteOffset).getUint32(at, true));
    if (end > page.length) throw new Error("the levels reach beyond their page");
    at = end;
    const width = 32 - Math.clz32(max);
    const found = decodeRuns(page.subarray(start, end), width, new Uint8Array(count));
    if (max + 1 < 2 ** width && found.some((level) => level > max)) throw new Error("a level is too high");
    return found;
  };
  let repetition;
  let definition;
  if (second === undefined) {
    page = inOwnBuffer(decompressPage(body, header.uncompressed_page_size, chunk.codec, CODECS));
    if (leaf.maxRepetition > 0 && header.data_page_header.repetition_level_encoding !== "RLE") throw new Limit("levels that are not RLE");
    if (leaf.maxDefinition > 0 && header.data_page_header.definition_level_encoding !== "RLE") throw new Limit("levels that are not RLE");
    repetition = levels(leaf.maxRepetition);
    definition = levels(leaf.maxDefinition);
    page = page.subarray(at);
  } else {
    page = body;
    repetition = levels(leaf.maxRepetition, second.repetition_levels_byte_length);
    at = second.repetition_levels_byte_length; // there may be levels of a kind that the schema does not need
    definition = levels(leaf.maxDefinition, second.definition_levels_byte_length);
    at = second.repetition_levels_byte_length + second.definition_levels_byte_length;
    const rest = header.uncompressed_page_size - at;
    if (!(at >= 0 && rest >= 0)) throw new Error("the levels are longer than their page");
    page = body.subarray(at);
    if (second.is_compressed !== false && rest > 0) page = decompressPage(page, rest, chunk.codec, CODECS);
    if (page.length !== rest && rest > 0) throw new Error("a page has another length than its header says");
    page = inOwnBuffer(page);
  }
  const present = definition === null ? count : countOf(definition, leaf.maxDefinition);
  const values = decodeValues(page, encoding, present, leaf, chunk, dictionary);
  return { repetition, definition, count, values };
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
      return byteStreamSplit(reader, count, type, element.type_length);
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
    default:
      throw new Limit(`no support for the encoding ${encoding}`);
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

/** hyparquet reads numbers from the buffer below an array: it has to end where the array does. */
function inOwnBuffer(bytes) {
  return bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length ? bytes : bytes.slice();
}

function countOf(levels, wanted) {
  let count = 0;
  for (let i = 0; i < levels.length; i += 1) if (levels[i] === wanted) count += 1;
  return count;
}

/** Arrays of one kind as one; those of pages without values are null. */
function concatenate(arrays) {
  const parts = arrays.filter((array) => array !== null);
  if (parts.length <= 1) return parts[0] ?? new Uint8Array(0);
  if (Array.isArray(parts[0])) return parts.flat(1);
  const all = new parts[0].constructor(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
