// From what rows mean to what is stored.

import { Breach } from "./errors.js";
import { packIndices } from "./indices.js";
import { quantize } from "./quantize.js";

/**
 * @param {import("./logical.js").LogicalToken[][]} rows
 * @returns {import("./columns.js").Batch} in the canonical types
 * @throws {Breach} where rows cannot be stored in columns at all; other requirements are for a checker
 */
export function encode(rows) {
  const tokens = rows.flat();
  const withIds = tokens.filter((token) => token.token_id !== undefined).length;
  if (withIds > 0 && withIds < tokens.length)
    throw new Breach("ALN-4", "token ids stand in some tokens and not in others");
  rows.forEach(judgeSizes);
  const perToken = offsetsOf(rows.map((row) => row.length));
  const list = (values, offsets) => ({ values, offsets, nulls: null });
  const columns = {
    num_tokens: list(
      Int32Array.from(rows, (row) => row.length),
      null,
    ),
    top_counts: list(
      Uint8Array.from(tokens, ({ top }) => top.indices.length),
      perToken,
    ),
    logsumexp: list(
      Float64Array.from(tokens, ({ logsumexp }) => logsumexp),
      perToken,
    ),
  };
  for (const kind of ["top", "sampled"]) {
    const packed = rows.map((row) => packIndices(row.flatMap((token) => token[kind].indices)));
    const codes = tokens.map((token) => quantize(token[kind].logits));
    const perEntry = offsetsOf(packed.map(({ low }) => low.length));
    columns[`${kind}_indices_low`] = list(
      join(
        Uint16Array,
        packed.map(({ low }) => low),
      ),
      perEntry,
    );
    columns[`${kind}_indices_high`] = list(
      join(
        Uint8Array,
        packed.map(({ high }) => high),
      ),
      offsetsOf(packed.map(({ high }) => high.length)),
    );
    columns[`${kind}_logits_quantized`] = list(
      join(
        Uint16Array,
        codes.map((code) => code.codes),
      ),
      perEntry,
    );
    columns[`${kind}_min`] = list(
      Float32Array.from(codes, ({ min }) => min),
      perToken,
    );
    columns[`${kind}_max`] = list(
      Float32Array.from(codes, ({ max }) => max),
      perToken,
    );
  }
  if (withIds > 0)
    columns.token_ids = list(
      Int32Array.from(tokens, (token) => token.token_id),
      perToken,
    );
  return { rows: rows.length, columns };
}

/** ROW-1, NUC-1 and ROW-4, before they are lost in the columns: a count of 256 would be 0 there. */
function judgeSizes(tokens, row) {
  if (tokens.length === 0) throw new Breach("ROW-1", "a row without tokens", { row });
  const stride = tokens[0].sampled.indices.length;
  tokens.forEach(({ top, sampled }, token) => {
    const count = top.indices.length;
    if (count < 1 || count > 255) throw new Breach("NUC-1", `a nucleus of ${count} entries`, { row, token });
    if (stride < 1 || sampled.indices.length !== stride) {
      throw new Breach("ROW-4", `a tail of ${sampled.indices.length} entries, the first of the row has ${stride}`, {
        row,
        token,
      });
    }
  });
}

function offsetsOf(lengths) {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  return offsets;
}

function join(Type, parts) {
  const all = new Type(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
