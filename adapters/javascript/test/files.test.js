import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { check } from "../src/index.js";
import {
  CONTAINERS,
  METADATA,
  STORED,
  WORKED,
  damage,
  inFolder,
  readRows,
  refusal,
  writeLines,
  writeRows,
} from "./helpers.js";

const IDS = { tokens: WORKED.tokens.map((token, i) => ({ ...token, token_id: [0, 2 ** 31 - 1][i] })) };

for (const container of Object.keys(CONTAINERS)) {
  test(
    `${container}: what is written is valid and is read back`,
    inFolder((folder) => {
      const metadata = container === "json" ? null : METADATA;
      const path = writeRows(folder, container, [WORKED, WORKED], metadata);
      const { isValid, findings } = check(path);
      assert.ok(isValid);
      assert.deepEqual(
        findings.map(({ requirement }) => requirement),
        container === "parquet" ? ["FILE-4"] : [],
      );
      const [row, again] = readRows(path);
      assert.deepEqual(again, row);
      for (const [i, token] of row.tokens.entries()) {
        const expected = WORKED.tokens[i];
        assert.equal(token.logsumexp, expected.logsumexp);
        for (const kind of ["top", "sampled"]) {
          assert.deepEqual(token[kind].indices, expected[kind].indices);
          token[kind].logits.forEach((logit, j) => assert.ok(Math.abs(logit - expected[kind].logits[j]) < 3e-5));
        }
      }
    }),
  );

  test(
    `${container}: token ids and no rows`,
    inFolder((folder) => {
      assert.deepEqual(
        readRows(writeRows(folder, container, [IDS]))[0].tokens.map((token) => token.token_id),
        [0, 2 ** 31 - 1],
      );
      const empty = writeRows(folder, container, []);
      assert.deepEqual(readRows(empty), []);
      assert.ok(check(empty).isValid);
    }),
  );

  test(
    `${container}: a file that was cut is no shorter file`,
    inFolder((folder) => {
      const whole = readFileSync(writeRows(folder, container, [WORKED, WORKED]));
      const path = join(folder, `cut.${CONTAINERS[container]}`);
      const lines = whole
        .toString("latin1")
        .split("\n")
        .reduce((ends, line) => [...ends, ends.at(-1) + line.length + 1], [0]);
      for (let end = 0; end < whole.length; end += container === "json" ? 7 : 3) {
        // A line is a row, and its line break may be missing.
        if (container === "json" && (lines.includes(end) || lines.includes(end + 1))) continue;
        writeFileSync(path, whole.subarray(0, end));
        const requirement = refusal(() => readRows(path));
        assert.ok(["FILE-1", "FILE-3", "JSON-1"].includes(requirement), `cut at ${end}: ${requirement}`);
        assert.equal(check(path).isValid, false, `cut at ${end}`);
      }
    }),
  );

  test(
    `${container}: a byte more is one too many`,
    inFolder((folder) => {
      const path = writeRows(folder, container, [WORKED]);
      damage(path, (bytes) => Buffer.concat([bytes, Buffer.of(0)]));
      assert.match(
        refusal(() => readRows(path)),
        /FILE-1|JSON-1/,
      );
    }),
  );
}

test(
  "the worked row is stored as SPEC.md has it",
  inFolder((folder) => {
    assert.deepEqual(JSON.parse(readFileSync(writeRows(folder, "json", [WORKED]), "utf8")), STORED);
  }),
);

test(
  "what cannot be stored is refused, and leaves nothing",
  inFolder((folder) => {
    const change = (edit) => {
      const row = structuredClone(WORKED);
      edit(row.tokens[1], row);
      return row;
    };
    for (const [requirement, edit] of [
      [
        "IDX-6",
        (token) => {
          token.top.indices[0] = 262144;
        },
      ],
      [
        "IDX-6",
        (token) => {
          token.sampled.indices[0] = -1;
        },
      ],
      [
        "QNT-6",
        (token) => {
          token.top.logits[0] = "NaN";
        },
      ],
      [
        "QNT-1",
        (token) => {
          token.top.logits[0] = 1e39;
        },
      ],
      [
        "LSE-1",
        (token) => {
          token.logsumexp = "Infinity";
        },
      ],
      [
        "ROW-3",
        (token) => {
          token.top.logits.pop();
        },
      ],
      [
        "ROW-4",
        (token) => {
          token.sampled = { indices: [1], logits: [1] };
        },
      ],
      [
        "ROW-1",
        (token, row) => {
          row.tokens = [];
        },
      ],
      [
        "NUC-2",
        (token) => {
          token.top.indices[1] = token.top.indices[0];
        },
      ],
      [
        "TAIL-2",
        (token) => {
          token.sampled.indices[1] = token.top.indices[0];
        },
      ],
      [
        "NUC-3",
        (token) => {
          token.sampled.logits[1] = 3.5;
        },
      ],
      [
        "LSE-2",
        (token) => {
          token.logsumexp = 4;
        },
      ],
      [
        "ALN-4",
        (token) => {
          token.token_id = 1;
        },
      ],
    ]) {
      assert.equal(
        refusal(() => writeRows(folder, "parquet", [WORKED, change(edit)])),
        requirement,
      );
      assert.deepEqual(readdirSync(folder), ["rows.ndjson"]);
    }
    assert.equal(
      refusal(() => writeRows(folder, "parquet", [WORKED], { ...METADATA, spec_version: "2.0" })),
      "META-2",
    );
    assert.equal(
      refusal(() => writeRows(folder, "parquet", [WORKED], { ...METADATA, vocab_size: 262143 })),
      "IDX-5",
    );
    assert.equal(
      refusal(() => writeRows(folder, "parquet", [WORKED], { ...METADATA, temperature: 0.7 })),
      "META-1",
    );
  }),
);

test(
  "a folder is read in the order of code points, without what is hidden",
  inFolder((folder) => {
    const data = join(folder, "data");
    mkdirSync(join(data, "_tmp"), { recursive: true });
    const names = ["\u{1f600}.arrow", "\uffee.arrow", "a-b.arrow", "a.arrow"];
    for (const [i, name] of [...names, "_tmp/x.arrow", ".y.arrow"].entries()) {
      const row = { tokens: WORKED.tokens.map((token) => ({ ...token, token_id: i })) };
      writeFileSync(join(data, name), readFileSync(writeRows(folder, "arrow-file", [row])));
    }
    assert.deepEqual(
      readRows(data).map((row) => row.tokens[0].token_id),
      [2, 3, 1, 0],
    );
    assert.ok(check(data).isValid);
  }),
);

test(
  "files that are none of the containers",
  inFolder((folder) => {
    assert.equal(
      refusal(() => readRows(writeLines(folder, "a.parquet", ["hello"]))),
      "FILE-1",
    );
    assert.equal(
      refusal(() => readRows(writeLines(folder, "a.ndjson", ["hello"]))),
      "JSON-1",
    );
    assert.deepEqual(readRows(writeLines(folder, "b.txt", [` ${JSON.stringify(STORED)}`])).length, 1);
  }),
);
