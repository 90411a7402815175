import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { check } from "../src/index.js";
import { METADATA, STORED, WORKED, inFolder, writeLines, writeRows } from "./helpers.js";

const ids = ({ findings }) => findings.map(({ requirement }) => requirement).sort();

/** The ids that a change of the worked row breaks. */
function broken(folder, edit, metadata = null) {
  const row = structuredClone(STORED);
  const line = edit(row);
  return ids(check(writeLines(folder, "in.ndjson", [STORED, line ?? row]), metadata));
}

const FAULTS = {
  "COL-1": (row) => {
    delete row.top_max;
  },
  "COL-2": (row) => {
    row.num_tokens = "2";
  },
  "COL-3": (row) => {
    row.logsumexp[1] = null;
  },
  "JSON-1": () => "{",
  "JSON-2": (row) => {
    row.top_indices_high = "5AB=";
  },
  "ROW-1": (row) => {
    row.num_tokens = 0;
  },
  "ROW-2": (row) => {
    row.top_min.pop();
  },
  "ROW-3": (row) => {
    row.top_logits_quantized.pop();
  },
  "ROW-4": (row) => {
    row.sampled_indices_low.pop();
  },
  "NUC-1": (row) => {
    row.top_counts[0] = 256;
  },
  "IDX-1": (row) => {
    row.top_indices_low[0] = 65536;
  },
  "IDX-3": (row) => {
    row.sampled_indices_high = "TAA=";
  },
  "QNT-8": (row) => {
    row.sampled_logits_quantized[0] = -1;
  },
  "QNT-1": (row) => {
    row.top_min[0] = "NaN";
  },
  "LSE-1": (row) => {
    row.logsumexp[0] = "Infinity";
  },
  "IDX-4": (row) => {
    row.top_indices_high = "5AQ=";
  },
  "QNT-4": (row) => {
    row.sampled_logits_quantized[3] = 1;
  },
  "QNT-5": (row) => {
    row.top_logits_quantized[3] = 65534;
  },
  "NUC-2": (row) => {
    row.top_indices_low[4] = 65535;
    row.top_indices_high = "5AM=";
  },
  "NUC-3": (row) => {
    row.sampled_max[0] = 7.5;
  },
  "TAIL-1": (row) => {
    row.sampled_indices_low[3] = 65535;
    row.sampled_indices_high = "DA==";
  },
  "TAIL-2": (row) => {
    row.sampled_indices_low[2] = 7;
  },
  "LSE-2": (row) => {
    row.logsumexp[1] = 4;
  },
};

for (const [requirement, edit] of Object.entries(FAULTS)) {
  test(
    `${requirement} is found, and nothing that follows from it`,
    inFolder((folder) => {
      assert.deepEqual(broken(folder, edit), [requirement]);
    }),
  );
}

test(
  "the worked row breaks nothing, with and without metadata",
  inFolder((folder) => {
    assert.deepEqual(
      broken(folder, () => {}),
      [],
    );
    assert.deepEqual(
      broken(folder, () => {}, METADATA),
      [],
    );
  }),
);

const CLAIMS = {
  "IDX-5": { vocab_size: 262143 },
  "TAIL-4": { tail: { num_sampled: 3, method: "unspecified" } },
  "ALN-6": { alignment: "follows" },
  "NUC-8": { nucleus: { rule: "unspecified", max_entries: 2 } },
  "NUC-4": { nucleus: { rule: "covering", top_p: 0.999, max_entries: 100 } },
  "NUC-5": { nucleus: { rule: "covering", top_p: 0.5, max_entries: 100 } },
  "NUC-6": { nucleus: { rule: "below", top_p: 0.5, max_entries: 100 } },
};

for (const [requirement, members] of Object.entries(CLAIMS)) {
  test(
    `${requirement}: a claim that the rows do not meet`,
    inFolder((folder) => {
      assert.deepEqual(
        broken(folder, () => {}, { ...METADATA, ...members }),
        [requirement],
      );
    }),
  );
}

test(
  "ROW-5 in the place of TAIL-4",
  inFolder((folder) => {
    const shorter = {
      ...STORED,
      sampled_indices_low: [1, 1],
      sampled_indices_high: "AA==",
      sampled_logits_quantized: [0, 0],
      sampled_min: [1, 1],
      sampled_max: [1, 1],
    };
    assert.deepEqual(ids(check(writeLines(folder, "a.ndjson", [STORED, shorter]), METADATA)), ["ROW-5"]);
    assert.deepEqual(ids(check(writeLines(folder, "b.ndjson", [shorter]), METADATA)), ["TAIL-4"]);
  }),
);

test(
  "lines after a broken one are not judged, those before it are",
  inFolder((folder) => {
    const fault = { ...STORED, num_tokens: 0 };
    assert.deepEqual(ids(check(writeLines(folder, "a.ndjson", [fault, "{"]))), ["JSON-1", "ROW-1"]);
    assert.deepEqual(ids(check(writeLines(folder, "b.ndjson", ["{", fault]))), ["JSON-1"]);
  }),
);

test(
  "of one line only the first of JSON-1, COL-1, COL-2 and JSON-2",
  inFolder((folder) => {
    const { top_min: _, ...without } = STORED;
    const fault = { num_tokens: "2", top_indices_high: "x" };
    assert.deepEqual(ids(check(writeLines(folder, "a.ndjson", [{ ...without, ...fault }]))), ["COL-1"]);
    assert.deepEqual(ids(check(writeLines(folder, "b.ndjson", [STORED, { ...STORED, ...fault, token_ids: [1, 2] }]))), [
      "COL-1",
    ]);
    assert.deepEqual(ids(check(writeLines(folder, "c.ndjson", [{ ...STORED, ...fault }]))), ["COL-2"]);
    assert.deepEqual(
      ids(check(writeLines(folder, "d.ndjson", [{ ...STORED, num_tokens: null, top_indices_high: "x" }]))),
      ["JSON-2"],
    );
  }),
);

test(
  "metadata: what is embedded comes before what stands beside",
  inFolder((folder) => {
    const path = writeRows(folder, "arrow-stream", [WORKED], METADATA);
    const beside = (value) =>
      writeFileSync(join(folder, "logitpack.json"), typeof value === "string" ? value : JSON.stringify(value));
    beside({ ...METADATA, vocab_size: 262144.0 });
    assert.deepEqual(ids(check(path)), []);
    beside({ ...METADATA, model: { id: "other" } });
    assert.deepEqual(ids(check(path)), ["FILE-2"]);
    beside("{");
    assert.deepEqual(ids(check(path)), ["META-1"]);
    const core = writeRows(folder, "arrow-file", [WORKED]);
    beside({ ...METADATA, spec_version: "2.0", vocab_size: "many" });
    assert.deepEqual(ids(check(core)), ["META-2"]);
    beside({ ...METADATA, spec_version: "1.7" });
    assert.deepEqual(ids(check(core)), []);
    beside(JSON.stringify(METADATA).padEnd(1_048_577));
    assert.deepEqual(ids(check(core)), ["META-7"]);
  }),
);

/** Rows of one token, the tails of which a function draws. */
const drawn = (tail) =>
  Array.from({ length: 4000 }, (_, i) => ({
    ...STORED,
    num_tokens: 1,
    top_counts: [1],
    top_indices_low: [1000],
    top_indices_high: "AA==",
    top_logits_quantized: [0],
    top_min: [3],
    top_max: [3],
    sampled_indices_low: tail(i),
    sampled_indices_high: "AA==",
    sampled_logits_quantized: [0, 0],
    sampled_min: [0],
    sampled_max: [0],
    logsumexp: [8],
  }));

test(
  "TAIL-3: tails that crowd",
  inFolder((folder) => {
    const uniform = { ...METADATA, vocab_size: 1001, tail: { num_sampled: 2, method: "uniform" } };
    assert.deepEqual(
      ids(
        check(
          writeLines(
            folder,
            "a.ndjson",
            drawn((i) => [i % 1000, (i + 500) % 1000]),
          ),
          uniform,
        ),
      ),
      [],
    );
    assert.deepEqual(
      ids(
        check(
          writeLines(
            folder,
            "b.ndjson",
            drawn((i) => [i % 900, (i + 450) % 900]),
          ),
          uniform,
        ),
      ),
      ["TAIL-3"],
    );
  }),
);

test(
  "ALN-5: tokens that are found in their neighbours' nuclei",
  inFolder((folder) => {
    const n = 101;
    const row = (shift) => ({
      num_tokens: n,
      top_counts: Array(n).fill(1),
      top_indices_low: Array.from({ length: n }, (_, i) => i),
      top_indices_high: Buffer.alloc(26).toString("base64"),
      top_logits_quantized: Array(n).fill(0),
      top_min: Array(n).fill(3),
      top_max: Array(n).fill(3),
      sampled_indices_low: Array(n).fill(500),
      sampled_indices_high: Buffer.alloc(26).toString("base64"),
      sampled_logits_quantized: Array(n).fill(0),
      sampled_min: Array(n).fill(0),
      sampled_max: Array(n).fill(0),
      logsumexp: Array(n).fill(4),
      token_ids: Array.from({ length: n }, (_, i) => i + shift),
    });
    assert.deepEqual(ids(check(writeLines(folder, "a.ndjson", [row(0)]))), []);
    assert.deepEqual(ids(check(writeLines(folder, "b.ndjson", [row(1)]))), ["ALN-5"]);
  }),
);
