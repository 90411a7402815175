// Logical JSON, SPEC.md section 4.4.

/**
 * The rows of a batch, a line each. JSON.stringify writes numbers so that they read back as the same binary64.
 *
 * @param {import("./decode.js").Decoded} decoded
 * @yields {string}
 */
export function* logicalLines({ rows, tokens, logsumexp, top, sampled, tokenIds }) {
  const of = ({ offsets, indices, logits }, token) => ({
    indices: Array.from(indices.subarray(offsets[token], offsets[token + 1])),
    logits: Array.from(logits.subarray(offsets[token], offsets[token + 1])),
  });
  for (let row = 0; row < rows; row += 1) {
    const line = [];
    for (let token = tokens[row]; token < tokens[row + 1]; token += 1) {
      const meaning = { logsumexp: logsumexp[token], top: of(top, token), sampled: of(sampled, token) };
      if (tokenIds[row] !== null) meaning.token_id = tokenIds[row][token - tokens[row]];
      line.push(JSON.stringify(meaning));
    }
    yield `{"tokens":[${line.join(",")}]}\n`;
  }
}
