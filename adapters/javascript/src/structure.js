// The structural requirements on one row, in the order and under the conditions of SPEC.md section 14.3.

import { isRange } from "./quantize.js";

/**
 * @typedef {(requirement: string, place: {row: number, token?: number, entry?: number}, message: string) => void} Report
 *
 * @typedef {object} Extent where a row stands in a batch, and how large it is
 * @property {number} row
 * @property {number} n tokens
 * @property {number} stride tail entries of a token, S
 */

const PER_TOKEN = ["top_counts", "top_min", "top_max", "sampled_min", "sampled_max", "logsumexp"];
const LAST_INT32 = 2 ** 31 - 1;

/**
 * The elements of a row.
 *
 * @param {import("./columns.js").Column} column
 * @param {number} row
 */
export function lengthOf({ offsets }, row) {
  return offsets[row + 1] - offsets[row];
}

/**
 * Judges COL-3, ROW-1 to ROW-4, NUC-1, IDX-1, IDX-3, QNT-1, QNT-8 and LSE-1.
 *
 * @param {import("./columns.js").Batch} batch
 * @param {number} row
 * @param {Report} report called for each requirement that is broken; it may throw
 * @returns {Extent | null} null where any is
 */
export function judgeStructure({ columns }, row, report) {
  let sound = true;
  const say = (requirement, message, token) => {
    sound = false;
    report(requirement, token === undefined ? { row } : { row, token }, message);
  };
  /** Whether all elements of a row lie within a range. */
  const within = (name, least, most, requirement) => {
    const { values, offsets } = columns[name];
    if (values instanceof Uint16Array && least <= 0 && most >= 65535) return true;
    for (let j = offsets[row]; j < offsets[row + 1]; j += 1) {
      if (!(values[j] >= least && values[j] <= most)) {
        say(requirement, `${name} has ${values[j]} at element ${j - offsets[row]}, allowed are ${least} to ${most}`);
        return false;
      }
    }
    return true;
  };

  for (const [name, { nulls }] of Object.entries(columns)) {
    if (nulls !== null && nulls[row]) say("COL-3", `${name} has a null`);
  }
  if (!sound) return null;

  const n = columns.num_tokens.values[row];
  if (!(n >= 1 && n <= LAST_INT32)) {
    say("ROW-1", `num_tokens is ${n}`);
    return null;
  }
  const complete = new Set(PER_TOKEN.filter((name) => lengthOf(columns[name], row) === n));
  for (const name of PER_TOKEN) {
    if (!complete.has(name)) say("ROW-2", `${name} has ${lengthOf(columns[name], row)} elements, expected ${n}`);
  }

  let stride = 0;
  if (complete.has("top_counts")) {
    const entries = within("top_counts", 1, 255, "NUC-1") ? sumOf(columns.top_counts, row) : null;
    if (entries !== null) judgeEntries("top", entries, "ROW-3");
    stride = lengthOf(columns.sampled_indices_low, row) / n;
    if (stride >= 1 && Number.isInteger(stride)) judgeEntries("sampled", stride * n, "ROW-4");
    else say("ROW-4", `sampled_indices_low has ${stride * n} elements for ${n} tokens`);
  }
  for (const kind of ["top", "sampled"]) {
    if (complete.has(`${kind}_min`) && complete.has(`${kind}_max`)) judgeRanges(kind);
  }
  if (complete.has("logsumexp")) within("logsumexp", -Number.MAX_VALUE, Number.MAX_VALUE, "LSE-1");
  return sound ? { row, n, stride } : null;

  /** The lists of entries: ROW-3 or ROW-4, and where it holds IDX-3, IDX-1 and QNT-8. */
  function judgeEntries(kind, entries, requirement) {
    const lists = [`${kind}_indices_low`, `${kind}_logits_quantized`];
    const wrong = lists.filter((name) => lengthOf(columns[name], row) !== entries);
    for (const name of wrong)
      say(requirement, `${name} has ${lengthOf(columns[name], row)} elements, expected ${entries}`);
    if (wrong.length > 0) return;
    const bytes = lengthOf(columns[`${kind}_indices_high`], row);
    const expected = Math.ceil(entries / 4);
    if (bytes !== expected) say("IDX-3", `${kind}_indices_high has ${bytes} bytes, expected ${expected}`);
    within(lists[0], 0, 65535, "IDX-1");
    within(lists[1], 0, 65535, "QNT-8");
  }

  /** QNT-1. */
  function judgeRanges(kind) {
    const low = columns[`${kind}_min`];
    const high = columns[`${kind}_max`];
    for (let i = 0; i < n; i += 1) {
      const min = low.values[low.offsets[row] + i];
      const max = high.values[high.offsets[row] + i];
      if (!isRange(min, max)) say("QNT-1", `the range of ${kind} is ${min} to ${max}`, i);
    }
  }
}

/** Added up in binary64: uint8 would wrap. */
function sumOf({ values, offsets }, row) {
  let sum = 0;
  for (let j = offsets[row]; j < offsets[row + 1]; j += 1) sum += values[j];
  return sum;
}
