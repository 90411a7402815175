// SPEC.md section 7: an index is 16 low bits in a list and 2 high bits, four entries to a byte.

/** Indices end here: 18 bits. */
export const INDEX_LIMIT = 1 << 18;

/**
 * IDX-2: entry j of a row has its high bits at bits 2 (j mod 4) and up of byte floor(j / 4).
 *
 * @param {import("./columns.js").Numbers} low the low parts of many rows
 * @param {Uint8Array} high the high parts of those rows
 * @param {number} first the row's first element of `low`, and of `out`
 * @param {number} end the element after its last
 * @param {number} highFirst the row's first byte of `high`
 * @param {Int32Array} out
 */
export function unpackIndices(low, high, first, end, highFirst, out) {
  for (let j = first; j < end; j += 1) {
    const entry = j - first;
    out[j] = low[j] | (((high[highFirst + (entry >> 2)] >> (2 * (entry & 3))) & 3) << 16);
  }
}

/**
 * The inverse, for one row.
 *
 * @param {ArrayLike<number>} indices 0 to 262,143
 * @returns {{low: Uint16Array, high: Uint8Array}}
 */
export function packIndices(indices) {
  const low = Uint16Array.from(indices, (index) => index & 0xffff);
  const high = new Uint8Array(Math.ceil(indices.length / 4));
  for (let j = 0; j < indices.length; j += 1) high[j >> 2] |= (indices[j] >> 16) << (2 * (j & 3));
  return { low, high };
}

/**
 * The padding bits of a row's last byte (IDX-4); 0 where there are none.
 *
 * @param {Uint8Array} high
 * @param {number} last the row's last byte
 * @param {number} entries of the row
 */
export function padding(high, last, entries) {
  return entries % 4 === 0 ? 0 : high[last] >> (2 * (entries % 4));
}
