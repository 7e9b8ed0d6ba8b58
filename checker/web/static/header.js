// The columns of a file, read from its beginning: what the page offers for the text.

const READ = 65536; // bytes; a header is not longer
const MOST = 200;

/** Names of the columns or fields; none for a text file, or where they cannot be read. */
export async function columnsOf(file) {
  const [, suffix] = /\.(csv|tsv|jsonl)$/i.exec(file.name) ?? [];
  if (!suffix) return [];
  const text = (await file.slice(0, READ).text()).replace(/^\ufeff/, "");
  const names = suffix.toLowerCase() === "jsonl" ? fields(text) : cells(text, suffix.toLowerCase() === "tsv" ? "\t" : ",");
  return names.filter((name) => name.trim()).slice(0, MOST);
}

function fields(text) {
  try {
    return Object.keys(JSON.parse(text.trimStart().split("\n", 1)[0]));
  } catch {
    return [];
  }
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
