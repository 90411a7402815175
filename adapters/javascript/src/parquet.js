// Parquet, read through hyparquet.

import { parquetMetadata } from "hyparquet";
import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";
import { storedTypes } from "./arrow-schema.js";
import { COLUMNS, judgeColumns } from "./columns.js";
import { Limit, wellFormed } from "./errors.js";
import { hasText } from "./files.js";
import { toNumbers } from "./numbers.js";
import { decodePages, levelsOf, splitPages } from "./parquet-pages.js";
import { readSchema } from "./parquet-schema.js";

const MAGIC = "PAR1";
const MAX_FOOTER = 1 << 26;
const MAX_LENGTH = 2 ** 31 - 1;

/** A Parquet file whose footer has been read. */
export class ParquetFile {
  container = "parquet";

  /** Whether the first page of some column chunk carries no checksum (FILE-4): known once all batches were read. */
  hasBarePages = false;

  /**
   * @param {import("./files.js").File} file
   * @throws {Breach} FILE-1
   */
  constructor(file) {
    this.file = file;
    wellFormed("the footer", () => this.#readFooter());
  }

  #readFooter() {
    const { file } = this;
    const tail = file.read(Math.max(0, file.size - 8), file.size);
    if (file.size < 12 || !hasText(tail, MAGIC, 4) || !hasText(file.read(0, 4), MAGIC))
      throw new Error("the magic number is missing");
    const length = new DataView(tail.buffer).getUint32(0, true);
    if (length > file.size - 12) throw new Error(`the footer claims ${length} bytes`);
    if (length > MAX_FOOTER) throw new Limit(`a footer of ${length} bytes, more than ${MAX_FOOTER}`);
    this.footerStart = file.size - 8 - length;
    const bytes = file.read(this.footerStart, file.size);
    // hyparquet decodes strings leniently, and does not tell where the footer ended.
    const reader = { view: new DataView(bytes.buffer, 0, length), offset: 0 };
    const pairs = deserializeTCompactProtocol(reader).field_5 ?? [];
    if (reader.offset !== length) throw new Error("bytes stand after the footer");
    const footer = parquetMetadata(bytes, { geoparquet: false });
    const { fields, leaves } = readSchema(footer);
    this.groups = footer.row_groups;
    this.leaves = leaves;
    const rows = this.groups.reduce((sum, group) => sum + group.num_rows, 0n);
    if (rows !== footer.num_rows) throw new Error(`${rows} rows in the row groups, ${footer.num_rows} in the footer`);
    for (const group of this.groups) this.#judgeGroup(group);
    const valueOf = (key) => pairs.find(({ field_1: name }) => Buffer.from(name).toString() === key)?.field_2 ?? null;
    this.fields = storedTypes(valueOf("ARROW:schema"), fields);
    /** @type {Uint8Array | null} the embedded metadata */
    this.metadata = valueOf("logitpack");
  }

  #judgeGroup(group) {
    if (group.columns.length !== this.leaves.length || group.num_rows < 0n)
      throw new Error("a row group does not fit the schema");
    if (group.num_rows > MAX_LENGTH) throw new Limit(`a row group of ${group.num_rows} rows`);
    group.columns.forEach(({ meta_data: chunk, file_path: elsewhere }, i) => {
      if (elsewhere !== undefined) throw new Limit("a column chunk in another file");
      const { path, element } = this.leaves[i];
      if (chunk?.type !== element.type || chunk.path_in_schema.join("\0") !== path.join("\0")) {
        throw new Error("a column chunk does not fit the schema");
      }
      const { start, end } = extentOf(chunk);
      const isEmpty = end === start && chunk.num_values === 0n; // of no rows, at an offset that means nothing
      if (!isEmpty && !(start >= 4 && end >= start && end <= this.footerStart))
        throw new Error("a column chunk is out of place");
      if (chunk.codec === undefined) throw new Error("an unknown codec");
    });
  }

  /**
   * The row groups. The pages of every column are looked at; where the columns are not sound, that is all.
   *
   * @yields {import("./columns.js").Batch}
   * @throws {Breach} FILE-1, at the first row group that cannot be read
   */
  *batches() {
    const { sound } = judgeColumns(this.fields);
    for (const [index, group] of this.groups.entries()) {
      const batch = wellFormed(`row group ${index}`, () => this.#readGroup(group, sound));
      if (sound) yield batch;
    }
  }

  #readGroup(group, decode) {
    const columns = {};
    const rows = Number(group.num_rows);
    group.columns.forEach(({ meta_data: chunk }, i) => {
      const leaf = this.leaves[i];
      const { start, end } = extentOf(chunk);
      const pages = splitPages(this.file.read(start, end));
      if (pages.length > 0 && pages[0].header.crc === undefined) this.hasBarePages = true;
      const levels = pages.reduce((sum, { header }) => sum + (levelsOf(header) ?? 0), 0);
      if (levels > MAX_LENGTH) throw new Limit(`a column chunk of ${levels} values`);
      if (BigInt(levels) !== chunk.num_values)
        throw new Error(`${leaf.path.join(".")} has ${levels} values, not ${chunk.num_values}`);
      const [name] = leaf.path;
      if (decode && Object.hasOwn(COLUMNS, name))
        columns[name] = this.#columnOf(name, rows, decodePages(pages, leaf, chunk), leaf);
    });
    return { rows, columns };
  }

  /** @returns {import("./columns.js").Column} */
  #columnOf(name, rows, decoded, leaf) {
    const { type } = this.fields.find((field) => field.name === name);
    const { shape, number } = COLUMNS[name];
    const { repetition, definition, count } = decoded;
    if (rows > count) throw new Error(`${name} has ${count} values for ${rows} rows`); // before anything of that size is made
    const { offsets, nulls } =
      shape === "list" ? rowsOfList(rows, decoded, leaf) : { offsets: null, nulls: nullsOf(definition, rows) };
    if (shape !== "list" && (repetition !== null || count !== rows))
      throw new Error(`${name} has ${count} values for ${rows} rows`);
    if (shape === "list") return { values: toNumbers(decoded.values, type, number), offsets, nulls };
    // A null among scalars and binaries takes no place among the values.
    const values = nulls === null ? decoded.values : spread(decoded.values, nulls);
    return shape === "binary" ? joinBytes(values, nulls) : { values: toNumbers(values, type, number), offsets, nulls };
  }
}

/** @param {import("hyparquet").ColumnMetaData} chunk */
function extentOf({ dictionary_page_offset: dictionary, data_page_offset: data, total_compressed_size: size }) {
  const start = Number(dictionary > 0n && dictionary < data ? dictionary : data);
  return { start, end: start + Number(size) };
}

/** The offsets of a list column, from its levels. An element that is null makes its row count as null. */
function rowsOfList(rows, { repetition, definition, count, isFull }, { maxDefinition, maxRepetition, rowDefinition }) {
  if (maxRepetition !== 1) throw new Error("a list of another depth");
  if (isFull) return { offsets: rowsOfLevels(rows, repetition), nulls: null };
  const offsets = new Int32Array(rows + 1);
  let nulls = null;
  let row = -1;
  let values = 0;
  for (let i = 0; i < count; i += 1) {
    if (repetition[i] === 0) {
      row += 1;
      if (row >= rows) break;
      offsets[row] = values;
    } else if (row < 0) throw new Error("a list begins in the middle");
    const level = definition[i];
    if (level === maxDefinition) values += 1;
    else if (level !== rowDefinition) {
      nulls ??= new Uint8Array(rows); // the row is null, or one of its elements
      nulls[row] = 1;
    }
  }
  if (row !== rows - 1) throw new Error(`a column of another number of rows than ${rows}`);
  offsets[rows] = values;
  return { offsets, nulls };
}

/** The same where each level has a value: rows begin where it is 0. */
function rowsOfLevels(rows, repetition) {
  const levels = Buffer.from(repetition.buffer, repetition.byteOffset, repetition.length);
  const offsets = new Int32Array(rows + 1);
  let row = 0;
  for (let at = levels.indexOf(0); at >= 0; at = levels.indexOf(0, at + 1)) {
    if (row >= rows || (row === 0 && at > 0)) throw new Error("rows begin at another place, or too often");
    offsets[row] = at;
    row += 1;
  }
  if (row !== rows || (rows === 0 && levels.length > 0))
    throw new Error(`a column of another number of rows than ${rows}`);
  offsets[rows] = levels.length;
  return offsets;
}

function nullsOf(definition, rows) {
  if (definition === null || !definition.includes(0)) return null;
  if (definition.length !== rows) throw new Error(`${definition.length} values for ${rows} rows`);
  return definition.map((level) => 1 - level);
}

function spread(values, nulls) {
  let next = 0;
  return Array.from(nulls, (isNull) => (isNull ? null : values[next++]));
}

/** @returns {import("./columns.js").Column} */
function joinBytes(parts, nulls) {
  const offsets = new Int32Array(parts.length + 1);
  for (let i = 0; i < parts.length; i += 1) {
    const end = offsets[i] + (parts[i]?.length ?? 0);
    if (end > MAX_LENGTH) throw new Limit("a row group has too many bytes");
    offsets[i + 1] = end;
  }
  const values = new Uint8Array(offsets[parts.length]);
  for (let i = 0; i < parts.length; i += 1) if (parts[i] != null) values.set(parts[i], offsets[i]);
  return { values, offsets, nulls };
}
