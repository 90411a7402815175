// Logical JSON, SPEC.md section 4.4: decoded rows written, and rows to be encoded read.

import { Breach } from "./errors.js";
import { INDEX_LIMIT } from "./indices.js";
import { Members, Numeral, parse } from "./json.js";

const LAST_INT32 = 2 ** 31 - 1;

/**
 * @typedef {object} LogicalToken
 * @property {number} logsumexp
 * @property {{indices: number[], logits: number[]}} top
 * @property {{indices: number[], logits: number[]}} sampled
 * @property {number} [token_id]
 */

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

/**
 * @param {Uint8Array} line
 * @param {number} row its number, for messages
 * @returns {LogicalToken[]} the tokens of a row
 * @throws {Breach} where a value has no place in any row: IDX-6, QNT-6, LSE-1, ALN-4 and others
 */
export function parseRow(line, row) {
  let members;
  try {
    members = parse(line);
  } catch (error) {
    throw new Breach("JSON-1", error.message, { row });
  }
  const { tokens } = asObject(members, row);
  if (!Array.isArray(tokens)) throw new Breach("JSON-1", "the row has no tokens", { row });
  return tokens.map((token, i) => parseToken(token, { row, token: i }));
}

/** A number by its value: 5.0 and 5e0 are 5. */
function number(value, fits, requirement, place) {
  const found = value instanceof Numeral ? Number(value.text) : NaN;
  if (!fits(found))
    throw new Breach(
      requirement,
      `${value instanceof Numeral ? value.text : JSON.stringify(value)} cannot be stored`,
      place,
    );
  return found;
}

const isIndex = (x) => Number.isInteger(x) && x >= 0 && x < INDEX_LIMIT;
const isTokenId = (x) => Number.isInteger(x) && x >= 0 && x <= LAST_INT32;

/** @returns {LogicalToken} */
function parseToken(json, place) {
  const { logsumexp, top, sampled, token_id: id } = asObject(json, place.row);
  const entries = (part, requirement) => {
    const { indices, logits } = asObject(part, place.row);
    if (!Array.isArray(indices) || !Array.isArray(logits) || indices.length !== logits.length) {
      throw new Breach(requirement, "indices and logits of different number", place);
    }
    return {
      indices: indices.map((index, entry) => number(index, isIndex, "IDX-6", { ...place, entry })),
      logits: logits.map((logit, entry) => number(logit, Number.isFinite, "QNT-6", { ...place, entry })),
    };
  };
  const token = {
    logsumexp: number(logsumexp, Number.isFinite, "LSE-1", place),
    top: entries(top, "ROW-3"),
    sampled: entries(sampled, "ROW-4"),
  };
  return id === undefined ? token : { ...token, token_id: number(id, isTokenId, "ALN-4", place) };
}

/** The members of an object, of which none stands twice. */
function asObject(json, row) {
  if (!(json instanceof Members)) throw new Breach("JSON-1", "the row is no logical JSON", { row });
  const object = Object.create(null);
  for (const [name, value] of json.pairs) {
    if (name in object) throw new Breach("JSON-1", `${name} stands twice`, { row });
    object[name] = value;
  }
  return object;
}
