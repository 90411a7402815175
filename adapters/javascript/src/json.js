// JSON (RFC 8259) without loss: JSON.parse takes 5.0 for 5, drops members that stand twice and rounds to binary64.
// Nothing here recurses, so that brackets by the thousand do no harm.

/** A number as it is written. */
export class Numeral {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  get isInteger() {
    return /^-?[0-9]+$/.test(this.text);
  }
}

/** An object: its members in their order, which may stand twice. */
export class Members {
  constructor() {
    /** @type {[string, Value][]} */
    this.pairs = [];
  }
}

/** @typedef {null | boolean | string | Numeral | Value[] | Members} Value */

const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS = { t: ["true", true], f: ["false", false], n: ["null", null] };
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * @param {string | Uint8Array} input text, or its UTF-8
 * @returns {Value}
 * @throws {SyntaxError} where it is no JSON text; {TypeError} where it is no UTF-8
 */
export function parse(input) {
  const text = typeof input === "string" ? input : utf8.decode(input);
  let at = 0;
  const fail = (expected) => {
    throw new SyntaxError(`expected ${expected} at character ${at}`);
  };
  const take = (pattern, expected) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) fail(expected);
    at = pattern.lastIndex;
    return found[0];
  };
  const skip = () => {
    for (
      let code = text.charCodeAt(at);
      code === 32 || code === 10 || code === 13 || code === 9;
      code = text.charCodeAt(at)
    )
      at += 1;
  };
  const next = (mark) => {
    skip();
    if (text[at] !== mark) return false;
    at += 1;
    return true;
  };
  const name = (object) => {
    skip();
    object.pairs.push([JSON.parse(take(STRING, "a name")), null]);
    if (!next(":")) fail('":"');
  };
  const scalar = () => {
    const mark = text[at];
    if (mark === '"') return JSON.parse(take(STRING, "a string"));
    if (mark in WORDS) {
      const [word, value] = WORDS[mark];
      if (!text.startsWith(word, at)) fail(word);
      at += word.length;
      return value;
    }
    return new Numeral(take(NUMBER, "a value"));
  };

  /** @type {(Value[] | Members)[]} the arrays and objects that are open */
  const open = [];
  for (;;) {
    /** @type {Value} */
    let value;
    skip();
    if (next("[")) {
      value = [];
      if (!next("]")) {
        open.push(value);
        continue;
      }
    } else if (next("{")) {
      value = new Members();
      if (!next("}")) {
        open.push(value);
        name(value);
        continue;
      }
    } else {
      value = scalar();
    }
    // A value is complete: it goes into what is open, which may be complete then, too.
    for (;;) {
      const into = open.at(-1);
      if (into === undefined) {
        skip();
        if (at < text.length) fail("the end");
        return value;
      }
      if (into instanceof Members) into.pairs.at(-1)[1] = value;
      else into.push(value);
      if (next(",")) {
        if (into instanceof Members) name(into);
        break;
      }
      if (!next(into instanceof Members ? "}" : "]")) fail('"," or the end of an array or object');
      value = open.pop();
    }
  }
}

/**
 * The binary32 number nearest to a decimal text, rounded once (SPEC.md section 4.3): Math.fround(Number(text)) rounds
 * twice, which matters where the first rounding ends half-way between two binary32 numbers.
 *
 * @param {string} text a JSON number
 */
export function binary32(text) {
  const wide = Number(text);
  const near = Math.fround(wide);
  const magnitude = Math.abs(wide);
  if (near === wide) return near;
  const [below, above] = around(magnitude);
  if (magnitude - below !== above - magnitude) return near;
  const order = compare(text, magnitude);
  if (order === 0) return near;
  return Math.sign(wide) * Math.fround(order > 0 ? above : below);
}

/** The binary32 numbers below and above a magnitude that is none; 2 ** 128 stands for infinity. */
function around(magnitude) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, magnitude);
  const near = view.getFloat32(0);
  view.setInt32(0, view.getInt32(0) + (near < magnitude ? 1 : -1));
  const other = view.getFloat32(0);
  return [Math.min(near, other), Math.min(Math.max(near, other), 2 ** 128)];
}

/** Whether the magnitude of a decimal text is larger (1) or smaller (-1) than that of a binary64 number. */
function compare(text, wide) {
  const [, whole, fraction = "", exponent = "0"] = /^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text);
  const decimal = Number(exponent) - fraction.length;
  // Any binary64 number that is half-way between two of binary32 is a multiple of 2 ** -150.
  const numerator = BigInt(wide * 2 ** 75 * 2 ** 75);
  const left = BigInt(whole + fraction) * 10n ** BigInt(Math.max(decimal, 0)) * 2n ** 150n;
  const right = numerator * 10n ** BigInt(Math.max(-decimal, 0));
  return left === right ? 0 : left > right ? 1 : -1;
}
