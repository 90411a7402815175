import assert from "node:assert/strict";
import { test } from "node:test";
import { Members, Numeral, binary32, parse } from "../src/json.js";

test("numbers stay text, and members that stand twice stay two", () => {
  const found = parse('{"a": 5.0, "a": [1e400, -0]}');
  assert.ok(found instanceof Members);
  assert.deepEqual(found.pairs, [
    ["a", new Numeral("5.0")],
    ["a", [new Numeral("1e400"), new Numeral("-0")]],
  ]);
});

test("what RFC 8259 does not have is refused", () => {
  for (const text of [
    "",
    "{",
    "[1,]",
    "{,}",
    '{"a"}',
    "nul",
    "01",
    "1.",
    "NaN",
    "[1 2]",
    "{}x",
    '"\t"',
    "'a'",
    "\ufeff1",
    "[1}",
  ]) {
    assert.throws(() => parse(text), SyntaxError, text);
  }
  assert.throws(() => parse(Uint8Array.of(0x22, 0xff, 0x22)), TypeError);
});

test("a million brackets are no more than a value", () => {
  assert.ok(Array.isArray(parse("[".repeat(1e6) + "]".repeat(1e6))));
});

test("binary32 numbers are rounded once, from their text", () => {
  assert.equal(binary32("1.00000005960464477539062500001"), 1 + 2 ** -23);
  assert.equal(binary32("1.00000005960464477539062499999"), 1);
  assert.equal(binary32("1.000000059604644775390625"), 1); // a tie, to even
  assert.equal(binary32("-1.00000017881393432617187499999"), -(1 + 2 ** -23));
  assert.equal(binary32("340282356779733661637539395458142568447"), 2 ** 128 - 2 ** 104);
  assert.equal(binary32("340282356779733661637539395458142568448"), Infinity);
  assert.equal(
    binary32(
      "7.00649232162408535461864791644958065640130970938257885878534141944895541342930300743319094181060791015625e-46",
    ),
    0,
  );
  assert.equal(
    binary32(
      "7.006492321624085354618647916449580656401309709382578858785341419448955413429303007433190941810607910156251e-46",
    ),
    2 ** -149,
  );
  assert.equal(binary32("1e-999"), 0);
});
