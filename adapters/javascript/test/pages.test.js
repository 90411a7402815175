import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { ByteWriter } from "hyparquet-writer/src/bytewriter.js";
import { writePageHeader } from "hyparquet-writer/src/datapage.js";
import { decompressFrame } from "../src/lz4.js";
import { splitPages } from "../src/parquet-pages.js";
import { decodeRuns } from "../src/rle.js";

/** A page of four bytes. */
function page(header) {
  const writer = new ByteWriter();
  const body = Uint8Array.of(1, 2, 3, 4);
  writePageHeader(writer, {
    type: "DATA_PAGE",
    uncompressed_page_size: 4,
    compressed_page_size: 4,
    data_page_header: {
      num_values: 1,
      encoding: "PLAIN",
      definition_level_encoding: "RLE",
      repetition_level_encoding: "RLE",
    },
    ...header(body),
  });
  writer.appendBytes(body);
  return new Uint8Array(writer.getBytes());
}

test("a page has to match its checksum, where it has one", () => {
  assert.equal(splitPages(page(() => ({}))).length, 1);
  assert.equal(
    splitPages(page((body) => ({ crc: crc32(body) | 0 })))[0].header.crc >>> 0,
    crc32(Uint8Array.of(1, 2, 3, 4)),
  );
  assert.throws(() => splitPages(page((body) => ({ crc: crc32(body) ^ 1 }))), /checksum/);
});

test("a page has to lie in its chunk, and cannot claim what no codec can do", () => {
  assert.throws(() => splitPages(page(() => ({ compressed_page_size: 5 }))), /not sound/);
  assert.throws(() => splitPages(page(() => ({ compressed_page_size: -1 }))), /not sound/);
  assert.throws(() => splitPages(page(() => ({ uncompressed_page_size: 2 ** 31 - 1 }))), /claim/);
});

test("runs and packed bits", () => {
  const runs = Uint8Array.of(0x06, 2, 0x03, 0b11100100, 0b00011011); // three times 2, then eight packed values
  assert.deepEqual([...decodeRuns(runs, 2, new Uint8Array(9))], [2, 2, 2, 0, 1, 2, 3, 3, 2]);
  const wide = Uint8Array.of(0x02, 0xff, 0xff, 0x03);
  assert.deepEqual([...decodeRuns(wide, 18, new Int32Array(1))], [262143]);
});

test("runs that end early, are too long or too wide are refused", () => {
  assert.throws(() => decodeRuns(Uint8Array.of(0x06, 2), 2, new Uint8Array(4)), /early/);
  assert.throws(() => decodeRuns(Uint8Array.of(0x03), 2, new Uint8Array(4)), /early/);
  assert.throws(() => decodeRuns(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1), 1, new Uint8Array(4)), /too long/);
  assert.throws(() => decodeRuns(Uint8Array.of(0x02, 4), 2, new Uint8Array(1)), /too wide/);
});

const FRAME = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];

test("LZ4 frames: literals, a match that overlaps itself, an uncompressed block", () => {
  const block = [0x14, 97, 1, 0, 0x10, 98]; // "a", eight more of it, "b"
  const frame = Uint8Array.from([...FRAME, 6, 0, 0, 0, ...block, 2, 0, 0, 0x80, 99, 100, 0, 0, 0, 0]);
  assert.equal(Buffer.from(decompressFrame(frame, 12)).toString(), "aaaaaaaaabcd");
  assert.throws(() => decompressFrame(frame, 13));
  assert.throws(() => decompressFrame(frame, 11));
  for (let end = 0; end < frame.length - 1; end += 1)
    assert.throws(() => decompressFrame(frame.slice(0, end), 12), `cut at ${end}`);
});
