// Files, read by ranges, and what their first bytes tell (SPEC.md section 4.1).

import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const PIECE = 1 << 30; // what one call reads at most

/** A file that is open for reading. */
export class File {
  /** @param {string} path */
  constructor(path) {
    this.path = path;
    this.descriptor = openSync(path, "r");
    this.size = fstatSync(this.descriptor).size;
  }

  /**
   * Some bytes, in a buffer of their own. Fewer where the file ends before.
   *
   * @param {number} start @param {number} end
   */
  read(start, end) {
    const bytes = new Uint8Array(Math.max(0, Math.min(end, this.size) - start));
    for (let done = 0; done < bytes.length;) {
      const got = readSync(this.descriptor, bytes, done, Math.min(PIECE, bytes.length - done), start + done);
      if (got === 0) return bytes.slice(0, done);
      done += got;
    }
    return bytes;
  }

  close() {
    closeSync(this.descriptor);
  }
}

/** @param {Uint8Array} bytes @param {string} ascii @param {number} [at] */
export function hasText(bytes, ascii, at = 0) {
  return Buffer.from(bytes.subarray(Math.max(at, 0), at + ascii.length)).toString("latin1") === ascii && at >= 0;
}
