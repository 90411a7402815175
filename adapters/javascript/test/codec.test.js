import assert from "node:assert/strict";
import { test } from "node:test";
import { packIndices, padding, unpackIndices } from "../src/indices.js";
import { dequantize, isRange, neighbour, quantize } from "../src/quantize.js";

test("the example of SPEC.md section 7", () => {
  const indices = [5, 65541, 131077, 262143, 7];
  const { low, high } = packIndices(indices);
  assert.deepEqual([...low], [5, 5, 5, 65535, 7]);
  assert.equal(Buffer.from(high).toString("hex"), "e400");
  const back = new Int32Array(5);
  unpackIndices(low, high, 0, 5, 0, back);
  assert.deepEqual([...back], indices);
});

test("padding bits are those above the last entry", () => {
  assert.equal(padding(Uint8Array.of(0b00000011), 0, 1), 0);
  assert.notEqual(padding(Uint8Array.of(0b00000111), 0, 1), 0);
  assert.equal(padding(Uint8Array.of(0b11111111), 0, 4), 0);
});

test("codes are within 1/2 + 1/64 of a step, ranges are the tightest that contain", () => {
  const logits = [0.1, 17.3, -4.000000001, 9.5, 1 / 3, -3.9999];
  const { min, max, codes } = quantize(logits);
  assert.ok(min <= Math.min(...logits) && neighbour(min, 1) > Math.min(...logits));
  assert.ok(max >= Math.max(...logits) && neighbour(max, -1) < Math.max(...logits));
  logits.forEach((x, j) =>
    assert.ok(Math.abs(dequantize(codes[j], min, max) - x) <= ((1 / 2 + 1 / 64) * (max - min)) / 65535),
  );
});

test("an empty range has codes of 0", () => {
  assert.deepEqual(quantize([-2, -2]), { min: -2, max: -2, codes: Uint16Array.of(0, 0) });
});

test("the width of a range is rounded once", () => {
  const largest = 2 ** 128 - 2 ** 104;
  assert.ok(isRange(0, largest));
  assert.ok(!isRange(-(2 ** 103), largest)); // a tie, which rounds to infinity
  assert.ok(isRange(neighbour(-(2 ** 103), 1), largest));
  assert.ok(!isRange(neighbour(-(2 ** 103), -1), largest));
  for (const [min, max] of [
    [1, 0],
    [NaN, 1],
    [0, NaN],
    [-Infinity, 0],
    [0, Infinity],
    [Infinity, Infinity],
  ])
    assert.ok(!isRange(min, max));
});

test("the neighbours of binary32 numbers", () => {
  assert.equal(neighbour(1, 1), 1 + 2 ** -23);
  assert.equal(neighbour(-1, 1), -1 + 2 ** -24);
  assert.equal(neighbour(0, -1), -(2 ** -149));
  assert.equal(neighbour(2 ** -149, -1), 0);
});
