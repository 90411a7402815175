// How many tokens a second are decoded, whole: every index, logit and logsumexp, every structural requirement judged.
//
//     node bench/decode.js FILE_OR_FOLDER

import { read } from "../src/index.js";

const [path] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: node bench/decode.js FILE_OR_FOLDER");
  process.exit(2);
}
const start = process.hrtime.bigint();
let tokens = 0;
let entries = 0;
for (const batch of read(path)) {
  tokens += batch.tokens[batch.rows];
  entries += batch.top.indices.length + batch.sampled.indices.length;
}
const wall = Number(process.hrtime.bigint() - start) / 1e9;
const { user, system } = process.cpuUsage(); // of the whole process, its start included
const cpu = (user + system) / 1e6;
const rate = (seconds) => Math.round(tokens / seconds).toLocaleString("en");
console.log(`${tokens.toLocaleString("en")} tokens, ${entries.toLocaleString("en")} entries`);
console.log(`wall ${wall.toFixed(2)} s: ${rate(wall)} tokens/s`);
console.log(
  `CPU  ${cpu.toFixed(2)} s: ${rate(cpu)} tokens/s (user ${(user / 1e6).toFixed(2)}, system ${(system / 1e6).toFixed(2)})`,
);
