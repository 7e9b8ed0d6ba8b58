// The posts of a file: one row each, which opens the post; chosen and ordered on the page.

import { el } from "./dom.js";
import { languageName, t, VERDICTS, verdictName } from "./names.js";
import { direction, ofHundred, printable } from "./text.js";

const SHOWN = 90; // characters of a post in its row
const ROWS = 300; // at a time: a page of thousands is slow
const HEADERS = ["post", "verdict", "probability", "language", "text"];
const ORDERS = {
  sort_file: () => 0,
  sort_highest: (a, b) => (suspicion(b) ?? -1) - (suspicion(a) ?? -1),
  sort_lowest: (a, b) => (suspicion(a) ?? 2) - (suspicion(b) ?? 2), // those without a probability come last
};

/**
 * @param {object[]} outcomes results and error records
 * @param {(result: object, from: HTMLElement) => void} open shows a post; `from` is the button in its row
 * @returns {{nodes: Node[], choose: (account: string) => void}} `choose` leaves the posts of an account
 */
export function table(outcomes, open) {
  const body = el("tbody", {});
  const more = el("button", { type: "button", class: "quiet", click: () => fill() });
  const rows = new Map(); // made when they are shown
  let chosen = [];
  const verdicts = [...VERDICTS.filter((verdict) => outcomes.some((outcome) => outcome.verdict === verdict))];
  const languages = [...new Set(outcomes.map((outcome) => outcome.language?.code).filter(Boolean))].sort();
  const verdict = select("filter_verdict", [["", t("all_verdicts")], ...verdicts.map((one) => [one, verdictName(one)])], show);
  const language = select("filter_language", [["", t("all_languages")], ...languages.map((one) => [one, languageName(one)])], show);
  const accounts = [...new Set(outcomes.map((outcome) => outcome.account).filter(Boolean))].sort();
  const account = select("filter_account", [["", t("all_accounts")], ...accounts.map((one) => [one, printable(one)])], show);
  const order = select("sort", Object.keys(ORDERS).map((one) => [one, t(one)]), show);

  function show() {
    chosen = outcomes.filter(
      (outcome) =>
        (!verdict.value || outcome.verdict === verdict.value) &&
        (!language.value || outcome.language?.code === language.value) &&
        (!account.value || outcome.account === account.value),
    );
    chosen.sort(ORDERS[order.value]);
    body.replaceChildren();
    fill();
  }

  function fill() {
    const next = chosen.slice(body.rows.length, body.rows.length + ROWS);
    for (const outcome of next) if (!rows.has(outcome)) rows.set(outcome, row(outcome, open));
    body.append(...next.map((outcome) => rows.get(outcome)));
    const left = chosen.length - body.rows.length;
    more.textContent = t("more_rows", { n: left });
    more.hidden = left === 0;
  }

  function choose(name) {
    account.value = name;
    verdict.value = language.value = "";
    show();
    account.focus();
  }
  show();
  const filters = [verdict, language, ...(accounts.length ? [account] : []), order];
  const nodes = [
    el("p", { class: "filters" }, ...filters.map((one) => one.parentElement)),
    el(
      "div",
      { class: "scroll", role: "region", "aria-label": t("table"), tabindex: "0" },
      el("table", {}, el("thead", {}, el("tr", {}, ...HEADERS.map((one) => header(t(`th_${one}`))))), body),
    ),
    more,
  ];
  return { nodes, choose };
}

/** How many posts got which verdict. */
export function summary(outcomes) {
  const counted = (verdict) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const told = VERDICTS.filter(counted).map((verdict) => t("count", { n: counted(verdict), verdict: verdictName(verdict).toLowerCase() }));
  const unread = outcomes.filter((outcome) => !outcome.verdict).length;
  if (unread) told.push(t("count_unread", { n: unread }));
  const what = told.join(", ") || t("empty_file");
  return t(outcomes.length === 1 ? "one_post" : "posts", { n: outcomes.length, what });
}

/** The probability that posts are listed by, as Result.suspicion in Python; null where there is none. */
export function suspicion({ verdict, machine_translated: machine, rudimentary }) {
  return verdict === "rudimentary" ? Math.max(machine, rudimentary) : (machine ?? null);
}

function select(title, options, change) {
  const field = el("select", { change, "aria-label": t(title) }, ...options.map(([value, text]) => el("option", { value }, text)));
  el("label", {}, `${t(title)} `, field);
  return field;
}

function header(text) {
  return el("th", { scope: "col" }, text);
}

function row(outcome, open) {
  const id = printable(outcome.id);
  if (!outcome.verdict) {
    const problem = t("row", { n: outcome.row, problem: `${outcome.error} ${outcome.fix}` });
    return el(
      "tr",
      { class: "bad" },
      el("th", { scope: "row" }, el("bdi", {}, id)),
      el("td", { class: "label" }, t("not_read")),
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
    el("td", { class: "amount" }, ofHundred(suspicion(outcome))),
    el("td", {}, languageName(outcome.language.code) + (outcome.language.mixed ? `, ${t("mixed_short")}` : "")),
    el("td", { class: "excerpt", dir: direction(outcome.language.code), lang: outcome.language.code }, printable(short)),
  );
}
