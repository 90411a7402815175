// Files and datasets: which container a file is, which files a folder has, and which metadata are in force.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ArrowFile } from "./arrow.js";
import { isLegacyStream } from "./arrow-messages.js";
import { Breach } from "./errors.js";
import { File, hasText } from "./files.js";
import { equal, judgeMetadata } from "./metadata.js";
import { ParquetFile } from "./parquet.js";
import { jsonBatches } from "./stored-json.js";

/** A file of stored JSON: no schema, no metadata. */
class JsonFile {
  container = "json";
  fields = null;
  metadata = null;
  hasBarePages = false;

  /** @param {File} file */
  constructor(file) {
    this.file = file;
  }

  batches() {
    return jsonBatches(this.file.read(0, this.file.size));
  }
}

/** @typedef {ParquetFile | ArrowFile | JsonFile} Source */

/**
 * Opens a file by its first bytes (section 4.1).
 *
 * @param {File} file
 * @returns {Source}
 * @throws {Breach} FILE-1
 */
export function openSource(file) {
  const head = file.read(0, 8);
  if (hasText(head, "PAR1")) return new ParquetFile(file);
  if (hasText(head, "ARROW1")) return new ArrowFile(file, "arrow-file");
  if (hasText(head, "\xff\xff\xff\xff") || isLegacyStream(file)) return new ArrowFile(file, "arrow-stream");
  if (beginsAsJson(file) || /\.(ndjson|jsonl)$/.test(file.path)) return new JsonFile(file);
  throw new Breach("FILE-1", "the first bytes are those of no container");
}

function beginsAsJson(file) {
  for (let at = 0; at < file.size; at += 4096) {
    const first = file.read(at, at + 4096).find((byte) => !" \t\r\n".includes(String.fromCharCode(byte)));
    if (first !== undefined) return first === 0x7b;
  }
  return false;
}

/**
 * The data files of a dataset in their order (section 4.2), and its root.
 *
 * @param {string} path a file or a folder
 * @returns {{root: string, paths: string[]}}
 */
export function dataFiles(path) {
  if (!statSync(path).isDirectory()) return { root: dirname(path), paths: [path] };
  const found = [];
  const walk = (folder, parts) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (/^[._]/.test(entry.name)) continue;
      const whole = join(folder, entry.name);
      const type = entry.isSymbolicLink() ? statSync(whole, { throwIfNoEntry: false }) : entry;
      if (type?.isDirectory() && !entry.isSymbolicLink()) walk(whole, [...parts, entry.name]);
      else if (type?.isFile() && /\.(parquet|arrows?)$/.test(entry.name)) found.push([...parts, entry.name].join("/"));
    }
  };
  walk(path, []);
  // UTF-8 sorts by code points, which UTF-16 does not.
  found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { root: path, paths: found.map((name) => join(path, ...name.split("/"))) };
}

/**
 * @typedef {object} InForce the metadata of one file
 * @property {import("./metadata.js").Metadata | null} value those in force
 * @property {Breach[]} findings META-1, META-7 and FILE-2; or META-2, alone
 * @property {import("./metadata.js").Metadata | null} own what the file is compared by (FILE-2)
 * @property {boolean} isComparable not where some of its metadata are not valid
 */

/**
 * The metadata in force for a file (section 13).
 *
 * @param {Source} source
 * @param {string} root of the dataset
 * @param {import("./metadata.js").Metadata | null} given for files that have none
 * @returns {InForce}
 */
export function metadataOf(source, root, given) {
  const embedded = source.metadata === null ? null : judgeMetadata(source.metadata);
  const beside = source.container === "json" ? [] : firstBeside(sidecars(source.file.path, root));
  const findings = [embedded, ...beside].flatMap((judged) => (isBroken(judged) ? [judged.finding] : []));
  const [first, second] = [embedded, beside.at(-1) ?? null].filter((judged) => judged !== null && !isBroken(judged));
  const alone = (finding) => ({ value: null, findings: [finding], own: null, isComparable: false });
  if (first === undefined) {
    const version = given?.spec_version ?? "1.0";
    if (!version.startsWith("1.")) return alone(new Breach("META-2", `version ${version} is unknown`));
    return { value: given, findings, own: null, isComparable: findings.length === 0 };
  }
  if (first.value === null) return alone(first.finding);
  if (second !== undefined && !equal(first.value, second.value)) {
    findings.push(new Breach("FILE-2", "the embedded metadata are not those of logitpack.json"));
  }
  return { value: first.value, findings, own: first.value, isComparable: true };
}

/** Whether an object counts as absent. One of an unknown major version does not. */
const isBroken = (judged) => judged !== null && judged.finding !== null && judged.finding.requirement !== "META-2";

/** The objects beside the data up to the first that counts. */
function firstBeside(objects) {
  const judged = [];
  for (const bytes of objects) {
    judged.push(judgeMetadata(bytes));
    if (!isBroken(judged.at(-1))) break;
  }
  return judged;
}

function* sidecars(path, root) {
  for (const folder of new Set([dirname(path), root])) {
    const beside = join(folder, "logitpack.json");
    if (statSync(beside, { throwIfNoEntry: false })?.isFile()) yield readFileSync(beside);
  }
}
