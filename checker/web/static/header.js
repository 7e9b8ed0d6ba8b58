// The columns of a file, read from its beginning: what the page offers for text, account and date.

const READ = 65536; // bytes; a header is not longer
const MOST = 200;
const DELIMITERS = [",", ";", "\t", "|"]; // Excel writes semicolons where the comma is the decimal sign
const NAMES = {
  text: ["text", "post", "body", "content", "message", "tweet", "caption"],
  account: ["account", "user", "username", "user_name", "screen_name", "author", "channel", "handle"],
  date: ["date", "day", "created_at", "posted_at", "published_at", "time", "timestamp"],
};

/** Names of the columns or fields; none for a text file, or where they cannot be read. */
export async function columnsOf(file) {
  const [, suffix] = /\.(csv|tsv|jsonl)$/i.exec(file.name) ?? [];
  if (!suffix) return [];
  const text = (await file.slice(0, READ).text()).replace(/^\ufeff/, "");
  const names = suffix.toLowerCase() === "jsonl" ? fields(text) : header(text, suffix.toLowerCase());
  return [...new Set(names.filter((name) => name.trim()))].slice(0, MOST);
}

/** The column that is probably meant, by its name; empty where none is. */
export function likely(columns, kind) {
  return NAMES[kind].map((name) => columns.find((column) => column.trim().toLowerCase() === name)).find(Boolean) ?? "";
}

function fields(text) {
  try {
    return Object.keys(JSON.parse(text.trimStart().split("\n", 1)[0]));
  } catch {
    return [];
  }
}

function header(text, suffix) {
  if (suffix === "tsv") return cells(text, "\t");
  const [line, mark] = /^"?sep=(.)"?\r?\n/i.exec(text) ?? []; // what Excel is told
  if (mark) return cells(text.slice(line.length), mark);
  const read = DELIMITERS.map((delimiter) => cells(text, delimiter));
  return read.reduce((most, other) => (other.length > most.length ? other : most));
}

/** The first line of a table; in quotes a comma is a comma, and two quotes are one (RFC 4180). */
function cells(text, separator) {
  const found = [""];
  let quoted = false;
  for (const one of text) {
    if (one === '"') quoted = !quoted;
    else if (!quoted && one === separator) found.push("");
    else if (!quoted && (one === "\n" || one === "\r")) break;
    else found[found.length - 1] += one;
  }
  return found;
}
