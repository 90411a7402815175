// LZ4 frames, as Arrow IPC has them, and bare blocks, as Parquet has them. The packages that decode them trust their input
// or take no linked blocks.

const MAGIC = 0x184d2204;
const MIN_MATCH = 4;
const UNCOMPRESSED = 0x80000000;

/**
 * @param {Uint8Array} input one frame
 * @param {number} length of what it decompresses to
 * @returns {Uint8Array}
 */
export function decompressFrame(input, length) {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const flags = view.getUint8(4);
  if (view.getUint32(0, true) !== MAGIC || flags >> 6 !== 1 || flags & 1) throw new Error("no LZ4 frame");
  const blockSums = (flags & 0x10) !== 0;
  const output = new Uint8Array(length);
  let at = 7 + (flags & 0x08 ? 8 : 0); // magic number, flags, block size, perhaps content size, checksum
  let done = 0;
  for (;;) {
    const mark = view.getUint32(at, true);
    at += 4;
    if (mark === 0) break;
    const size = mark % UNCOMPRESSED;
    if (at + size > input.length) throw new Error("an LZ4 block ends early");
    const block = input.subarray(at, at + size);
    if (mark >= UNCOMPRESSED) {
      output.set(block, done); // a RangeError where there is no room
      done += size;
    } else {
      done = decompressBlock(block, output, done);
    }
    at += size + (blockSums ? 4 : 0);
  }
  if (done !== length) throw new Error(`an LZ4 frame of ${done} bytes, expected ${length}`);
  return output;
}

/**
 * @param {Uint8Array} input one block
 * @param {number} length of what it decompresses to
 * @returns {Uint8Array}
 */
export function decompressRaw(input, length) {
  const output = new Uint8Array(length);
  if (decompressBlock(input, output, 0) !== length) throw new Error("an LZ4 block of another length");
  return output;
}

/** @returns {number} where the output ends now; blocks may refer to those before them */
function decompressBlock(input, output, start) {
  let at = 0;
  let done = start;
  const extended = (nibble) => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) {
      if (at >= input.length) throw new Error("an LZ4 length ends early");
      byte = input[at++];
    }
    return length;
  };
  while (at < input.length) {
    const token = input[at++];
    const literals = extended(token >> 4);
    if (at + literals > input.length || done + literals > output.length) throw new Error("LZ4 literals reach too far");
    output.set(input.subarray(at, at + literals), done);
    at += literals;
    done += literals;
    if (at === input.length) return done; // the last sequence has no match
    if (at + 2 > input.length) throw new Error("an LZ4 match ends early");
    const distance = input[at] | (input[at + 1] << 8);
    at += 2;
    const length = extended(token & 15) + MIN_MATCH;
    if (distance === 0 || distance > done || done + length > output.length)
      throw new Error("an LZ4 match reaches too far");
    for (const end = done + length; done < end; done += 1) output[done] = output[done - distance];
  }
  throw new Error("an LZ4 block without literals at its end");
}
