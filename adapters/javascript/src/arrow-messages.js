// How Arrow IPC files and streams are cut into messages. apache-arrow reads a stream that was cut between two of them
// without complaint, so that the frames are looked at here.

import { Message as ArrowMessage } from "apache-arrow";
import { Footer } from "apache-arrow/fb/footer";
import { Message } from "apache-arrow/fb/message";
import { MessageHeader } from "apache-arrow/fb/message-header";
import { MetadataVersion } from "apache-arrow/fb/metadata-version";
import { RecordBatch } from "apache-arrow/fb/record-batch";
import { Schema } from "apache-arrow/fb/schema";
import { Footer as ArrowFooter } from "apache-arrow/ipc/metadata/file";
import { ByteBuffer } from "flatbuffers";
import { readSchema } from "./arrow-schema.js";
import { Breach, Limit, wellFormed } from "./errors.js";
import { hasText } from "./files.js";

const MAGIC = "ARROW1";
const CONTINUATION = 0xffffffff;
const MAX_METADATA = 1 << 28;
const TYPES = [MessageHeader.Schema, MessageHeader.DictionaryBatch, MessageHeader.RecordBatch];

/**
 * @typedef {object} Frame
 * @property {number} type of MessageHeader
 * @property {Uint8Array} metadata the flatbuffer
 * @property {number} bodyStart
 * @property {number} end
 *
 * @typedef {object} Frames
 * @property {import("./arrow-schema.js").ArrowSchema} schema
 * @property {() => import("apache-arrow").Schema} decodeSchema as apache-arrow has it
 * @property {() => Generator<Frame>} rest those after the schema; it throws where the file breaks off
 */

/**
 * One message.
 *
 * @param {import("./files.js").File} file
 * @param {number} start @param {number} limit where the last message has to end
 * @param {boolean} isLegacy without continuation indicators
 * @returns {Frame}
 */
export function readFrame(file, start, limit, isLegacy) {
  const prefix = isLegacy ? 4 : 8;
  const head = file.read(start, start + prefix);
  if (head.length < prefix) throw new Error("a message ends in its length");
  const view = new DataView(head.buffer);
  if (!isLegacy && view.getUint32(0, true) !== CONTINUATION)
    throw new Error("a message without continuation indicator");
  const length = view.getInt32(prefix - 4, true);
  const bodyStart = start + prefix + length;
  if (length < 8 || bodyStart > limit) throw new Error(`a message claims ${length} bytes`);
  if (length > MAX_METADATA) throw new Limit(`a message of ${length} bytes, more than ${MAX_METADATA}`);
  const metadata = file.read(start + prefix, bodyStart);
  const message = Message.getRootAsMessage(new ByteBuffer(metadata));
  const type = message.headerType();
  const body = message.bodyLength();
  if (!TYPES.includes(type) || message.header(new RecordBatch()) === null)
    throw new Error("a message without a header");
  if (message.version() !== MetadataVersion.V4 && message.version() !== MetadataVersion.V5)
    throw new Error("a message of an unknown version");
  if (body < 0n || BigInt(bodyStart) + body > BigInt(limit))
    throw new Error(`the body of a message claims ${body} bytes`);
  return { type, metadata, bodyStart, end: bodyStart + Number(body) };
}

/** @param {Frame} frame @returns {import("./arrow-schema.js").ArrowSchema} */
function schemaOf(frame) {
  if (frame.type !== MessageHeader.Schema) throw new Error("the first message is no schema");
  return readSchema(
    Message.getRootAsMessage(new ByteBuffer(frame.metadata)).header(new Schema()),
    frame.metadata.length,
  );
}

/**
 * Whether a file begins as a stream without continuation indicators does (section 4.1).
 *
 * @param {import("./files.js").File} file
 */
export function isLegacyStream(file) {
  try {
    schemaOf(readFrame(file, 0, file.size, true));
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {import("./files.js").File} file
 * @returns {Frames}
 * @throws {Breach} FILE-1
 */
export function openStream(file) {
  return wellFormed("the stream", () => {
    const isLegacy = new DataView(file.read(0, 4).buffer).getUint32(0, true) !== CONTINUATION;
    const first = readFrame(file, 0, file.size, isLegacy);
    return {
      schema: schemaOf(first),
      decodeSchema: () => ArrowMessage.decode(first.metadata).header(),
      rest: () => streamFrames(file, first.end, isLegacy),
    };
  });
}

function* streamFrames(file, start, isLegacy) {
  const marker = isLegacy ? [0, 0, 0, 0] : [255, 255, 255, 255, 0, 0, 0, 0];
  for (let at = start; ;) {
    const head = file.read(at, at + marker.length);
    if (head.every((byte, i) => byte === marker[i])) {
      if (head.length < marker.length) throw new Breach("FILE-3", "the stream has no end marker");
      if (at + marker.length < file.size) throw new Breach("FILE-1", "bytes stand after the end marker");
      return;
    }
    if (head.length === 4 && head.every((byte) => byte === 0))
      throw new Breach("FILE-3", "the end marker lacks its continuation indicator");
    const frame = wellFormed("the stream", () => {
      const found = readFrame(file, at, file.size, isLegacy);
      if (found.type === MessageHeader.Schema) throw new Error("a second schema");
      return found;
    });
    yield frame;
    at = frame.end;
  }
}

/**
 * @param {import("./files.js").File} file
 * @returns {Frames}
 * @throws {Breach} FILE-1
 */
export function openFile(file) {
  return wellFormed("the file", () => {
    const tail = file.read(Math.max(0, file.size - 10), file.size);
    if (file.size < 24 || !hasText(tail, MAGIC, 4)) throw new Error("the last magic number is missing");
    const length = new DataView(tail.buffer).getInt32(0, true);
    const footerStart = file.size - 10 - length;
    if (length < 8 || footerStart < 8) throw new Error(`the footer claims ${length} bytes`);
    if (length > MAX_METADATA) throw new Limit(`a footer of ${length} bytes, more than ${MAX_METADATA}`);
    judgeStart(file, footerStart);
    const bytes = file.read(footerStart, footerStart + length);
    const footer = Footer.getRootAsFooter(new ByteBuffer(bytes));
    if (footer.schema() === null) throw new Error("a footer without a schema");
    const schema = readSchema(footer.schema(), length);
    const blocks = [];
    for (const [count, at, type] of [
      [footer.dictionariesLength(), (i) => footer.dictionaries(i), MessageHeader.DictionaryBatch],
      [footer.recordBatchesLength(), (i) => footer.recordBatches(i), MessageHeader.RecordBatch],
    ]) {
      if (count < 0 || count * 24 > length) throw new Error("a footer of more blocks than it has room for");
      for (let i = 0; i < count; i += 1) blocks.push(blockOf(at(i), type));
    }
    return {
      schema,
      decodeSchema: () => ArrowFooter.decode(bytes).schema,
      rest: () => fileFrames(file, blocks, footerStart),
    };
  });
}

/**
 * A file holds a stream, and what begins like a message has to be one. apache-arrow's writer leaves the schema out, and
 * that of Polars writes it without its frame.
 */
function judgeStart(file, limit) {
  const head = new DataView(file.read(8, 16).buffer);
  if (head.getUint32(0, true) === CONTINUATION && head.getUint32(4, true) !== 0) readFrame(file, 8, limit, false);
}

const blockOf = (block, type) => ({
  start: Number(block.offset()),
  metadata: block.metaDataLength(),
  body: Number(block.bodyLength()),
  type,
});

function* fileFrames(file, blocks, limit) {
  for (const { start, metadata, body, type } of blocks) {
    yield wellFormed("the file", () => {
      if (!(start >= 8 && start <= limit)) throw new Error("a block is out of place");
      const isLegacy = new DataView(file.read(start, start + 4).buffer).getUint32(0, true) !== CONTINUATION;
      const frame = readFrame(file, start, limit, isLegacy);
      if (frame.type !== type || frame.bodyStart - start !== metadata || frame.end - frame.bodyStart !== body) {
        throw new Error("a message is not what the footer says");
      }
      return frame;
    });
  }
}
