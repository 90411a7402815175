// The checker: every requirement that a dataset breaks, under the conditions of SPEC.md section 14.3.

import { relative } from "node:path";
import { judgeColumns } from "./columns.js";
import { Alignment, UniformTail } from "./dataset-tests.js";
import { Breach } from "./errors.js";
import { File } from "./files.js";
import { equal, faultOf } from "./metadata.js";
import { judgeSemantics } from "./semantics.js";
import { dataFiles, metadataOf, openSource } from "./source.js";
import { judgeStructure } from "./structure.js";

const WARNINGS = new Set(["FILE-4", "COL-5", "QNT-5", "TAIL-3", "ALN-5", "ALN-6"]); // those at level SHOULD

/**
 * @typedef {object} Finding the first place at which a requirement is broken, and at how many it is
 * @property {string} requirement
 * @property {string} message
 * @property {number} count
 * @property {number} [row] @property {number} [token] @property {number} [entry]
 */

/**
 * @param {string} path a file or a folder
 * @param {import("./metadata.js").Metadata | null} [given] for files that have none
 * @returns {{isValid: boolean, findings: Finding[]}}
 * @throws {Unsupported} {Limit}
 */
export function check(path, given = null) {
  const { root, paths } = dataFiles(path);
  const dataset = new Dataset(root, given);
  for (const each of paths) dataset.checkFile(each);
  const findings = dataset.findings();
  return { isValid: findings.every(({ requirement }) => WARNINGS.has(requirement)), findings };
}

/**
 * What is wrong with rows that a writer is about to write.
 *
 * @param {Iterable<import("./columns.js").Batch>} batches
 * @param {import("./metadata.js").Metadata | null} metadata
 * @returns {Finding[]} those at level MUST
 */
export function checkRows(batches, metadata) {
  const dataset = new Dataset("", null);
  for (const batch of batches) dataset.checkBatch(batch, metadata, { name: "", first: 0 });
  return dataset.findings().filter(({ requirement }) => !WARNINGS.has(requirement));
}

class Dataset {
  /** @type {Map<string, Finding>} */
  #found = new Map();
  /** @type {{name: string, types: Record<string, string>, own: any, isComparable: boolean}[]} */
  #files = [];
  #tail = new UniformTail();
  #alignment = new Alignment();
  /** @type {number | null} the S of the first row */
  #stride = null;
  /** @type {Breach | null} TAIL-4, which depends on ROW-5 */
  #otherStride = null;

  constructor(root, given) {
    this.root = root;
    this.given = given;
  }

  /** @param {Breach} breach @param {string} name of the file */
  #add({ requirement, message, place }, name) {
    const known = this.#found.get(requirement);
    if (known !== undefined) known.count += 1;
    else this.#found.set(requirement, { requirement, message: `${name}: ${message}`, count: 1, ...place });
  }

  /** @param {string} path */
  checkFile(path) {
    const name = relative(this.root, path);
    const file = new File(path);
    try {
      this.#checkSource(openSource(file), name);
    } catch (error) {
      if (!(error instanceof Breach)) throw error;
      this.#add(error, name);
    } finally {
      file.close();
    }
  }

  #checkSource(source, name) {
    const { value, findings, own, isComparable } = metadataOf(source, this.root, this.given);
    for (const finding of findings) this.#add(finding, name);
    if (findings.some(({ requirement }) => requirement === "META-2")) return;
    if (value !== null && value.alignment !== "predicts")
      this.#add(new Breach("ALN-6", `the alignment is ${value.alignment}`), name);
    if (source.fields !== null) {
      const { findings: ofColumns, sound, types } = judgeColumns(source.fields);
      for (const finding of ofColumns) this.#add(finding, name);
      if (sound) this.#files.push({ name, types, own, isComparable });
    }
    let first = 0;
    for (const batch of source.batches()) {
      this.checkBatch(batch, value, { name, first });
      first += batch.rows;
    }
    if (source.hasBarePages) this.#add(new Breach("FILE-4", "a column chunk whose first page has no checksum"), name);
  }

  /** @param {{name: string, first: number}} place the file, and the number of the batch's first row in it */
  checkBatch(batch, metadata, { name, first }) {
    const report = (requirement, place, message) =>
      this.#add(new Breach(requirement, message, { ...place, row: first + place.row }), name);
    for (let row = 0; row < batch.rows; row += 1) {
      const extent = judgeStructure(batch, row, report);
      if (extent !== null) this.#checkRow(batch, extent, metadata, report);
    }
  }

  #checkRow(batch, extent, metadata, report) {
    const { row, stride } = extent;
    this.#stride ??= stride;
    if (stride !== this.#stride) report("ROW-5", { row }, `S is ${stride}, in the first row ${this.#stride}`);
    const declared = metadata?.tail.num_sampled ?? stride;
    if (declared !== stride)
      this.#otherStride ??= new Breach("TAIL-4", `S is ${stride}, declared is ${declared}`, { row });
    const isUniform = metadata?.tail.method === "uniform";
    const nuclei = [];
    const areIds = judgeSemantics(batch, extent, metadata, report, ({ topIndices, sampledIndices }, areSets) => {
      nuclei.push(topIndices);
      if (isUniform && areSets) this.#tail.add(topIndices, sampledIndices, metadata);
    });
    const ids = batch.columns.token_ids;
    if (ids !== undefined && areIds && metadata?.alignment !== "follows") {
      this.#alignment.add(ids.values.subarray(ids.offsets[row], ids.offsets[row + 1]), nuclei);
    }
  }

  /** FILE-2: files that differ from the first whose columns and metadata could be read. */
  #compareFiles() {
    const model = this.#files.find(({ isComparable }) => isComparable) ?? this.#files[0];
    for (const { name, types, own, isComparable } of this.#files) {
      if (!equal(model.types, types)) this.#add(new Breach("FILE-2", `other columns than ${model.name}`), name);
      else if (isComparable && model.isComparable && !equal(model.own, own))
        this.#add(new Breach("FILE-2", `other metadata than ${model.name}`), name);
    }
  }

  /** @returns {Finding[]} */
  findings() {
    this.#compareFiles();
    if (this.#otherStride !== null && !this.#found.has("ROW-5")) this.#add(this.#otherStride, this.root);
    if (!this.#found.has("FILE-2")) {
      for (const test of [this.#tail, this.#alignment]) {
        const finding = test.finding();
        if (finding !== null) this.#add(finding, this.root);
      }
    }
    return [...this.#found.values()];
  }
}

/**
 * Metadata that were given with a dataset.
 *
 * @param {any} value
 * @throws {Error} where they are not valid, unless their version is unknown, which is the dataset's fault
 */
export function judgeGiven(value) {
  const version = /^([0-9]+)\.[0-9]+$/.exec(value?.spec_version ?? "");
  const fault = version !== null && version[1] !== "1" ? null : faultOf(value);
  if (fault !== null) throw new Error(`the metadata that were given are not valid: ${fault}`);
}
