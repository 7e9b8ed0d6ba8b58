// The posts of a file: one row each, which opens the post.

import { el } from "./dom.js";
import { languageName, VERDICTS, verdictName } from "./names.js";
import { compact, direction, printable } from "./text.js";

const SHOWN = 90; // characters of a post in its row

/**
 * @param {string} name of the file
 * @param {object[]} outcomes results and error records
 * @param {(result: object, from: HTMLElement) => void} open shows a post; `from` is the button in its row
 * @param {Node} tools buttons to show beside the title
 */
export function table(name, outcomes, open, tools) {
  return [
    el("h2", { id: "posts-title", tabindex: "-1" }, el("bdi", {}, printable(name))),
    tools,
    el(
      "div",
      { class: "scroll", role: "region", "aria-label": "Verdicts, one row per post", tabindex: "0" },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ...["Post", "Verdict", "Probability", "Language", "Text"].map(header))),
        el("tbody", {}, ...outcomes.map((outcome) => row(outcome, open))),
      ),
    ),
  ];
}

/** How many posts got which verdict. */
export function summary(outcomes) {
  const counts = VERDICTS.map((verdict) => [
    verdictName(verdict).toLowerCase(),
    outcomes.filter((outcome) => outcome.verdict === verdict).length,
  ]);
  counts.push(["could not be read", outcomes.filter((outcome) => !outcome.verdict).length]);
  const told = counts.filter(([, count]) => count).map(([what, count]) => `${count} ${what}`);
  return `${outcomes.length} ${outcomes.length === 1 ? "post" : "posts"}: ${told.join(", ") || "the file has none"}.`;
}

function header(text) {
  return el("th", { scope: "col" }, text);
}

function row(outcome, open) {
  const id = printable(outcome.id);
  if (!outcome.verdict) {
    const problem = `Row ${outcome.row}: ${outcome.error} ${outcome.fix}`;
    return el(
      "tr",
      { class: "bad" },
      el("th", { scope: "row" }, el("bdi", {}, id)),
      el("td", { class: "label" }, "Not read"),
      el("td", { colspan: "3" }, printable(problem)),
    );
  }
  const text = Array.from(outcome.sentences.map((sentence) => sentence.text).join(" "));
  const short = text.slice(0, SHOWN).join("") + (text.length > SHOWN ? "…" : "");
  const button = el("button", { type: "button", class: "link" }, el("bdi", {}, id));
  return el(
    "tr",
    { class: `opens ${outcome.verdict}`, click: () => open(outcome, button) },
    el("th", { scope: "row" }, button),
    el("td", { class: "label" }, verdictName(outcome.verdict)),
    el("td", { class: "amount" }, compact(outcome.machine_translated)),
    el("td", {}, languageName(outcome.language.code) + (outcome.language.mixed ? ", mixed" : "")),
    el("td", { class: "excerpt", dir: direction(outcome.language.code), lang: outcome.language.code }, printable(short)),
  );
}
