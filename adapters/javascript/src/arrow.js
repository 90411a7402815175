// Arrow IPC, files and streams, read through apache-arrow.

import { Message, MessageHeader } from "apache-arrow";
import { Message as RawMessage } from "apache-arrow/fb/message";
import { RecordBatch as RawBatch } from "apache-arrow/fb/record-batch";
import { CompressedVectorLoader, VectorLoader } from "apache-arrow/visitor/vectorloader";
import { ByteBuffer } from "flatbuffers";
import { ZSTDDecoder } from "zstddec";
import { openFile, openStream } from "./arrow-messages.js";
import { columnOf, judgeData } from "./arrow-data.js";
import { COLUMNS, judgeColumns } from "./columns.js";
import { Limit, Unsupported, judgeClaim, wellFormed } from "./errors.js";
import { decompressFrame } from "./lz4.js";

const zstd = new ZSTDDecoder();
await zstd.init();
const CODECS = [decompressFrame, (input, length) => zstd.decode(input, length)]; // by CompressionType

/** An Arrow IPC file or stream whose schema has been read. */
export class ArrowFile {
  /** IPC has no checksums. */
  hasBarePages = false;

  /**
   * @param {import("./files.js").File} file
   * @param {"arrow-file" | "arrow-stream"} container
   * @throws {Breach} FILE-1
   */
  constructor(file, container) {
    this.file = file;
    this.container = container;
    this.frames = container === "arrow-file" ? openFile(file) : openStream(file);
    this.fields = this.frames.schema.fields;
    /** @type {Uint8Array | null} the embedded metadata */
    this.metadata = this.frames.schema.metadata;
  }

  /**
   * The record batches; none where the columns are not sound.
   *
   * @yields {import("./columns.js").Batch}
   * @throws {Breach} FILE-1 or FILE-3, at the first that cannot be read; {Unsupported}
   */
  *batches() {
    const { schema, decodeSchema, rest } = this.frames;
    if (schema.beyond !== null) throw new Unsupported(schema.beyond);
    if (!schema.isNative) throw new Limit("big-endian data");
    const { sound } = judgeColumns(this.fields);
    const { fields, metadataVersion } = wellFormed("the schema", decodeSchema);
    for (const frame of rest()) {
      if (frame.type !== MessageHeader.RecordBatch) continue; // dictionaries are for other columns
      const batch = wellFormed("a record batch", () => this.#readBatch(frame, fields, metadataVersion, sound));
      if (sound) yield batch;
    }
  }

  #readBatch({ metadata, bodyStart, end }, fields, version, decode) {
    const raw = RawMessage.getRootAsMessage(new ByteBuffer(metadata)).header(new RawBatch());
    const claimed = raw.nodesLength() + raw.buffersLength() + raw.variadicBufferCountsLength();
    if (!(claimed >= 0 && claimed * 8 <= metadata.length))
      throw new Error("a batch of more arrays than it has room for");
    const header = Message.decode(metadata).header();
    const body = this.file.read(bodyStart, end);
    if (
      header.length < 0 ||
      header.nodes.some(({ length, nullCount }) => length < 0 || nullCount < 0 || nullCount > length)
    ) {
      throw new Error("an array of negative length, or of more nulls than elements");
    }
    if (header.buffers.some(({ offset, length }) => offset < 0 || length < 0 || offset + length > body.length)) {
      throw new Error("a buffer reaches beyond its batch");
    }
    const Loader = header.compression === null ? VectorLoader : CompressedVectorLoader;
    const bytes = header.compression === null ? body : decompress(header, body);
    const { nodes, buffers, variadicBufferCounts } = header;
    const loader = new Loader(bytes, nodes, buffers, new Map(), version, variadicBufferCounts);
    const arrays = loader.visitMany(fields);
    if (loader.nodesIndex + 1 !== nodes.length || loader.buffersIndex + 1 !== buffers.length)
      throw new Error("a batch of more arrays than its schema");
    if (arrays.some((data) => data.length !== header.length))
      throw new Error("columns of another number of rows than their batch");
    arrays.forEach(judgeData); // all of them, before anything of their size is made
    const columns = {};
    arrays.forEach((data, i) => {
      const { name, type } = this.fields[i];
      if (decode && Object.hasOwn(COLUMNS, name)) columns[name] = columnOf(data, COLUMNS[name], type);
    });
    return { rows: header.length, columns };
  }
}

/** The buffers of a compressed batch: each begins with its length, which is -1 where it is not compressed. */
function decompress({ compression, buffers }, body) {
  const codec = CODECS[compression.type];
  if (codec === undefined) throw new Limit("an unknown codec");
  return buffers.map(({ offset, length }) => {
    if (length === 0) return new Uint8Array(0);
    const claimed = new DataView(body.buffer, offset, length).getBigInt64(0, true);
    const rest = body.slice(offset + 8, offset + length);
    if (claimed === -1n) return rest;
    judgeClaim(claimed, rest.length);
    const bytes = claimed === 0n ? new Uint8Array(0) : codec(rest, Number(claimed));
    if (BigInt(bytes.length) !== claimed) throw new Error("a buffer does not decompress to its length");
    return bytes;
  });
}
