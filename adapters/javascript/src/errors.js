// Three kinds of trouble, told apart by who is at fault: the file, this program, or the caller.

/** A requirement of SPEC.md that a file breaks, or why rows are refused. */
export class Breach extends Error {
  /**
   * @param {string} requirement its id
   * @param {string} message
   * @param {{row?: number, token?: number, entry?: number}} [place] counted from 0, within the file
   */
  constructor(requirement, message, place = {}) {
    super(message);
    this.name = "Breach";
    this.requirement = requirement;
    this.place = place;
  }
}

/** Something a valid file may have and this implementation has not. */
export class Unsupported extends Error {
  /** @param {string} feature a name of the protocol's list */
  constructor(feature) {
    super(`no support for ${feature}`);
    this.name = "Unsupported";
    this.feature = feature;
  }
}

/** A limit of this implementation, or a wrong call. The file may be valid. */
export class Limit extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "Limit";
  }
}

/**
 * What `attempt` returns. Libraries meet a damaged file with errors of any kind: they become FILE-1.
 *
 * @template T
 * @param {string} what for the message
 * @param {() => T} attempt
 * @returns {T}
 */
export function wellFormed(what, attempt) {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Breach || error instanceof Unsupported || error instanceof Limit) throw error;
    throw new Breach("FILE-1", `${what}: ${error.message}`);
  }
}

const MAX_CLAIM = 1 << 29;
const MAX_RATIO = 1 << 16; // more than zstd, LZ4, gzip or snappy reach
const RATIO_SLACK = 1 << 24;

/**
 * Judges how large compressed bytes claim to be, before anything is allocated for them.
 *
 * @param {number | bigint} claimed @param {number} compressed bytes
 * @throws {Error} where no codec could do that; {Limit} where it is merely too much
 */
export function judgeClaim(claimed, compressed) {
  if (claimed < 0 || claimed > compressed * MAX_RATIO + RATIO_SLACK)
    throw new Error(`${compressed} bytes claim to hold ${claimed}`);
  if (claimed > MAX_CLAIM) throw new Limit(`compressed bytes claim to hold ${claimed}, more than ${MAX_CLAIM}`);
}
