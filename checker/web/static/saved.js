// Answers as files of the browser: saved and opened again without the service, which stores nothing.

import { Refused } from "./api.js";
import { el } from "./dom.js";
import { t } from "./names.js";
import { workbook } from "./xlsx.js";

const KIND = "statement-checker";
const COLUMNS = [
  ["id", ({ id }) => id],
  ["verdict", ({ verdict }) => verdict],
  ["headline", ({ headline }) => headline],
  ["machine_translated", (outcome) => outcome.machine_translated],
  ["translated", ({ translated }) => translated],
  ["rudimentary", ({ rudimentary }) => rudimentary],
  ["language", ({ language }) => language?.code],
  ["fluency", ({ fluency }) => fluency],
  ["text", ({ sentences }) => sentences?.map(({ text }) => text).join(" ")],
  ["error", ({ error }) => error],
  ["fix", ({ fix }) => fix],
];

const FACTS = ["account", "date"]; // columns that a file of posts may have

/** Save what the page knows of a file under a name like its own. */
export function save({ name, rows, results, accounts }) {
  download(`${stem(name)}.checked.json`, JSON.stringify({ kind: KIND, name, rows, results, accounts }, null, 1), "application/json");
}

/** Save the report, which the service made. */
export function saveReport(name, page) {
  download(`${stem(name)}.report.html`, page, "text/html");
}

/** Save the results as a workbook. */
export function saveWorkbook(name, results) {
  download(`${stem(name)}.checked.xlsx`, workbook(rowsOf(results)), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
}

function rowsOf(results) {
  const facts = FACTS.filter((name) => results.some((outcome) => outcome[name])).map((name) => [name, (outcome) => outcome[name]]);
  const columns = [...COLUMNS.slice(0, 1), ...facts, ...COLUMNS.slice(1)];
  return [columns.map(([title]) => title), ...results.map((outcome) => columns.map(([, value]) => value(outcome)))];
}

/** Save the results as a table for spreadsheets. */
export function saveTable(name, results) {
  const text = rowsOf(results).map((row) => row.map(cell).join(",")).join("\r\n");
  download(`${stem(name)}.checked.csv`, `\ufeff${text}\r\n`, "text/csv");
}

/** Whether a file may be one that the page saved: posts come in other formats. */
export function isSaved(file) {
  return file.name.toLowerCase().endsWith(".json");
}

/** What `save` wrote into a file; of an older version, too. */
export async function open(file) {
  const wrong = new Refused(0, t("not_saved_here", { name: file.name }));
  const found = await file.text().then(JSON.parse).catch(() => null);
  if (found?.kind !== KIND || typeof found.name !== "string" || !Array.isArray(found.results)) throw wrong;
  const { name, results, rows = results.length, accounts = [] } = found;
  if (!results.every(isOutcome) || !Number.isInteger(rows) || !Array.isArray(accounts) || !accounts.every(isAccount)) throw wrong;
  return { name, results, rows, accounts };
}

/** Whether something has what the page shows of a result or of an error record. */
function isOutcome(one) {
  if (typeof one?.id !== "string") return false;
  if (!one.verdict) return typeof one.error === "string" && typeof one.fix === "string";
  const lists = [one.sentences, one.reasons, one.warnings, one.advice, one.thresholds, one.language?.alternatives];
  return typeof one.verdict === "string" && typeof one.headline === "string" && lists.every(Array.isArray) && Boolean(one.models);
}

/** Whether something has what the page shows of a judgement on an account. */
function isAccount(one) {
  const lists = [one?.languages, one?.windows, one?.loudest_for, one?.loudest_against, one?.reasons, one?.warnings];
  return typeof one?.account === "string" && typeof one.verdict === "string" && Boolean(one.posts) && lists.every(Array.isArray);
}

/** A cell of CSV; what a spreadsheet would run as a formula is preceded by an apostrophe. */
function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value !== "number" && /^[=+\-@＝＋－＠\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function stem(name) {
  return name.replace(/(\.checked)?\.[^.]*$/, "") || "posts";
}

function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = el("a", { href: address, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address));
}
