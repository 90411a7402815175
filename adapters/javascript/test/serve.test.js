import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { STORED, WORKED, inFolder, writeLines } from "./helpers.js";

const ADAPTER = fileURLToPath(new URL("../adapter.js", import.meta.url));

/** What the adapter answers to some requests, started in another folder. */
function talk(folder, requests) {
  const input = requests.map((request, seq) => `${JSON.stringify({ seq, ...request })}\n`).join("");
  const { status, stdout, stderr } = spawnSync(process.execPath, [ADAPTER], { cwd: folder, input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test(
  "a session: one answer for each request, in their order",
  inFolder((folder) => {
    const rows = writeLines(folder, "rows.ndjson", [WORKED]);
    const stored = writeLines(folder, "stored.ndjson", [STORED]);
    const broken = writeLines(folder, "broken.ndjson", [{ ...STORED, num_tokens: 3 }]);
    const output = join(folder, "out");
    const answers = talk(folder, [
      { cmd: "hello", protocol: 1, spec: ["1.0"] },
      { cmd: "read", container: "json", input: stored, output },
      { cmd: "read", container: "json", input: broken, output },
      { cmd: "check", container: "json", input: broken, metadata: null },
      { cmd: "write", container: "parquet", input: rows, output: `${output}.parquet`, metadata: null },
      { cmd: "check", container: "parquet", input: `${output}.parquet`, metadata: null },
      { cmd: "read", container: "json", input: join(folder, "missing"), output },
      { cmd: "extract" },
    ]);
    assert.deepEqual(
      answers.map(({ seq }) => seq),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(answers[0].roles, ["reader", "checker", "writer"]);
    assert.deepEqual(
      answers.slice(1).map(({ outcome }) => outcome),
      ["accepted", "rejected", "rejected", "accepted", "accepted", "error", "error"],
    );
    assert.deepEqual(
      answers[3].findings.map(({ requirement }) => requirement),
      ["ROW-2"],
    );
    assert.equal(JSON.parse(readFileSync(output, "utf8") || "{}").tokens?.length ?? 0, 0); // the last read left no row
  }),
);

test(
  "metadata are written without loss",
  inFolder((folder) => {
    const rows = writeLines(folder, "rows.ndjson", [WORKED]);
    const output = join(folder, "out.arrows");
    const input =
      `{"seq": 0, "cmd": "write", "container": "arrow-stream", "input": ${JSON.stringify(rows)}, "output": ${JSON.stringify(output)}, "metadata": ` +
      '{"spec_version": "1.0", "model": {"id": "é"}, "tokenizer": {"id": "t"}, "vocab_size": 262144, "nucleus": {"rule": "unspecified"}, ' +
      '"tail": {"num_sampled": 2, "method": "uniform", "seed": 9007199254740993}, "alignment": "predicts", "__proto__": {"x": 1}}}\n';
    spawnSync(process.execPath, [ADAPTER], { cwd: folder, input });
    const text = readFileSync(output, "utf8");
    assert.match(text, /"seed":9007199254740993/);
    assert.match(text, /"__proto__":\{"x":1\}/);
  }),
);
