// apache-arrow's Data, as it comes from a file: judged first, for nothing in it was checked, then brought into columns.

import { DataType } from "apache-arrow";
import { Limit } from "./errors.js";
import { toNumbers } from "./numbers.js";

const VIEW = 16;
const INLINE = 12;
const MAX_LENGTH = 2 ** 31 - 1;

/** The nulls of some elements; null where there are none. */
function nullsOf(data) {
  if (DataType.isNull(data.type) || data.nullCount === 0) return null;
  const nulls = new Uint8Array(data.length);
  let any = false;
  for (let i = 0; i < data.length; i += 1) {
    if ((data.nullBitmap[i >> 3] & (1 << (i & 7))) === 0) {
      nulls[i] = 1;
      any = true;
    }
  }
  return any ? nulls : null;
}

const hasOffsets = ({ type }) =>
  DataType.isList(type) ||
  DataType.isMap(type) ||
  DataType.isLargeList(type) ||
  DataType.isBinary(type) ||
  DataType.isLargeBinary(type) ||
  DataType.isUtf8(type) ||
  DataType.isLargeUtf8(type);
const hasViews = ({ type }) => DataType.isBinaryView(type) || DataType.isUtf8View(type);
const hasFixedWidth = ({ type }) => DataType.isInt(type) || DataType.isFloat(type);

/**
 * Whether an array stays within its buffers, and those below it.
 *
 * @param {import("apache-arrow").Data} data
 * @throws {Error}
 */
export function judgeData(data) {
  const { type, length, children, values, nullBitmap } = data;
  children.forEach(judgeData);
  if (!DataType.isNull(type) && !DataType.isUnion(type) && data.nullCount > 0 && nullBitmap.length * 8 < length) {
    throw new Error("a validity bitmap is too short");
  }
  if (hasFixedWidth(data) && values.length < length) throw new Error("an array is shorter than it says");
  if (hasOffsets(data)) offsetsOf(data);
  if (hasViews(data)) {
    for (let i = 0; i < length; i += 1) viewOf(data, i);
  }
  if (DataType.isFixedSizeList(type) && children[0].length < length * type.listSize)
    throw new Error("a fixed-size list is too short");
  if (DataType.isStruct(type) && children.some((child) => child.length < length))
    throw new Error("a struct is too short");
}

/** The offsets of a list or binary array as numbers, which rise and stay within what they point into. */
function offsetsOf(data) {
  const { length, valueOffsets, children, values } = data;
  if (length === 0) return new Int32Array(1);
  if (valueOffsets.length <= length) throw new Error("offsets are missing");
  const most = children[0]?.length ?? values.length;
  if (most > MAX_LENGTH) throw new Limit("an array of more than 2 ** 31 elements");
  const offsets = new Int32Array(length + 1);
  let last = 0;
  for (let i = 0; i <= length; i += 1) {
    const offset = Number(valueOffsets[i]);
    if (!(offset >= last && offset <= most))
      throw new Error(`an offset of ${offset} after one of ${last}, with ${most} elements`);
    last = offset;
    offsets[i] = offset;
  }
  return offsets;
}

/** The bytes of one binary view. */
function viewOf({ values, variadicBuffers, length: rows }, i) {
  if (values.length < rows * VIEW) throw new Error("views are missing");
  const view = new DataView(values.buffer, values.byteOffset + i * VIEW, VIEW);
  const length = view.getInt32(0, true);
  if (length >= 0 && length <= INLINE) return values.subarray(i * VIEW + 4, i * VIEW + 4 + length);
  const buffer = variadicBuffers[view.getInt32(8, true)];
  const start = view.getInt32(12, true);
  if (buffer === undefined || length < 0 || start < 0 || start + length > buffer.length)
    throw new Error("a view points outside its buffer");
  return buffer.subarray(start, start + length);
}

/**
 * @param {import("apache-arrow").Data} data judged
 * @param {{shape: import("./columns.js").Shape, number: any}} column
 * @param {string} type as in Field
 * @returns {import("./columns.js").Column}
 */
export function columnOf(data, { shape, number }, type) {
  const nulls = nullsOf(data);
  const { length } = data;
  if (shape === "scalar")
    return { values: toNumbers(data.values.subarray(0, length), type, number), offsets: null, nulls };
  if (hasViews(data)) return viewsOf(data, nulls);
  const fixed = data.type.listSize;
  const offsets = fixed === undefined ? offsetsOf(data) : Int32Array.from({ length: length + 1 }, (_, i) => i * fixed);
  // A slice may begin anywhere: what stands before its first offset belongs to nobody.
  const first = offsets[0];
  const last = offsets[length];
  for (let i = 0; i <= length; i += 1) offsets[i] -= first;
  if (shape === "binary") return { values: data.values.subarray(first, last), offsets, nulls };
  const [child] = data.children;
  const values = toNumbers(child.values.subarray(first, last), type, number);
  return { values, offsets, nulls: withElements(nulls, nullsOf(child), offsets, first) };
}

function viewsOf(data, nulls) {
  const parts = Array.from({ length: data.length }, (_, i) => (nulls?.[i] ? new Uint8Array(0) : viewOf(data, i)));
  const offsets = new Int32Array(data.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = offsets[i] + part.length;
  });
  return { values: Buffer.concat(parts), offsets, nulls };
}

/** A row with a null element counts as null. */
function withElements(nulls, elements, offsets, first) {
  if (elements === null) return nulls;
  const all = nulls ?? new Uint8Array(offsets.length - 1);
  for (let row = 0; row < all.length; row += 1) {
    if (elements.subarray(first + offsets[row], first + offsets[row + 1]).includes(1)) all[row] = 1;
  }
  return all;
}
