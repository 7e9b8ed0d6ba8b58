// The page: asks the service about a post or a file and shows the answer. Posts are kept nowhere.

import { Refused, scoreFile, scorePost, useToken } from "./api.js";
import { el } from "./dom.js";
import { asMarkdown, tableAsMarkdown } from "./markdown.js";
import { verdictName } from "./names.js";
import { summary, table } from "./table.js";
import { inHundred } from "./text.js";
import { verdict } from "./verdict.js";

const byId = (id) => document.getElementById(id);
const [ask, post, unlock, token] = ["ask", "post", "unlock", "token"].map(byId);
const [status, problem, posts, result] = ["status", "problem", "posts", "result"].map(byId);
const [chooser, clear] = ["file", "clear"].map(byId);

let running = null; // AbortController of the request on its way
let again = null; // what to do once there is a token

/** Run a request, the only one at a time; errors go to the page. */
async function run(what, request) {
  running?.abort();
  const mine = (running = new AbortController());
  again = () => run(what, request);
  problem.hidden = true;
  status.textContent = `Checking ${what}…`;
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
    if (mine === running) document.body.removeAttribute("aria-busy");
  }
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
  const told = error instanceof Refused ? error.message : "Internal error of this page. Load it again.";
  problem.textContent = told.replace("text_column", `“${byId("column").labels[0].textContent}”`);
  problem.hidden = false;
}

function checkPost() {
  const text = post.value.toWellFormed();
  if (!text.trim()) {
    refused(new Refused(0, "There is no post to check.", "Paste its text into the field."));
    post.focus();
    return;
  }
  run("the post", async (signal) => {
    const answer = await scorePost(text, signal);
    return () => {
      posts.hidden = true;
      showPost(answer, text);
      result.querySelector(".verdict").scrollIntoView({ block: "nearest" });
    };
  });
}

function checkFile(file) {
  run("the file", async (signal) => {
    const { results } = await scoreFile(file, byId("column").value.trim() || "text", signal);
    return () => {
      result.hidden = true;
      const tools = copyTools(() => JSON.stringify(results, null, 2), () => tableAsMarkdown(results));
      posts.replaceChildren(...table(file.name, results, openRow, tools));
      posts.hidden = false;
      status.textContent = `Checked ${summary(results)}`;
      byId("posts-title").focus();
    };
  });
}

/** Show a post of the table under it; `from` is the button in its row. */
function openRow(answer, from) {
  showPost(answer, null);
  const close = () => {
    result.hidden = true;
    from.focus();
  };
  result.prepend(el("p", { class: "tools" }, el("button", { type: "button", class: "quiet", click: close }, "Back to the table")));
  byId("verdict").focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

function showPost(answer, source) {
  const tools = copyTools(() => JSON.stringify(answer, null, 2), () => asMarkdown(answer));
  result.replaceChildren(...verdict(answer, source, tools));
  result.hidden = false;
  const probability = answer.machine_translated;
  status.textContent = `${verdictName(answer.verdict)}${probability === null ? "" : `: ${inHundred(probability)}`}.`;
}

function copyTools(json, markdown) {
  const done = el("span", { class: "done", role: "status" });
  const button = (name, text) =>
    el("button", {
      type: "button",
      class: "quiet",
      click: async () => {
        done.textContent = (await copy(text())) ? "Copied." : "The browser did not allow it.";
      },
    }, name);
  return el("p", { class: "tools" }, button("Copy as JSON", json), button("Copy as Markdown", markdown), done);
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
byId("choose").addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  if (chooser.files.length) checkFile(chooser.files[0]);
  chooser.value = "";
});
clear.addEventListener("click", () => {
  running?.abort();
  running = again = null;
  post.value = status.textContent = "";
  for (const part of [posts, result]) {
    part.replaceChildren();
    part.hidden = true;
  }
  problem.hidden = clear.hidden = true;
  document.body.removeAttribute("aria-busy");
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
