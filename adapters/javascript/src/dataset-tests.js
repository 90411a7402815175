// The tests over a dataset, SPEC.md section 14.4.

import { Breach } from "./errors.js";
import { INDEX_LIMIT } from "./indices.js";

const BINS = 64;
const CHI_SQUARE = 155.0743; // exceeded with probability 1e-9 at 63 degrees of freedom
const ENOUGH = 100;

/** Whether tails are uniform (TAIL-3). */
export class UniformTail {
  #observed = new Float64Array(BINS);
  #expected = new Float64Array(BINS);

  /**
   * @param {Int32Array} nucleus @param {Int32Array} tail indices of a token for which NUC-2, TAIL-1 and TAIL-2 hold
   * @param {import("./metadata.js").Metadata} metadata which declare a uniform tail
   */
  add(nucleus, tail, metadata) {
    const size = Math.min(metadata.tokenizer.size ?? metadata.vocab_size, metadata.vocab_size, INDEX_LIMIT);
    const free = new Float64Array(BINS);
    for (let b = 0; b < BINS; b += 1) free[b] = Math.ceil(((b + 1) * size) / BINS) - Math.ceil((b * size) / BINS);
    let left = size;
    for (const index of nucleus) {
      if (index >= size) continue;
      free[Math.floor((BINS * index) / size)] -= 1;
      left -= 1;
    }
    if (left <= 0) return;
    let sampled = 0;
    for (const index of tail) {
      if (index >= size) continue;
      this.#observed[Math.floor((BINS * index) / size)] += 1;
      sampled += 1;
    }
    for (let b = 0; b < BINS; b += 1) this.#expected[b] += (sampled * free[b]) / left;
  }

  /** @returns {Breach | null} */
  finding() {
    if (this.#expected.some((expected) => expected < ENOUGH)) return null;
    const statistic = this.#expected.reduce(
      (sum, expected, b) => sum + (this.#observed[b] - expected) ** 2 / expected,
      0,
    );
    return statistic > CHI_SQUARE ? new Breach("TAIL-3", `chi-square is ${statistic}, more than ${CHI_SQUARE}`) : null;
  }
}

/** Whether tokens are found in the nucleus of their own entry at least as often as in its neighbours' (ALN-5). */
export class Alignment {
  #own = { hits: 0, tokens: 0 };
  #before = { hits: 0, tokens: 0 };
  #after = { hits: 0, tokens: 0 };

  /**
   * @param {ArrayLike<number>} ids of one row
   * @param {Int32Array[]} nuclei of its tokens
   */
  add(ids, nuclei) {
    const count = (share, i, entry) => {
      if (entry < 0 || entry >= nuclei.length) return;
      share.tokens += 1;
      if (nuclei[entry].includes(ids[i])) share.hits += 1;
    };
    for (let i = 0; i < ids.length; i += 1) {
      count(this.#own, i, i);
      count(this.#before, i, i - 1);
      count(this.#after, i, i + 1);
    }
  }

  /** @returns {Breach | null} */
  finding() {
    const own = this.#own;
    if (this.#before.tokens < ENOUGH) return null;
    const isBetter = ({ hits, tokens }) => own.hits * tokens < hits * own.tokens; // shares, compared exactly
    if (!isBetter(this.#before) && !isBetter(this.#after)) return null;
    const text = ({ hits, tokens }) => `${hits} of ${tokens}`;
    return new Breach(
      "ALN-5",
      `in their own nucleus are ${text(own)} tokens, in that before ${text(this.#before)}, in that after ${text(this.#after)}`,
    );
  }
}
