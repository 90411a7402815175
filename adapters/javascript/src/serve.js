// The adapter protocol: one JSON object a line on standard input, one on standard output.

import { closeSync, openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { check, judgeGiven } from "./check.js";
import { read } from "./decode.js";
import { Breach, Unsupported } from "./errors.js";
import { parse } from "./json.js";
import { logicalLines } from "./logical.js";
import { plain, stringify } from "./metadata.js";
import { write } from "./write.js";

const HELLO = {
  protocol: 1,
  spec: ["1.0"],
  name: "logitpack-javascript",
  version: "0.1.0",
  language: "javascript",
  roles: ["reader", "checker", "writer"],
  containers: ["parquet", "arrow-file", "arrow-stream", "json"],
  features: [
    "zstd",
    "snappy",
    "gzip",
    "lz4",
    "brotli",
    "arrow_zstd",
    "arrow_lz4",
    "byte_stream_split",
    "dictionary",
    "delta",
    "data_page_v2",
    "wide_integers",
    "float16",
    "float64",
    "large_list",
    "fixed_size_list",
    "large_binary",
    "binary_view",
    "legacy_stream",
    "nested_columns",
    "dataset",
    "token_ids",
    "sidecar",
  ],
};

/** @type {Record<string, (request: any) => object>} */
const COMMANDS = {
  hello: () => HELLO,
  read({ input, output }) {
    const file = openSync(output, "w");
    try {
      for (const batch of read(input)) {
        for (const line of logicalLines(batch)) writeSync(file, line);
      }
    } finally {
      closeSync(file);
    }
    return { outcome: "accepted" };
  },
  write({ input, output, container, metadata }) {
    write(input, output, container, metadata === null ? null : stringify(metadata));
    return { outcome: "accepted" };
  },
  check({ input, metadata }) {
    if (metadata !== null) judgeGiven(metadata);
    const { isValid, findings } = check(input, metadata);
    const said = findings.map(({ count, message, ...finding }) => ({ ...finding, message: message.slice(0, 1000) }));
    return { outcome: isValid ? "accepted" : "rejected", findings: said };
  },
};

/**
 * @param {any} request
 * @returns {object} the response, without seq
 */
export function answer(request) {
  try {
    if (!Object.hasOwn(COMMANDS, request.cmd)) throw new Error(`no command ${request.cmd}`);
    return COMMANDS[request.cmd](request);
  } catch (error) {
    const message = String(error.message).slice(0, 1000);
    if (error instanceof Breach) return { outcome: "rejected", requirement: error.requirement, message };
    if (error instanceof Unsupported) return { outcome: "unsupported", feature: error.feature, message };
    return { outcome: "error", message };
  }
}

/** Answers until the input ends. */
export async function serve() {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = plain(parse(line)); // without loss, for the sake of metadata
    process.stdout.write(`${JSON.stringify({ seq: request.seq, ...answer(request) })}\n`);
  }
}
