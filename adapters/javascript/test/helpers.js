// Rows and files for the tests.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { read, write } from "../src/index.js";
import { logicalLines } from "../src/logical.js";

export const CONTAINERS = { parquet: "parquet", "arrow-file": "arrow", "arrow-stream": "arrows", json: "ndjson" };

/** The worked row of SPEC.md, appendix A: what it means, and what is stored. */
export const WORKED = {
  tokens: [
    {
      logsumexp: 10.25,
      top: { indices: [5, 65541, 131077], logits: [10, 8.25, 7] },
      sampled: { indices: [12, 262142], logits: [-1.25, 2] },
    },
    {
      logsumexp: 4.5,
      top: { indices: [262143, 7], logits: [4, 3] },
      sampled: { indices: [65535, 65536], logits: [-2, -2] },
    },
  ],
};
export const STORED = {
  num_tokens: 2,
  top_counts: [3, 2],
  top_indices_low: [5, 5, 5, 65535, 7],
  top_indices_high: "5AA=",
  top_logits_quantized: [65535, 27306, 0, 65535, 0],
  top_min: [7, 3],
  top_max: [10, 4],
  sampled_indices_low: [12, 65534, 65535, 0],
  sampled_indices_high: "TA==",
  sampled_logits_quantized: [0, 65535, 0, 0],
  sampled_min: [-1.25, -2],
  sampled_max: [2, -2],
  logsumexp: [10.25, 4.5],
};
export const METADATA = {
  spec_version: "1.0",
  model: { id: "teacher" },
  tokenizer: { id: "teacher" },
  vocab_size: 262144,
  nucleus: { rule: "unspecified" },
  tail: { num_sampled: 2, method: "unspecified" },
  alignment: "predicts",
};

/** Runs a test with a folder of its own. */
export function inFolder(body) {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "logitpack-"));
    try {
      await body(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

/** @param {any[]} rows written as lines of JSON @returns {string} their path */
export function writeLines(folder, name, rows) {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join(""));
  return path;
}

/** @returns {string} the path of the rows in a container */
export function writeRows(folder, container, rows, metadata = null) {
  const output = join(folder, `out.${CONTAINERS[container]}`);
  write(writeLines(folder, "rows.ndjson", rows), output, container, metadata && JSON.stringify(metadata));
  return output;
}

/** @returns {any[]} logical rows */
export function readRows(path) {
  return [...read(path)].flatMap((batch) => [...logicalLines(batch)].map((line) => JSON.parse(line)));
}

/** @returns {string} the requirement that a call is refused for */
export function refusal(call) {
  try {
    call();
  } catch (error) {
    return error.requirement ?? `${error.name}: ${error.message}`;
  }
  return "none";
}

/** Some bytes of a file, changed. */
export function damage(path, change) {
  const bytes = readFileSync(path);
  writeFileSync(path, change(bytes));
}
