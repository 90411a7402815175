// SPEC.md section 13: the metadata, read without loss, judged, and compared.

import { Breach } from "./errors.js";
import { Members, Numeral, parse } from "./json.js";

const MAX_BYTES = 1_048_576;
const VERSION = /^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$/;
const INT32 = 2 ** 31 - 1;

/**
 * @typedef {object} Metadata the members that requirements name; see schema/metadata.schema.json for all of them
 * @property {string} spec_version
 * @property {{id: string, size?: number}} tokenizer
 * @property {number} vocab_size
 * @property {{rule: string, top_p?: number, max_entries?: number, order?: string}} nucleus
 * @property {{num_sampled: number, method: string}} tail
 * @property {string} alignment
 *
 * @typedef {{value: Metadata | null, finding: Breach | null}} Judged one of the two; META-2 where the major version is unknown
 */

/**
 * META-7, META-2 and META-1 of one object.
 *
 * @param {Uint8Array} bytes
 * @returns {Judged}
 */
export function judgeMetadata(bytes) {
  const broken = (requirement, message) => ({ value: null, finding: new Breach(requirement, message) });
  if (bytes.length > MAX_BYTES) return broken("META-7", `the metadata have ${bytes.length} bytes`);
  let members;
  try {
    members = parse(bytes);
  } catch (error) {
    return broken("META-1", `the metadata are no JSON: ${error.message}`);
  }
  if (!(members instanceof Members)) return broken("META-1", "the metadata are no JSON object");
  const versions = members.pairs.filter(([name]) => name === "spec_version");
  const found = versions.length === 1 && typeof versions[0][1] === "string" ? VERSION.exec(versions[0][1]) : null;
  if (found !== null && found[1] !== "1") return broken("META-2", `version ${found[0]} is unknown`);
  const twice = [];
  const value = plain(members, twice);
  if (twice.length > 0) return broken("META-1", `${JSON.stringify(twice[0])} stands twice in one object`);
  const fault = faultOf(value);
  return fault === null ? { value, finding: null } : broken("META-1", fault);
}

/**
 * JSON values as JavaScript's. An integer beyond 2 ** 53 is a bigint.
 *
 * @param {import("./json.js").Value} json
 * @param {string[]} twice takes up the names that stand twice in one object
 */
export function plain(json, twice = []) {
  if (json instanceof Numeral) {
    const number = Number(json.text);
    return json.isInteger && !Number.isSafeInteger(number) ? BigInt(json.text) : number;
  }
  if (Array.isArray(json)) return json.map((element) => plain(element, twice));
  if (!(json instanceof Members)) return json;
  const object = Object.create(null); // so that "__proto__" is a name like others
  for (const [name, member] of json.pairs) {
    if (name in object) twice.push(name);
    object[name] = plain(member, twice);
  }
  return object;
}

/**
 * The inverse of `plain`, for metadata to be written.
 *
 * @param {any} value
 * @returns {string}
 */
export function stringify(value) {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(stringify).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`)
    .join(",")}}`;
}

// The published schema, schema/metadata.schema.json, as functions that say whether a value fits.

const text = (value) => typeof value === "string";
const named = (value) => text(value) && value.length > 0;
const digest = (value) => text(value) && /^[0-9a-f]{64}$/.test(value);
const whole = (value) => typeof value === "bigint" || Number.isInteger(value);
const between = (least, most) => (value) => whole(value) && value >= least && value <= most;
const oneOf =
  (...values) =>
  (value) =>
    values.includes(value);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const object = (required, members) => (value) =>
  isObject(value) &&
  required.every((name) => name in value) &&
  Object.entries(members).every(([name, fits]) => !(name in value) || fits(value[name]));

const MEMBERS = {
  spec_version: (value) => text(value) && VERSION.test(value),
  model: object(["id"], { id: named, revision: text, dtype: text }),
  tokenizer: object(["id"], { id: named, revision: text, sha256: digest, size: between(1, INT32) }),
  vocab_size: between(1, INT32),
  nucleus: (value) =>
    object(value?.rule === "unspecified" ? ["rule"] : ["rule", "top_p", "max_entries"], {
      top_p: (share) => typeof share === "number" && share > 0 && share <= 1,
      max_entries: between(1, 255),
      rule: oneOf("covering", "below", "unspecified"),
      order: oneOf("descending", "unspecified"),
    })(value),
  tail: object(["num_sampled", "method"], {
    num_sampled: between(1, INT32),
    method: oneOf("uniform", "proportional", "unspecified"),
    seed: whole,
  }),
  temperature: (value) => value === 1,
  alignment: oneOf("predicts", "follows", "unspecified"),
  mask: object([], {
    turns: text,
    end_of_turn: (value) => typeof value === "boolean",
    excluded: (value) => Array.isArray(value) && value.every(text),
  }),
  chat_template_sha256: digest,
  source: object([], { id: text, revision: text, split: text }),
  writer: object([], { name: text, version: text }),
};
const REQUIRED = ["spec_version", "model", "tokenizer", "vocab_size", "nucleus", "tail", "alignment"];

/**
 * What is wrong with a value as metadata (META-1); null where nothing is.
 *
 * @param {any} value
 * @returns {string | null}
 */
export function faultOf(value) {
  if (!isObject(value)) return "the metadata are no JSON object";
  for (const [name, fits] of Object.entries(MEMBERS)) {
    if (!(name in value)) {
      if (REQUIRED.includes(name)) return `${name} is missing`;
    } else if (!fits(value[name])) return `${name} is not valid`;
  }
  return value.tokenizer.size > value.vocab_size ? "tokenizer.size is larger than vocab_size" : null;
}

/**
 * Whether two values are equal as JSON values (FILE-2): 1 and 1.0 are, 1 and true are not.
 *
 * @param {any} a @param {any} b
 * @returns {boolean}
 */
export function equal(a, b) {
  if (typeof a === "bigint" || typeof b === "bigint") {
    return [a, b].every((x) => typeof x === "bigint" || typeof x === "number") && a == b; // eslint-disable-line eqeqeq
  }
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (!isObject(a)) return a === b;
  if (!isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && equal(a[name], b[name]));
}
