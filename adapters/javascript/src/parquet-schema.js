// Which Arrow types a Parquet schema maps to (SPEC.md section 5), and where its leaves stand.

import { parquetSchema } from "hyparquet";

/**
 * @typedef {import("hyparquet").SchemaTree} SchemaTree
 *
 * @typedef {object} Leaf a column chunk's column
 * @property {string[]} path
 * @property {import("hyparquet").SchemaElement} element
 * @property {number} maxDefinition
 * @property {number} maxRepetition
 * @property {number} rowDefinition the definition level from which on the row itself is not null
 */

const CONVERTED_INTEGER = /^U?INT_(8|16|32|64)$/;

/**
 * @param {import("hyparquet").FileMetaData} footer
 * @returns {{fields: import("./columns.js").Field[], leaves: Leaf[]}}
 */
export function readSchema(footer) {
  const root = parquetSchema(footer);
  if (root.count !== footer.schema.length) throw new Error("elements of the schema belong to nobody");
  const leaves = [];
  collect(root, 0, 0, 0, leaves);
  return { fields: root.children.map((node) => ({ name: node.element.name, type: typeOf(node) })), leaves };
}

/** @param {SchemaTree} node */
function collect(node, definition, repetition, depth, leaves, rowDefinition = 0) {
  for (const child of node.children) {
    const { element } = child;
    const optional = element.repetition_type !== "REQUIRED";
    const d = definition + (optional ? 1 : 0);
    const r = repetition + (element.repetition_type === "REPEATED" ? 1 : 0);
    const first = depth === 0 && element.repetition_type === "OPTIONAL" ? 1 : rowDefinition;
    if (element.type === undefined) collect(child, d, r, depth + 1, leaves, first);
    else leaves.push({ path: child.path, element, maxDefinition: d, maxRepetition: r, rowDefinition: first });
  }
}

/** @param {SchemaTree} node at the top level */
function typeOf(node) {
  const { element, children } = node;
  if (element.repetition_type === "REPEATED")
    return element.type === undefined ? "list<struct>" : `list<${primitive(element)}>`;
  if (element.type !== undefined) return primitive(element);
  if (element.converted_type !== "LIST" && element.logical_type?.type !== "LIST") return "struct";
  const [repeated] = children;
  if (children.length !== 1 || repeated.element.repetition_type !== "REPEATED") return "malformed list";
  if (repeated.element.type !== undefined) return `list<${primitive(repeated.element)}>`; // two levels, a legacy form
  const [item] = repeated.children;
  const named = repeated.element.name === "array" || repeated.element.name === `${element.name}_tuple`;
  const isStruct = repeated.children.length !== 1 || named || item.element.repetition_type === "REPEATED";
  if (isStruct || item.element.type === undefined) return "list<nested>";
  return `list<${primitive(item.element)}>`;
}

/** @param {import("hyparquet").SchemaElement} element */
function primitive({ type, type_length: width, converted_type: converted, logical_type: logical }) {
  if (type === "FIXED_LEN_BYTE_ARRAY")
    return logical?.type === "FLOAT16" && width === 2 ? "halffloat" : `fixed_size_binary[${width}]`;
  if (logical?.type === "INTEGER") return `${logical.isSigned ? "" : "u"}int${logical.bitWidth}`;
  if (logical !== undefined) return String(logical.type ?? "unknown").toLowerCase();
  if (CONVERTED_INTEGER.test(converted ?? "")) return converted.toLowerCase().replace("_", "");
  if (converted !== undefined) return converted.toLowerCase();
  const plain = { INT32: "int32", INT64: "int64", FLOAT: "float", DOUBLE: "double", BYTE_ARRAY: "binary" };
  return plain[type] ?? String(type).toLowerCase();
}
