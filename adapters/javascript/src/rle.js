// Parquet's hybrid of runs and packed bits, for levels and dictionary indices. hyparquet's own decoder believes the
// length of a run; this one is bounded by what it was asked for.

/**
 * @template {Uint8Array | Int32Array} T
 * @param {Uint8Array} bytes
 * @param {number} width bits of a value, at most 32
 * @param {T} out filled to its end
 * @returns {T}
 */
export function decodeRuns(bytes, width, out) {
  let at = 0;
  let done = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= bytes.length) throw new Error("runs end early");
      const byte = bytes[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("the length of a run is too large");
  };
  const size = Math.ceil(width / 8);
  const mask = 2 ** width - 1;
  while (done < out.length) {
    const header = varint();
    const count = Math.floor(header / 2);
    if (header % 2 === 0) {
      if (at + size > bytes.length) throw new Error("a run ends early");
      let value = 0;
      for (let i = 0; i < size; i += 1) value += bytes[at++] * 2 ** (8 * i);
      if (value > mask) throw new Error("a value is too wide");
      if (done + count > out.length) throw new Error("a run is too long");
      out.fill(value, done, done + count);
      done += count;
    } else {
      const last = Math.min(bytes.length, at + count * width);
      const wanted = Math.min(count * 8, out.length - done);
      if (Math.ceil((wanted * width) / 8) > last - at) throw new Error("packed bits end early");
      done = unpack(bytes, at, width, out, done, wanted);
      at = last;
    }
  }
  return out;
}

function unpack(bytes, start, width, out, first, count) {
  let at = start;
  let bits = 0;
  let have = 0;
  const mask = 2 ** width - 1;
  const scale = 2 ** width;
  for (let i = first; i < first + count; i += 1) {
    while (have < width) {
      bits += bytes[at++] * 2 ** have; // up to 39 bits: more than a bitwise operation takes
      have += 8;
    }
    out[i] = width < 24 ? bits & mask : bits % scale;
    bits = width < 24 ? bits >>> width : Math.floor(bits / scale);
    have -= width;
  }
  return first + count;
}
