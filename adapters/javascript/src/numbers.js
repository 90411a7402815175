// Stored numbers of every accepted type as JavaScript's numbers, without loss where they are in range.

import { util } from "apache-arrow";

/**
 * @param {any} values as a library returns them: typed arrays, or arrays of numbers, bigints or binary16 bytes
 * @param {string} type of the column, as in Field
 * @param {"integer" | "binary32" | "binary64"} number what the values stand for
 * @returns {import("./columns.js").Numbers}
 */
export function toNumbers(values, type, number) {
  const element = /<(.*)>$/.exec(type)?.[1] ?? type;
  if (element === "halffloat") return Float64Array.from(values, half);
  // Where float64 stands for float32, the value meant is the nearest binary32 number (section 5).
  if (element === "double") return number === "binary32" ? Float32Array.from(values) : Float64Array.from(values);
  if (element === "float") return values instanceof Float32Array ? values : Float32Array.from(values);
  if (/64$/.test(element)) {
    const unsigned = element === "uint64";
    return Float64Array.from(values, (value) =>
      Number(unsigned ? BigInt.asUintN(64, BigInt(value ?? 0)) : (value ?? 0)),
    );
  }
  // Parquet keeps uint32 in INT32, with the sign bit as its highest.
  if (element === "uint32")
    return values instanceof Int32Array
      ? new Uint32Array(values.buffer, values.byteOffset, values.length)
      : Float64Array.from(values, Number);
  return ArrayBuffer.isView(values) ? values : Float64Array.from(values, (value) => Number(value ?? 0));
}

/** @param {number | Uint8Array} value binary16, as an integer or as two bytes */
function half(value) {
  return util.uint16ToFloat64(typeof value === "number" ? value : value[0] | (value[1] << 8));
}
