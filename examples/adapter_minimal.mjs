// A reader adapter for container json in JavaScript, with nothing but Node's own modules.
//
//     logitpack conform -- node /path/to/adapter_minimal.mjs
//
// JSON.parse takes 5.0 for 5, drops members that stand twice and rounds numbers to binary64, so that nobody can tell
// afterwards. Here numbers stay text until it is known what they stand for.

import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const HELLO = {
  protocol: 1, spec: ["1.0"], name: "minimal", version: "1", language: "javascript",
  roles: ["reader"], containers: ["json"], features: ["token_ids"],
};
const INTEGERS = [
  "top_counts", "top_indices_low", "top_logits_quantized", "sampled_indices_low", "sampled_logits_quantized",
];
const BINARY32 = ["top_min", "top_max", "sampled_min", "sampled_max"];
const REQUIRED = ["num_tokens", "top_indices_high", "sampled_indices_high", "logsumexp", ...INTEGERS, ...BINARY32];

class Rejected extends Error {
  constructor(requirement, message = `${requirement} does not hold`) {
    super(message);
    this.requirement = requirement;
  }
}

function need(holds, requirement) {
  if (!holds) throw new Rejected(requirement);
}

// What `attempt` throws is a fault of the file, too: bytes that are no UTF-8, brackets by the thousand.
function guarded(requirement, attempt) {
  try {
    return attempt();
  } catch (error) {
    throw error instanceof Rejected ? error : new Rejected(requirement, error.message);
  }
}

// JSON (RFC 8259). Objects become arrays of pairs in a Members, numbers a Numeral with their text.

class Numeral {
  constructor(text) {
    this.text = text;
  }
}

class Members extends Array {}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;

function parse(text) {
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found === null ? null : found[0];
  };
  const next = (mark) => {
    take(SPACE);
    const is = text[at] === mark;
    if (is) at += 1;
    return is;
  };
  const string = () => {
    take(SPACE);
    const found = take(STRING);
    need(found !== null, "JSON-1");
    return JSON.parse(found);
  };
  const list = (into, end, element) => {
    if (next(end)) return into;
    do into.push(element()); while (next(","));
    need(next(end), "JSON-1");
    return into;
  };
  const member = () => {
    const name = string();
    need(next(":"), "JSON-1");
    return [name, value()];
  };
  const value = () => {
    if (next("{")) return list(new Members(), "}", member);
    if (next("[")) return list([], "]", value);
    if (text[at] === '"') return string();
    const number = take(NUMBER);
    if (number !== null) return new Numeral(number);
    const word = take(WORD);
    need(word !== null, "JSON-1");
    return JSON.parse(word);
  };
  const found = value();
  take(SPACE);
  need(at === text.length, "JSON-1");
  return found;
}

// Numbers (section 4.3): a binary32 number is rounded once, from its decimal text, and Math.fround would round again.

function binary32(text) {
  const near = Number(text);
  if (near === 0 || !Number.isFinite(near)) return near;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(near));
  const bits = view.getBigUint64(0);
  const above = compare(text, bits);
  // The odd one of the two binary64 numbers around the text: it is never half-way between two binary32 numbers.
  if (above !== 0 && bits % 2n === 0n) view.setBigUint64(0, bits + BigInt(above));
  return Math.sign(near) * Math.fround(view.getFloat64(0));
}

// Whether a decimal number is larger (1) or smaller (-1) than a positive binary64 number, both without their signs.
function compare(text, bits) {
  const [, whole, fraction = "", exponent = "0"] = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  const power = (base, times) => base ** BigInt(Math.max(times, 0));
  const decimal = Number(exponent) - fraction.length;
  const binary = Math.max(Number(bits >> 52n), 1) - 1075;
  const mantissa = (bits & 0xfffffffffffffn) + (bits >> 52n === 0n ? 0n : 1n << 52n);
  const left = BigInt(whole + fraction) * power(10n, decimal) * power(2n, -binary);
  const right = mantissa * power(2n, binary) * power(10n, -decimal);
  return left === right ? 0 : left > right ? 1 : -1;
}

function integer(text) {
  need(/^-?[0-9]+$/.test(text), "COL-2");
  return Number(text);
}

// The requirements on a row, in the order of section 14.3.

function numerals(list, rule) {
  need(list !== null, "COL-3");
  need(Array.isArray(list) && !(list instanceof Members), "COL-2");
  need(!list.includes(null), "COL-3");
  need(list.every((element) => element instanceof Numeral), "COL-2"); // strings stand for what QNT-1 and LSE-1 reject
  return list.map((element) => rule(element.text));
}

function bytes(text) {
  need(text !== null, "COL-3");
  need(typeof text === "string", "COL-2");
  const found = Buffer.from(text, "base64");
  need(found.toString("base64") === text, "JSON-2"); // Buffer is lenient: it has to be the text of these bytes
  return found;
}

function storedRow(line, first) {
  const members = guarded("JSON-1", () => parse(line));
  need(members instanceof Members, "JSON-1");
  const count = (name) => members.filter((member) => member[0] === name).length;
  for (const name of REQUIRED) need(count(name) === 1, "COL-1");
  const hasIds = count("token_ids");
  need(hasIds <= 1 && (first === null || hasIds === (first.token_ids === undefined ? 0 : 1)), "COL-1");
  const stored = new Map(members);
  const row = {};
  [row.num_tokens] = numerals([stored.get("num_tokens")], integer);
  for (const name of INTEGERS) row[name] = numerals(stored.get(name), integer);
  for (const name of BINARY32) row[name] = numerals(stored.get(name), binary32);
  row.logsumexp = numerals(stored.get("logsumexp"), Number);
  if (hasIds) row.token_ids = numerals(stored.get("token_ids"), integer);
  for (const kind of ["top", "sampled"]) row[`${kind}_indices_high`] = bytes(stored.get(`${kind}_indices_high`));
  return row;
}

function meaning(row) {
  const n = row.num_tokens;
  need(n >= 1 && n < 2 ** 31, "ROW-1");
  for (const name of ["top_counts", "logsumexp", ...BINARY32]) need(row[name].length === n, "ROW-2");
  need(row.top_counts.every((size) => size >= 1 && size <= 255), "NUC-1");
  const stride = row.sampled_indices_low.length / n;
  need(Number.isInteger(stride) && stride >= 1, "ROW-4");
  need(row.logsumexp.every(Number.isFinite), "LSE-1");
  const top = entries(row, "top", row.top_counts, "ROW-3");
  const sampled = entries(row, "sampled", new Array(n).fill(stride), "ROW-4");
  const tokens = row.logsumexp.map((logsumexp, i) => ({ logsumexp, top: top[i], sampled: sampled[i] }));
  const ids = row.token_ids ?? [];
  if (ids.length === n && ids.every((id) => id >= 0 && id < 2 ** 31)) ids.forEach((id, i) => (tokens[i].token_id = id));
  return { tokens }; // token ids that break ALN-4 count as absent
}

function entries(row, kind, sizes, requirement) {
  const [low, high, codes, min, max] = ["indices_low", "indices_high", "logits_quantized", "min", "max"].map(
    (part) => row[`${kind}_${part}`],
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  need(low.length === total && codes.length === total, requirement);
  need(high.length === Math.ceil(total / 4), "IDX-3");
  need(low.every((value) => value >= 0 && value <= 65535), "IDX-1");
  need(codes.every((value) => value >= 0 && value <= 65535), "QNT-8");
  let start = 0;
  return sizes.map((size, i) => {
    need(min[i] <= max[i] && Number.isFinite(Math.fround(max[i] - min[i])), "QNT-1");
    const indices = [];
    const logits = [];
    for (let j = start; j < start + size; j += 1) {
      indices.push(low[j] + 65536 * ((high[j >> 2] >> (2 * (j & 3))) & 3));
      logits.push((codes[j] / 65535) * (max[i] - min[i]) + min[i]);
    }
    start += size;
    return { indices, logits };
  });
}

function read(request) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = readFileSync(request.input);
  const lines = guarded("JSON-1", () => decoder.decode(text)).split("\n");
  if (lines.at(-1) === "") lines.pop();
  let first = null;
  const output = lines.map((line) => {
    const row = storedRow(line, first);
    first ??= row;
    return `${JSON.stringify(meaning(row))}\n`;
  });
  writeFileSync(request.output, output.join(""));
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer = { outcome: "accepted" };
  try {
    if (request.cmd === "hello") answer = HELLO;
    else read(request);
  } catch (error) {
    const outcome = error instanceof Rejected ? "rejected" : "error";
    answer = { outcome, requirement: error.requirement, message: String(error.message) };
  }
  process.stdout.write(`${JSON.stringify({ seq: request.seq, ...answer })}\n`);
}
