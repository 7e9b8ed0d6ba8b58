// Judgements on accounts, as the service made them: a row each, which opens what is behind it.

import { el, svg } from "./dom.js";
import { languageName, said, spoken, t, verdictName } from "./names.js";
import { asks } from "./sentences.js";
import { direction, inHundred, percent, printable } from "./text.js";

const ROWS = 50; // at a time
const HEADERS = ["account", "verdict", "interval", "false_alarms", "counted"];
const [WIDTH, HEIGHT] = [120, 14];
const KEPT = 200; // characters of a post in a judgement
const DAY = 86_400_000; // milliseconds
const SURE = { translated: "account_sure_translated", rudimentary: "account_sure_rudimentary" };

/** The windows that suit some days (ISO 8601): about a dozen of them. */
export function windowFor(dates) {
  const days = dates.filter(Boolean).sort();
  const span = days.length ? (Date.parse(days.at(-1)) - Date.parse(days[0])) / DAY : 0;
  return span <= 14 ? "day" : span <= 92 ? "week" : span <= 1100 ? "month" : "year";
}

/**
 * @param {object[]} found judgements, as in docs/account.md
 * @param {string} window of their timelines
 * @param {(row: number, from: HTMLElement) => void} open shows a post, by its row
 * @param {(account: string) => void} choose shows the posts of an account
 */
export function accounts(found, window, open, choose) {
  const ranked = [...found].sort((one, other) => other.posts.distinct - one.posts.distinct);
  const body = el("tbody", {});
  const more = el("button", { type: "button", class: "quiet", click: () => fill() });
  const detail = el("article", { class: "account", "aria-labelledby": "account-title", hidden: true });

  function fill() {
    body.append(...ranked.slice(body.rows.length, body.rows.length + ROWS).map(row));
    more.textContent = t("more_rows", { n: ranked.length - body.rows.length });
    more.hidden = body.rows.length === ranked.length;
  }

  function row(account) {
    const button = el("button", { type: "button", class: "link" }, el("bdi", {}, printable(account.account)));
    return el(
      "tr",
      { class: `opens ${account.verdict}`, click: () => show(account, button) },
      el("th", { scope: "row" }, button),
      el("td", { class: "label" }, verdictName(account.verdict)),
      el("td", { class: "amount" }, interval(account)),
      el("td", { class: "amount" }, percent(account.false_alarm_rate)),
      el("td", { class: "amount" }, String(account.posts.distinct)),
    );
  }

  function show(account, button) {
    const close = () => {
      detail.hidden = true;
      button.focus();
    };
    const tools = el(
      "p",
      { class: "tools" },
      el("button", { type: "button", class: "quiet", click: () => choose(account.account) }, t("its_posts")),
      el("button", { type: "button", class: "quiet", click: close }, t("close")),
    );
    detail.replaceChildren(...judgement(account, window, open, tools));
    detail.hidden = false;
    detail.querySelector("#account-title").focus({ preventScroll: true });
    detail.scrollIntoView({ block: "nearest" });
  }

  fill();
  return el(
    "section",
    { class: "accounts", "aria-labelledby": "accounts-title" },
    el("h3", { id: "accounts-title" }, t("by_account")),
    el("p", { class: "hint" }, t("by_account_hint")),
    scroll("accounts_table", HEADERS, body),
    more,
    detail,
  );
}

function judgement(account, window, open, tools) {
  const { given, scored, distinct } = account.posts;
  const rate = account.false_alarm_rate;
  const days = account.first_day ? t("account_days", { from: account.first_day, to: account.last_day }) : "";
  return [
    el("h4", { id: "account-title", tabindex: "-1" }, el("bdi", {}, printable(account.account)), `: ${verdictName(account.verdict)}`),
    tools,
    el("p", {}, [t("account_posts", { given, scored, distinct }), days].filter(Boolean).join(" ")),
    account.verdict !== "not_scored" &&
      el("p", { class: "sure" }, rate === null ? t("account_unsure") : t(SURE[account.verdict] ?? "account_sure", { p: percent(rate), n: distinct })),
    lines(account.reasons),
    account.warnings.length > 0 && part("warnings", lines(account.warnings.map(({ text }) => text))),
    account.languages.length > 1 &&
      part("by_language", scroll("by_language", ["language", "verdict", "interval", "counted"], el("tbody", {}, ...account.languages.map(languageRow)))),
    account.windows.length > 0 &&
      part(
        "over_time",
        scroll("over_time", [`window_${window}`, "span", "interval", "counted"], el("tbody", {}, ...account.windows.map(windowRow))),
        el("p", { class: "hint" }, t("windows_hint")),
      ),
    loudest("for", account, open),
    loudest("against", account, open),
  ].filter(Boolean);
}

function part(title, ...content) {
  return el("section", {}, el("h5", {}, t(title)), ...content);
}

function lines(texts) {
  return texts.length ? el("ul", {}, ...texts.map((text) => el("li", spoken(text), printable(said(text))))) : null;
}

function scroll(label, headers, body) {
  const head = el("thead", {}, el("tr", {}, ...headers.map((one) => el("th", { scope: "col" }, t(one.startsWith("window_") ? one : `th_${one}`)))));
  return el("div", { class: "scroll", role: "region", "aria-label": t(label), tabindex: "0" }, el("table", {}, head, body));
}

function languageRow(one) {
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, languageName(one.language === "?" ? null : one.language)),
    el("td", { class: "label" }, verdictName(one.verdict)),
    el("td", { class: "amount" }, interval(one)),
    el("td", { class: "amount" }, String(one.posts)),
  );
}

function windowRow(one) {
  return el(
    "tr",
    {},
    el("th", { scope: "row", class: "amount" }, one.start),
    el("td", {}, span(one)),
    el("td", { class: "amount" }, interval(one)),
    el("td", { class: "amount" }, String(one.posts)),
  );
}

/** The interval from 0 to 100 %, with the probability on it; the figures stand beside it. */
function span({ machine_translated: value, machine_translated_interval: range }) {
  const at = (share) => (4 + share * (WIDTH - 8)).toFixed(1);
  return svg(
    "svg",
    { class: "span", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("line", { class: "axis", x1: at(0), x2: at(1), y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    range && svg("line", { class: "range", x1: at(range.low), x2: at(range.high), y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    value !== null && svg("circle", { class: "knob", cx: at(value), cy: HEIGHT / 2, r: 4 }),
  );
}

/** The beginning of a post, as the service keeps it. */
function shown(text) {
  return Array.from(text).length < KEPT ? text : `${text}…`;
}

/** The probability beside a verdict with its interval, where it has one: as Account.shown in Python. */
function interval(judged) {
  const question = asks(judged);
  const [value, range] = [judged[question], judged[`${question}_interval`]];
  return range ? t("interval", { p: percent(value), low: percent(range.low), high: percent(range.high) }) : percent(value);
}

function loudest(side, account, open) {
  const posts = account[`loudest_${side}`];
  if (posts.length === 0) return null;
  const question = asks(account);
  const items = posts.map((post) => {
    const button = el("button", { type: "button", class: "link" }, el("bdi", {}, printable(post.id)));
    button.addEventListener("click", () => open(post.row, button));
    const text = post.text && el("span", { class: "quoted", dir: direction(post.language), lang: post.language }, printable(shown(post.text)));
    return el("li", {}, button, `: ${[post.day, inHundred(post[question])].filter(Boolean).join(", ")}`, text);
  });
  return part(`speak_${side}_${question}`, el("ul", {}, ...items));
}
