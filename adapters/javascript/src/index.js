// Reads LogitPack datasets: the library behind the adapter.

export { decode, read } from "./decode.js";
export { Breach, Limit, Unsupported } from "./errors.js";
