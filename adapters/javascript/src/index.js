// Reads, checks and writes LogitPack datasets: the library behind the adapter.

export { check } from "./check.js";
export { decode, read } from "./decode.js";
export { Breach, Limit, Unsupported } from "./errors.js";
export { write } from "./write.js";
