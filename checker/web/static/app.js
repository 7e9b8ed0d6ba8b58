// The page: asks the service about a post or a file and shows the answer. Posts are kept nowhere.

import { accounts, windowFor } from "./accounts.js";
import { compareTexts, judgeAccounts, Refused, reportOf, scoreFile, scorePost, useToken } from "./api.js";
import { beside } from "./beside.js";
import { el } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { columnsOf, likely } from "./header.js";
import { asMarkdown, tableAsMarkdown } from "./markdown.js";
import { languageName, LANGUAGES, said, t } from "./names.js";
import { isSaved, open, save, saveReport, saveTable, saveWorkbook } from "./saved.js";
import { summary, table } from "./table.js";
import { printable } from "./text.js";
import { answers, verdict } from "./verdict.js";

const byId = (id) => document.getElementById(id);
const [ask, post, unlock, token] = ["ask", "post", "unlock", "token"].map(byId);
const [status, problem, posts, result] = ["status", "problem", "posts", "result"].map(byId);
const [chooser, clear, cancel, origin] = ["file", "clear", "cancel", "source"].map(byId);
const [files, working, bar] = ["file-form", "working", "bar"].map(byId);
const selects = Object.fromEntries(["text", "account", "date"].map((kind) => [kind, byId(`column-${kind}`)]));
const PLAIN = new Set(["id", "text"]); // columns that leave nothing to ask
const [CANCELLED, REPLACED] = ["cancelled", "replaced"].map((reason) => new DOMException(reason, "AbortError"));

let running = null; // AbortController of the request on its way
let again = null; // what to do once there is a token
let chosen = null; // the file with posts
let taken = 0; // files, one after the other: only the last one is asked about

/** Run a request, the only one at a time; errors go to the page. */
async function run(told, request) {
  running?.abort(REPLACED);
  const mine = (running = new AbortController());
  again = () => run(told, request);
  problem.hidden = true;
  status.textContent = t(told);
  status.classList.remove("heard");
  working.hidden = false;
  count(0, 0);
  working.scrollIntoView({ block: "nearest" });
  document.body.setAttribute("aria-busy", "true");
  try {
    const answer = await request(mine.signal);
    if (mine !== running) return;
    again = null;
    unlock.hidden = true;
    clear.hidden = false;
    answer();
  } catch (error) {
    if (mine === running && error.name !== "AbortError") refused(error);
  } finally {
    if (mine === running) idle();
  }
}

function idle() {
  document.body.removeAttribute("aria-busy");
  working.hidden = true;
}

function refused(error) {
  if (!(error instanceof Refused)) console.error(error);
  status.textContent = "";
  if (error.status === 401) {
    const wrong = !unlock.hidden;
    unlock.hidden = false;
    token.focus();
    if (!wrong) return;
  }
  const told = error instanceof Refused ? error.message : t("page_error");
  problem.textContent = told.replace(/\b(text|account|date)_column\b/g, (_, kind) => `“${selects[kind].labels[0].textContent}”`);
  problem.hidden = false;
}

function checkPost() {
  const text = post.value.toWellFormed();
  if (!text.trim()) {
    refused(new Refused(0, t("no_post")));
    post.focus();
    return;
  }
  const source = origin.value.toWellFormed();
  run("checking_post", async (signal) => {
    const answer = await scorePost(text, byId("language").value, signal);
    const compared = source.trim() ? await compareTexts(source, text, signal) : null;
    return () => {
      posts.hidden = true;
      showPost(answer, text);
      if (compared) result.querySelector(".verdict").after(beside(compared));
      result.querySelector(".verdict").scrollIntoView({ block: "nearest" });
    };
  });
}

/** Take a file: one that the page saved is shown; one with posts is checked, once it is clear what is where. */
async function takeFile(file) {
  const turn = ++taken;
  if (isSaved(file)) {
    run("opening", async () => {
      const found = await open(file);
      return () => {
        files.hidden = true;
        showFile(found);
      };
    });
    return;
  }
  const columns = await columnsOf(file).catch(() => []);
  if (turn !== taken) return; // another one was taken meanwhile
  chosen = file;
  byId("file-title").replaceChildren(`${t("chosen_file")} `, el("bdi", {}, printable(file.name)));
  byId("columns").hidden = columns.length === 0;
  const options = columns.map((value) => el("option", { value }, printable(value)));
  for (const [kind, select] of Object.entries(selects)) {
    const none = kind === "text" ? [] : [el("option", { value: "" }, t("no_column"))];
    select.replaceChildren(...none, ...options.map((option) => option.cloneNode(true)));
    if (columns.length) select.value = likely(columns, kind) || (kind === "text" ? columns[0] : "");
  }
  byId("file-language").value = "";
  files.hidden = false;
  if (columns.every((name) => PLAIN.has(name))) checkFile();
  else askColumns();
}

/** Nothing is sent before it is known which column is which. */
function askColumns() {
  running?.abort(REPLACED);
  status.classList.remove("heard");
  status.textContent = t("say_columns");
  problem.hidden = true;
  idle();
  byId("file-title").focus();
}

function checkFile() {
  const file = chosen;
  const fields = { language: byId("file-language").value };
  if (!byId("columns").hidden) for (const [kind, select] of Object.entries(selects)) fields[`${kind}_column`] = select.value;
  run("checking_file", async (signal) => {
    const found = { name: file.name, rows: 0, results: [], accounts: [] };
    let broken = null;
    try {
      await scoreFile(file, fields, found.results, (done, total) => {
        found.rows = total;
        count(done, total);
      }, signal);
      if (found.results.some(({ account }) => account)) {
        status.textContent = t("judging");
        found.accounts = (await judgeAccounts(found.results, windowOf(found.results), signal)).accounts;
      }
    } catch (error) {
      // What was scored before is shown: a large file takes minutes.
      if (found.results.length === 0 || signal.reason === REPLACED) throw error;
      broken = error;
    }
    return () => {
      showFile(found);
      if (broken && broken.name !== "AbortError") refused(broken);
    };
  });
}

function showFile(found) {
  const { name, rows, results } = found;
  result.hidden = true;
  const tools = copyTools(() => JSON.stringify(results, null, 2), () => tableAsMarkdown(results));
  tools.prepend(
    tool("save", () => save(found)),
    tool("save_csv", () => saveTable(name, results)),
    tool("save_xlsx", () => saveWorkbook(name, results)),
    tool("save_report", () => makeReport(name, results)),
  );
  const { nodes, choose } = table(results, openRow);
  const judged = found.accounts.length > 0 && accounts(found.accounts, windowOf(results), (row, from) => openRow(results[row - 1], from), choose);
  posts.replaceChildren(
    el("h2", { id: "posts-title", tabindex: "-1" }, el("bdi", {}, printable(name))),
    tools,
    ...(results.length < rows ? [el("p", { class: "problem" }, t("partial", { n: results.length, total: rows }))] : []),
    ...(judged ? [judged, el("h3", {}, t("all_posts"))] : []),
    ...nodes,
  );
  posts.hidden = false;
  status.classList.remove("heard");
  status.textContent = t("checked", { what: summary(results) });
  byId("posts-title").focus();
}

function windowOf(results) {
  return windowFor(results.map(({ date }) => date));
}

function makeReport(name, results) {
  const today = new Date().toLocaleDateString("sv"); // the local day in ISO 8601
  run("making_report", async (signal) => {
    const page = await reportOf(results, today, signal);
    return () => {
      saveReport(name, page);
      status.textContent = t("report_saved");
    };
  });
}

/** Show how far a file is; no total means that nobody knows. */
function count(done, total) {
  bar.hidden = !total;
  bar.max = total || 1;
  bar.value = done;
  byId("counted").textContent = total ? t("progress", { n: done, total }) : "";
}

/** Show a post of the table under it; `from` is the button in its row. */
function openRow(answer, from) {
  showPost(answer, null);
  const close = () => {
    result.hidden = true;
    from.focus();
  };
  result.prepend(el("p", { class: "tools" }, el("button", { type: "button", class: "quiet", click: close }, t("back"))));
  byId("verdict").focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

function showPost(answer, source) {
  const tools = copyTools(() => JSON.stringify(answer, null, 2), () => asMarkdown(answer));
  tools.append(tool("print", () => print()));
  result.replaceChildren(...verdict(answer, source, tools));
  result.hidden = false;
  status.classList.add("heard"); // the result has it on the screen
  status.textContent = [said(answer.headline), ...answers(answer).map(([question, told]) => `${question}: ${told}.`)].join(" ");
}

function tool(name, click) {
  return el("button", { type: "button", class: "quiet", click }, t(name));
}

function copyTools(json, markdown) {
  const done = el("span", { class: "done", role: "status" });
  const button = (name, text) =>
    tool(name, async () => {
      done.textContent = t((await copy(text())) ? "copied" : "not_copied");
    });
  return el("p", { class: "tools" }, button("copy_json", json), button("copy_markdown", markdown), done);
}

/** Copy a text; without a secure origin there is no clipboard but the old command. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", { class: "offscreen", "aria-hidden": "true", tabindex: "-1" }, text);
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return copied;
  }
}

ask.addEventListener("submit", (event) => {
  event.preventDefault();
  checkPost();
});
post.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) checkPost();
});
post.addEventListener("paste", () => setTimeout(() => post.value.trim() && checkPost())); // after the text is in
files.addEventListener("submit", (event) => {
  event.preventDefault();
  checkFile();
});
unlock.addEventListener("submit", (event) => {
  event.preventDefault();
  useToken(token.value);
  again?.();
});
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    post.value = EXAMPLES[button.dataset.example];
    origin.value = byId("language").value = "";
    checkPost();
  });
}
const languages = LANGUAGES.map((code) => [code, languageName(code)]).sort(([, a], [, b]) => a.localeCompare(b));
byId("supported").textContent = languages.map(([, name]) => name).join(", ");
for (const id of ["language", "file-language"]) byId(id).append(...languages.map(([value, name]) => el("option", { value }, name)));
cancel.addEventListener("click", () => {
  again = null;
  status.classList.remove("heard");
  status.textContent = t("cancelled");
  running?.abort(CANCELLED);
});
byId("choose").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  if (chooser.files.length) takeFile(chooser.files[0]);
  chooser.value = "";
});
clear.addEventListener("click", () => {
  running?.abort(REPLACED);
  running = again = chosen = null;
  post.value = origin.value = status.textContent = "";
  for (const part of [posts, result]) {
    part.replaceChildren();
    part.hidden = true;
  }
  files.hidden = true;
  problem.hidden = clear.hidden = true;
  idle();
  post.focus();
});

const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!holdsFile(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!holdsFile(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  takeFile(event.dataTransfer.files[0]);
});
