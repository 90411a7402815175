// SPEC.md section 8: a logit is a code of 16 bits between the two binary32 ends of its token's range.

const CODES = 65535;
const view = new DataView(new ArrayBuffer(4));

/**
 * The value of a code (QNT-2), in binary64.
 *
 * @param {number} q @param {number} min @param {number} max
 */
export function dequantize(q, min, max) {
  return min + (q * (max - min)) / CODES;
}

/**
 * The values of a token's codes. One product instead of a quotient for each costs 2 ** -53 of the range.
 *
 * @param {import("./columns.js").Numbers} codes
 * @param {number} first @param {number} end elements of `codes`, and of `out`
 * @param {number} min @param {number} max
 * @param {Float32Array} out
 */
export function dequantizeAll(codes, first, end, min, max, out) {
  const step = (max - min) / CODES;
  for (let j = first; j < end; j += 1) out[j] = min + codes[j] * step;
}

/**
 * How far the logit that was stored may be from the decoded one (section 14.3).
 *
 * @param {number} min @param {number} max
 */
export function tolerance(min, max) {
  return ((0.5 + 1 / 64) * (max - min)) / CODES;
}

/** From here on a difference rounds to infinity in binary32. */
const OVERFLOW = 2 ** 128 - 2 ** 103;

/**
 * Whether a range is one: QNT-1, with fl(max - min) rounded once, from the exact difference.
 *
 * @param {number} min @param {number} max binary32 numbers
 */
export function isRange(min, max) {
  const difference = max - min;
  if (!(min <= max) || !(difference <= OVERFLOW)) return false;
  if (difference < OVERFLOW) return true;
  const rest = difference - max;
  return max - (difference - rest) - (min + rest) < 0; // what binary64 rounded away
}

/**
 * The binary32 number next to x, which is one itself.
 *
 * @param {number} x @param {1 | -1} direction
 */
export function neighbour(x, direction) {
  if (x === 0) return direction * 2 ** -149;
  view.setFloat32(0, x);
  view.setInt32(0, view.getInt32(0) + (x > 0 ? direction : -direction));
  return view.getFloat32(0);
}

/**
 * The codes of some logits in the tightest range around them (QNT-3, QNT-4, QNT-5, QNT-11). The range of logits beyond
 * binary32 is not finite.
 *
 * @param {number[]} logits finite, at least one
 * @returns {{min: number, max: number, codes: Uint16Array}}
 */
export function quantize(logits) {
  const lowest = logits.reduce((a, b) => Math.min(a, b));
  const highest = logits.reduce((a, b) => Math.max(a, b));
  let min = Math.fround(lowest);
  let max = Math.fround(highest);
  if (min > lowest) min = neighbour(min, -1);
  if (max < highest) max = neighbour(max, 1);
  const range = max - min;
  return {
    min,
    max,
    codes: Uint16Array.from(logits, (x) => (range === 0 ? 0 : Math.round(((x - min) / range) * CODES))),
  };
}
