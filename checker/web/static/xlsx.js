// A table as a workbook of one sheet (Office Open XML, ECMA-376): strings inline, in a ZIP file without compression.

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const LONGEST = 32767; // characters of a cell
const MADE = 0x21; // 1 January 1980, the first day that ZIP knows: the same table gives the same bytes

/** @param {unknown[][]} rows cells: numbers, strings, or nothing */
export function workbook(rows) {
  const sheet = rows.map((row) => `<row>${row.map(cell).join("")}</row>`).join("");
  return zip({
    "[Content_Types].xml":
      `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
      `<Override PartName="/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/><Override PartName="/sheet.xml" ContentType="${TYPE}.worksheet+xml"/></Types>`,
    "_rels/.rels": relations(`${OFFICE}/officeDocument`, "workbook.xml"),
    "_rels/workbook.xml.rels": relations(`${OFFICE}/worksheet`, "sheet.xml"),
    "workbook.xml": `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="posts" sheetId="1" r:id="r1"/></sheets></workbook>`,
    "sheet.xml": `${HEAD}<worksheet xmlns="${MAIN}"><sheetData>${sheet}</sheetData></worksheet>`,
  });
}

function relations(type, target) {
  return `${HEAD}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${type}" Target="${target}"/></Relationships>`;
}

function cell(value) {
  if (typeof value === "number") return `<c><v>${value}</v></c>`;
  if (value === null || value === undefined) return "<c/>";
  return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(String(value).slice(0, LONGEST))}</t></is></c>`;
}

/** XML has no place for most control characters; a string is never a formula here. */
function escaped(text) {
  const clean = text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
  return clean.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Files in a ZIP archive (APPNOTE 6.3), stored as they are. */
function zip(files) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [path, content] = [name, text].map((one) => new TextEncoder().encode(one));
    const facts = [20, 0x0800, 0, 0, MADE, ["u32", crc32(content)], ["u32", content.length], ["u32", content.length], path.length, 0];
    const local = numbers([["u32", 0x04034b50], ...facts]);
    directory.push(numbers([["u32", 0x02014b50], 20, ...facts, 0, 0, 0, ["u32", 0], ["u32", offset]]), path);
    parts.push(local, path, content);
    offset += local.length + path.length + content.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = directory.length / 2;
  const end = numbers([["u32", 0x06054b50], 0, 0, count, count, ["u32", size], ["u32", offset], 0]);
  return new Blob([...parts, ...directory, end]);
}

/** Whole numbers in two bytes each, or four. */
function numbers(values) {
  const bytes = new DataView(new ArrayBuffer(values.reduce((sum, value) => sum + (Array.isArray(value) ? 4 : 2), 0)));
  let at = 0;
  for (const value of values) {
    if (Array.isArray(value)) bytes.setUint32(at, value[1], true);
    else bytes.setUint16(at, value, true);
    at += Array.isArray(value) ? 4 : 2;
  }
  return new Uint8Array(bytes.buffer);
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
