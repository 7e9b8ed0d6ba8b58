// The page: asks the service about a post or a file and shows the answer. Posts are kept nowhere.

import { compareTexts, Refused, scoreFile, scorePost, useToken } from "./api.js";
import { beside } from "./beside.js";
import { el } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { columnsOf } from "./header.js";
import { asMarkdown, tableAsMarkdown } from "./markdown.js";
import { languageName, LANGUAGES, said, t } from "./names.js";
import { isSaved, open, save, saveTable, saveWorkbook } from "./saved.js";
import { summary, table } from "./table.js";
import { answers, verdict } from "./verdict.js";

const byId = (id) => document.getElementById(id);
const [ask, post, unlock, token] = ["ask", "post", "unlock", "token"].map(byId);
const [status, problem, posts, result] = ["status", "problem", "posts", "result"].map(byId);
const [chooser, clear, cancel, origin] = ["file", "clear", "cancel", "source"].map(byId);

let running = null; // AbortController of the request on its way
let again = null; // what to do once there is a token

/** Run a request, the only one at a time; errors go to the page. */
async function run(told, request) {
  running?.abort();
  const mine = (running = new AbortController());
  again = () => run(told, request);
  problem.hidden = true;
  status.textContent = t(told);
  status.classList.remove("heard");
  cancel.hidden = false;
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
  cancel.hidden = true;
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
  problem.textContent = told.replace("text_column", `“${byId("column").labels[0].textContent}”`);
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

function checkFile(file) {
  run("checking_file", async (signal) => {
    if (!isSaved(file)) await offerColumns(file);
    const found = isSaved(file) ? await open(file) : await scoreFile(file, byId("column").value.trim() || "text", signal);
    const { results, name = file.name } = found;
    return () => {
      result.hidden = true;
      const tools = copyTools(() => JSON.stringify(results, null, 2), () => tableAsMarkdown(results));
      tools.prepend(
        tool("save", () => save(name, results)),
        tool("save_csv", () => saveTable(name, results)),
        tool("save_xlsx", () => saveWorkbook(name, results)),
      );
      posts.replaceChildren(...table(name, results, openRow, tools));
      posts.hidden = false;
      status.classList.remove("heard");
      status.textContent = t("checked", { what: summary(results) });
      byId("posts-title").focus();
    };
  });
}

/** Offer the columns of a file for the text; the only one is taken. */
async function offerColumns(file) {
  const columns = await columnsOf(file);
  byId("columns").replaceChildren(...columns.map((value) => el("option", { value })));
  if (columns.length === 1) byId("column").value = columns[0];
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
byId("language").append(...languages.map(([value, name]) => el("option", { value }, name)));
cancel.addEventListener("click", () => {
  running?.abort();
  running = again = null;
  status.classList.remove("heard");
  status.textContent = t("cancelled");
  idle();
});
byId("choose").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  if (chooser.files.length) checkFile(chooser.files[0]);
  chooser.value = "";
});
clear.addEventListener("click", () => {
  running?.abort();
  running = again = null;
  post.value = origin.value = status.textContent = "";
  for (const part of [posts, result]) {
    part.replaceChildren();
    part.hidden = true;
  }
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
  checkFile(event.dataTransfer.files[0]);
});
