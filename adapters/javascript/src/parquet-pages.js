// The pages of a Parquet column chunk: headers, checksums and levels. Each way in which they can disagree with
// each other or with the footer is an error, for hyparquet alone would read on.

import { brotliDecompressSync, crc32, gunzipSync } from "node:zlib";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { compressors } from "hyparquet-compressors";
import { ZSTDDecoder } from "zstddec";
import { Limit, judgeClaim } from "./errors.js";
import { decompressRaw } from "./lz4.js";
import { concatenate, decodeValues, inOwnBuffer, isUniform, plain } from "./parquet-values.js";
import { decodeRuns } from "./rle.js";

const MAX_VALUES = 1 << 26;

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
    if (type === undefined || !(size >= 0) || !(claimed >= 0) || end > bytes.length)
      throw new Error("a page header is not sound");
    judgeClaim(claimed, size);
    const body = bytes.subarray(reader.offset, end);
    if (header.crc !== undefined && header.crc >>> 0 !== crc32(body))
      throw new Error("a page does not match its checksum");
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
  if (chunk.codec !== "UNCOMPRESSED" && !(chunk.codec in CODECS))
    throw new Limit(`no support for the codec ${chunk.codec}`);
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
      const { page, encoding } = (header.type === "DATA_PAGE" ? splitPage : splitPage2)(
        header,
        body,
        leaf,
        chunk,
        found,
      );
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
  const {
    encoding,
    repetition_level_encoding: forRepetition,
    definition_level_encoding: forDefinition,
  } = header.data_page_header;
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

function countOf(levels, wanted) {
  if (isUniform(levels, wanted)) return levels.length;
  let count = 0;
  for (let i = 0; i < levels.length; i += 1) if (levels[i] === wanted) count += 1;
  return count;
}
