// One result: the finding, what to do next, the probabilities; then the text with its sentences and the evidence.

import { dial } from "./dial.js";
import { el, list } from "./dom.js";
import { languageName, meaning, said, spoken, t } from "./names.js";
import { asks, passage } from "./sentences.js";
import { inHundred, number, percent, printable } from "./text.js";

const EVIDENCE = new Set(["encoder", "style", "fluency", "round_trip"]); // kinds of reasons

/** Of the reasons, those that say why, the strongest evidence first. */
export function evidence(result) {
  return result.reasons.filter(({ kind }) => EVIDENCE.has(kind)).map(({ text }) => text);
}

/** The others: how often such a verdict is wrong. */
export function errorRates(result) {
  return result.reasons.filter(({ kind }) => !EVIDENCE.has(kind)).map(({ text }) => text);
}

/** The questions that have an answer, each with its probability in words. */
export function answers(result) {
  return ["machine_translated", "translated", "rudimentary"]
    .filter((question) => (result[question] ?? null) !== null) // a saved result may be older than a question
    .map((question) => [t(`asked_${question}`), inHundred(result[question])]);
}

/**
 * @param {object} result as in docs/result.md
 * @param {string | null} source the post as it was sent; null where only its sentences are known
 * @param {Node} tools buttons to show beside the verdict
 */
export function verdict(result, source, tools) {
  const probability = result.machine_translated;
  const question = asks(result);
  const asked = answers(result);
  const warnings = result.warnings.map(({ text }) => text);
  return [
    el(
      "div",
      { class: `verdict ${result.verdict}` },
      el("h2", { id: "verdict", tabindex: "-1", ...spoken(result.headline) }, said(result.headline)),
      dial(result[question], threshold(result, question), question),
      el(
        "div",
        { class: "words" },
        probability === null ? lines(warnings, { class: "rate" }) : el("p", { class: "meaning" }, meaning(result.verdict)),
        result.advice.length > 0 && el("section", { class: "next" }, el("h3", {}, t("next")), lines(result.advice, { class: "advice" })),
        asked.length > 0 &&
          el(
            "div",
            { class: "chance" },
            el("dl", {}, ...asked.map(([question, answer]) => el("div", {}, el("dt", {}, question), el("dd", { class: "figure" }, answer)))),
            el("p", { class: "hint" }, t("half")),
          ),
        tools,
      ),
    ),
    probability !== null && section("warnings", lines(warnings, { class: "warnings" })),
    section("sentences", ...passage(result, source)),
    section("why", lines(evidence(result))),
    probability !== null && section("wrong", lines(errorRates(result), { class: "rate" })),
    section("more", facts(result)),
    el("p", { class: "models" }, `statement-checker ${result.version}. `, printable(models(result))),
  ].filter(Boolean);
}

/** A list of what the service said. */
function lines(texts, attributes = {}) {
  return texts.length ? el("ul", attributes, ...texts.map((text) => el("li", spoken(text), printable(said(text))))) : null;
}

/** The strictest threshold of its languages for a question; null unless all of them have one. */
function threshold({ reasons, thresholds }, asked) {
  const unknown = reasons.some(({ kind }) => kind === "unmeasured" || kind === "withheld");
  if (thresholds.length === 0 || (asked === "machine_translated" && unknown)) return null;
  const own = thresholds.filter(({ question }) => question === asked);
  return own.length ? Math.max(...own.map(({ probability: from }) => from)) : null;
}

/** Whether the verdict counts a kind of evidence. */
function counts({ reasons }, kind) {
  return reasons.some((reason) => reason.kind === kind);
}

function section(title, ...content) {
  const known = content.filter(Boolean);
  return known.length ? el("section", {}, el("h3", {}, t(title)), ...known) : null;
}

function models(result) {
  return Object.entries(result.models).map(([task, label]) => `${task} ${label}`).join(", ");
}

/** What the reasons have not said. */
function facts(result) {
  const { language, round_trip: trip } = result;
  const others = language.alternatives.map((guess) => `${languageName(guess.code)} ${percent(guess.confidence)}`);
  const own = languageName(language.code);
  const rows = [
    [
      t("language_name"),
      language.code ? t("sure", { language: own, p: percent(language.confidence) }) : own,
      [language.mixed ? t("mixed") : "", others.length ? t("or", { languages: others.join(", ") }) : ""],
    ],
  ];
  if (result.fluency !== null && !counts(result, "fluency")) {
    rows.push([t("fluency"), t("more_fluent", { p: percent(result.fluency) }), [t("of_human"), t("not_counted")]]);
  }
  if (trip) {
    const counted = counts(result, "round_trip");
    const figures = [counted ? "" : `chrF++ ${number(trip.chrf, 1)}`, `BLEU ${number(trip.bleu, 1)}`, `TER ${number(trip.ter, 1)}`];
    rows.push([
      t("trip", { language: languageName(trip.pivot) }),
      figures.filter(Boolean).join(", "),
      [t("trip_note"), t(counted ? "counted" : "not_counted")],
    ]);
    if (trip.log_likelihood !== null && !counted) {
      rows.push([
        t("likelihood"),
        t("nats_per_token", { n: number(trip.log_likelihood, 2) }),
        [t("likelihood_note", { gap: number(trip.gap, 2) })],
      ]);
    }
  }
  return el(
    "dl",
    { class: "facts" },
    ...rows.map(([name, value, notes]) =>
      el(
        "div",
        {},
        el("dt", {}, name),
        el("dd", {}, el("span", { class: "figure" }, value), ...notes.filter(Boolean).map((note) => el("small", {}, note))),
      ),
    ),
  );
}
