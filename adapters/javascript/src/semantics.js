// The semantic requirements on one row, under the conditions and within the tolerances of SPEC.md section 14.3.

import { areTokenIds } from "./decode.js";
import { padding, unpackIndices } from "./indices.js";
import { dequantize, neighbour, tolerance } from "./quantize.js";

const ON_SUMS = 1e-9; // what a checker's own rounding may cost: relative on masses, absolute on their logarithms
const ON_LOGITS = 2 ** -40;
const MAX_ENTRIES = 100; // where none are declared

/**
 * @typedef {import("./structure.js").Report} Report
 * @typedef {import("./structure.js").Extent} Extent
 * @typedef {import("./metadata.js").Metadata} Metadata
 *
 * @typedef {object} Token one token, decoded
 * @property {number} i its number in the row
 * @property {Int32Array} topIndices
 * @property {Int32Array} sampledIndices
 * @property {Logits} top
 * @property {Logits} sampled
 * @property {number} logsumexp
 *
 * @typedef {object} Logits the entries of a token's nucleus or tail
 * @property {import("./columns.js").Numbers} codes
 * @property {number} min
 * @property {number} max
 * @property {number} delta how far each logit may be from its decoded value
 */

/**
 * Judges everything that needs no other row: IDX-4, IDX-5, QNT-4, QNT-5, NUC-2 to NUC-8, TAIL-1, TAIL-2, LSE-2, LSE-3
 * and ALN-4.
 *
 * @param {import("./columns.js").Batch} batch
 * @param {Extent} extent of a row that is structurally sound
 * @param {Metadata | null} metadata in force
 * @param {Report} report
 * @param {(token: Token, isSet: boolean) => void} [visit] each token, and whether NUC-2, TAIL-1 and TAIL-2 hold for it
 * @returns {boolean} whether ALN-4 holds
 */
export function judgeSemantics(batch, extent, metadata, report, visit = () => {}) {
  const { columns } = batch;
  const { row } = extent;
  for (const kind of ["top", "sampled"]) {
    const high = columns[`${kind}_indices_high`];
    const low = columns[`${kind}_indices_low`];
    const entries = low.offsets[row + 1] - low.offsets[row];
    if (padding(high.values, high.offsets[row + 1] - 1, entries) !== 0) {
      report("IDX-4", { row }, `the padding bits of ${kind}_indices_high are not zero`);
    }
  }
  for (const token of tokensOf(columns, extent)) {
    const say = (requirement, message) => report(requirement, { row, token: token.i }, message);
    visit(token, judgeToken(token, metadata, say));
  }
  const ids = columns.token_ids;
  const limit = metadata?.vocab_size ?? Infinity;
  if (ids === undefined || areTokenIds(ids.values.subarray(ids.offsets[row], ids.offsets[row + 1]), extent.n, limit))
    return true;
  report("ALN-4", { row }, `token_ids are not ${extent.n} indices of the vocabulary`);
  return false;
}

/** @returns {Generator<Token>} */
function* tokensOf(columns, { row, n, stride }) {
  const part = (kind) => {
    const [low, high, codes, min, max] = ["indices_low", "indices_high", "logits_quantized", "min", "max"].map(
      (name) => columns[`${kind}_${name}`],
    );
    const indices = new Int32Array(low.offsets[row + 1] - low.offsets[row]);
    const own = low.values.subarray(low.offsets[row], low.offsets[row + 1]);
    unpackIndices(own, high.values, 0, indices.length, high.offsets[row], indices);
    let at = 0;
    return (i, size) => {
      const start = at;
      at += size;
      const range = [min.values[min.offsets[row] + i], max.values[max.offsets[row] + i]];
      return {
        indices: indices.subarray(start, at),
        logits: {
          codes: codes.values.subarray(codes.offsets[row] + start, codes.offsets[row] + at),
          min: range[0],
          max: range[1],
          delta: tolerance(range[0], range[1]),
        },
      };
    };
  };
  const top = part("top");
  const sampled = part("sampled");
  const { values: counts, offsets } = columns.top_counts;
  const { values: sums, offsets: sumOffsets } = columns.logsumexp;
  for (let i = 0; i < n; i += 1) {
    const nucleus = top(i, counts[offsets[row] + i]);
    const tail = sampled(i, stride);
    yield {
      i,
      topIndices: nucleus.indices,
      sampledIndices: tail.indices,
      top: nucleus.logits,
      sampled: tail.logits,
      logsumexp: sums[sumOffsets[row] + i],
    };
  }
}

/** @returns {boolean} whether NUC-2, TAIL-1 and TAIL-2 hold */
function judgeToken(token, metadata, say) {
  const { topIndices, sampledIndices, top, sampled } = token;
  const vocabulary = metadata?.vocab_size;
  if (vocabulary !== undefined) {
    const beyond = [...topIndices, ...sampledIndices].find((index) => index >= vocabulary);
    if (beyond !== undefined) say("IDX-5", `index ${beyond} of ${vocabulary}`);
  }
  for (const logits of [top, sampled]) judgeCodes(logits, say);
  const most = metadata?.nucleus.max_entries ?? MAX_ENTRIES;
  const isSmall = topIndices.length <= most;
  if (!isSmall) say("NUC-8", `a nucleus of ${topIndices.length} entries, more than ${most}`);
  if (metadata?.nucleus.order === "descending" && top.codes.some((code, j) => j > 0 && code > top.codes[j - 1])) {
    say("NUC-7", "the codes of the nucleus increase");
  }
  const nucleus = new Set(topIndices);
  const isDistinct = nucleus.size === topIndices.length;
  if (!isDistinct) say("NUC-2", "an index stands twice in the nucleus");
  const isTailDistinct = new Set(sampledIndices).size === sampledIndices.length;
  if (!isTailDistinct) say("TAIL-1", "an index stands twice in the tail");
  const isDisjoint = !sampledIndices.some((index) => nucleus.has(index));
  if (!isDisjoint) say("TAIL-2", "an index of the tail stands in the nucleus");
  const isTop = isDisjoint && judgeTop(token, say);
  if (isDistinct && isTailDistinct && isTop) {
    const isLarge = judgeLower(token, say);
    const isRight = judgeUpper(token, vocabulary, say);
    if (isSmall && isLarge && isRight) judgeMass(token, metadata, say);
  }
  return isDistinct && isTailDistinct && isDisjoint;
}

/** The interval in which a logit was before it was quantised. */
const lower = ({ min, max, delta }, code) => Math.max(min, dequantize(code, min, max) - delta);
const upper = ({ min, max, delta }, code) => Math.min(max, dequantize(code, min, max) + delta);

const least = (codes) => codes.reduce((a, b) => Math.min(a, b), Infinity);
const most = (codes) => codes.reduce((a, b) => Math.max(a, b), -Infinity);

/** QNT-4 and QNT-5. */
function judgeCodes(logits, say) {
  const { codes, min, max, delta } = logits;
  if (min === max) {
    if (codes.some((code) => code !== 0)) say("QNT-4", "a code that is not 0 in an empty range");
    return;
  }
  const slack = ON_LOGITS * Math.max(Math.abs(min), Math.abs(max));
  const first = dequantize(least(codes), min, max) - delta;
  const last = dequantize(most(codes), min, max) + delta;
  if (first - slack >= neighbour(min, 1) || last + slack <= neighbour(max, -1)) {
    say("QNT-5", `the range ${min} to ${max} is wider than what is stored`);
  }
}

/** NUC-3. @returns {boolean} */
function judgeTop({ top, sampled }, say) {
  const smallest = upper(top, least(top.codes));
  const largest = lower(sampled, most(sampled.codes));
  if (largest - smallest <= ON_LOGITS * Math.max(Math.abs(largest), Math.abs(smallest))) return true;
  say("NUC-3", `a tail logit of ${largest} above the nucleus's ${smallest}`);
  return false;
}

/** τ of section 14.3. */
const slackOf = (logsumexp) => 2 ** -16 * Math.max(1, Math.abs(logsumexp));

/** The logarithm of a sum of exponentials, around the largest of them. */
function logOfSum(exponents) {
  const largest = most(exponents);
  return largest + Math.log(exponents.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}

const bounds = (bound, ...parts) => parts.flatMap((logits) => Array.from(logits.codes, (code) => bound(logits, code)));

/** LSE-2. @returns {boolean} */
function judgeLower({ top, sampled, logsumexp }, say) {
  const sum = logOfSum(bounds(lower, top, sampled));
  if (logsumexp + slackOf(logsumexp) >= sum - ON_SUMS) return true;
  say("LSE-2", `the logsumexp is ${logsumexp}, that of the stored entries at least ${sum}`);
  return false;
}

/** LSE-3. @returns {boolean} true where it is not judged */
function judgeUpper({ top, sampled, logsumexp }, vocabulary, say) {
  if (vocabulary === undefined) return true;
  const smallest = upper(top, least(top.codes));
  const others = Math.max(0, vocabulary - top.codes.length - sampled.codes.length);
  const exponents = bounds(upper, top, sampled);
  if (others > 0) exponents.push(smallest + Math.log(others));
  const sum = logOfSum(exponents);
  if (logsumexp - slackOf(logsumexp) <= sum + ON_SUMS) return true;
  say("LSE-3", `the logsumexp is ${logsumexp}, and can be ${sum} at most`);
  return false;
}

/** NUC-4, NUC-5 and NUC-6. */
function judgeMass({ top, logsumexp }, metadata, say) {
  const { rule, top_p: share, max_entries: most } = metadata?.nucleus ?? { rule: "unspecified" };
  const { codes } = top;
  const tau = slackOf(logsumexp);
  const massOf = (bound, reference) => bounds(bound, top).reduce((sum, x) => sum + Math.exp(x - reference), 0);
  if (rule === "covering") {
    const mass = massOf(upper, logsumexp - tau);
    if (mass < share * (1 - ON_SUMS) && codes.length < most)
      say("NUC-4", `the nucleus holds ${mass}, less than ${share}`);
    if (codes.length > 1) {
      const rest = massOf(lower, logsumexp + tau) - Math.exp(lower(top, least(codes)) - (logsumexp + tau));
      if (rest * (1 - ON_SUMS) >= share)
        say("NUC-5", `the nucleus without its smallest entry holds ${rest}, not less than ${share}`);
    }
  } else if (rule === "below" && codes.length > 1) {
    const mass = massOf(lower, logsumexp + tau);
    if (mass * (1 - ON_SUMS) > share) say("NUC-6", `the nucleus holds ${mass}, more than ${share}`);
  }
}
