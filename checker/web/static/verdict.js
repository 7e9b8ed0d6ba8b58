// One result: verdict with its dial, evidence, the text with its sentences, reasons, and what would help.

import { advice } from "./advice.js";
import { dial } from "./dial.js";
import { el, list } from "./dom.js";
import { errorRate } from "./rates.js";
import { passage } from "./sentences.js";
import { languageName, number, percent, printable } from "./text.js";

/** What a verdict is called, and what it means in one sentence. */
export const VERDICTS = {
  machine_translated: ["Machine-translated", "Very few human posts of this kind score so high. Look closer: it is not a proof."],
  human_written: ["Human-written", "The wording is like that of human posts. An edited or very good translation can look the same."],
  uncertain: ["Uncertain", "The evidence does not decide. This is an answer, too: do not read a verdict into it."],
  not_scored: ["Not scored", "There is no probability for this text."],
};

/**
 * @param {object} result as in docs/result.md
 * @param {string | null} source the post as it was sent; null where only its sentences are known
 * @param {object | null} languages the answer of v1/languages
 * @param {Node} tools buttons to show beside the verdict
 */
export function verdict(result, source, languages, tools) {
  const [name, meaning] = VERDICTS[result.verdict];
  const rate = errorRate(result, languages);
  const warnings = list(result.warnings.map(printable), { class: rate ? "warnings" : "rate" });
  return [
    el(
      "div",
      { class: `verdict ${result.verdict}` },
      dial(result.machine_translated, rate?.cut ?? null),
      el(
        "div",
        { class: "words" },
        el("h2", { id: "verdict", tabindex: "-1" }, name),
        el("p", { class: "meaning" }, meaning),
        rate ? list(rate.sentences, { class: "rate" }) : warnings, // these say why there is no probability
        tools,
      ),
    ),
    section("The text, sentence by sentence", ...passage(result, source)),
    section("Why", list(result.reasons.map(printable))),
    section("Warnings", rate && warnings),
    section("What would help", list(advice(result, languages), { class: "advice" })),
    section("Evidence", facts(result)),
    el("p", { class: "models" }, `statement-checker ${result.version}. `, printable(models(result))),
  ].filter(Boolean);
}

function section(title, ...content) {
  const known = content.filter(Boolean);
  return known.length ? el("section", {}, el("h3", {}, title), ...known) : null;
}

function models(result) {
  return Object.entries(result.models).map(([task, label]) => `${task} ${label}`).join(", ");
}

function facts(result) {
  const { language, round_trip: trip } = result;
  const others = language.alternatives.map((guess) => `${languageName(guess.code)} ${percent(guess.confidence)}`);
  const rows = [
    [
      "Language",
      `${languageName(language.code)}, ${percent(language.confidence)} sure`,
      [language.mixed ? "Sentences are in more than one language." : "", others.length ? `Or: ${others.join(", ")}.` : ""],
    ],
  ];
  if (result.fluency !== null) {
    rows.push(["Fluency", percent(result.fluency), ["Share of human texts of this language and length that are less fluent."]]);
  }
  if (trip) {
    rows.push(
      [
        `Round trip through ${languageName(trip.pivot)}`,
        `chrF++ ${number(trip.chrf, 1)}, BLEU ${number(trip.bleu, 1)}, TER ${number(trip.ter, 1)}`,
        ["The post translated and translated back, against the post. Evidence to read; the shipped verdict does not count it."],
      ],
      [
        "Likelihood",
        `${number(trip.log_likelihood, 2)} nats a token`,
        [`The translator would give its own wording ${number(trip.gap, 2)} more.`],
      ],
    );
  }
  if (result.style !== null) {
    rows.push(["Style alone", `${result.style > 0 ? "+" : ""}${number(result.style, 2)} log-odds`, ["Above 0 points to a machine."]]);
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
