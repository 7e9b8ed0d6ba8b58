// One result: verdict with its dial, evidence, the text with its sentences, reasons, and what to do next.

import { dial } from "./dial.js";
import { el, list } from "./dom.js";
import { languageName, meaning, verdictName } from "./names.js";
import { passage } from "./sentences.js";
import { inHundred, number, percent, printable } from "./text.js";

const EVIDENCE = new Set(["style", "fluency", "round_trip"]); // kinds of reasons

/** Of the reasons, those that say why, the strongest evidence first. */
export function evidence(result) {
  return result.reasons.filter(({ kind }) => EVIDENCE.has(kind)).map(({ text }) => text);
}

/** The others: how often such a verdict is wrong. */
export function errorRates(result) {
  return result.reasons.filter(({ kind }) => !EVIDENCE.has(kind)).map(({ text }) => text);
}

/**
 * @param {object} result as in docs/result.md
 * @param {string | null} source the post as it was sent; null where only its sentences are known
 * @param {Node} tools buttons to show beside the verdict
 */
export function verdict(result, source, tools) {
  const probability = result.machine_translated;
  const warnings = list(result.warnings.map(({ text }) => printable(text)), { class: probability === null ? "rate" : "warnings" });
  return [
    el(
      "div",
      { class: `verdict ${result.verdict}` },
      dial(probability, threshold(result)),
      el(
        "div",
        { class: "words" },
        el("h2", { id: "verdict", tabindex: "-1" }, verdictName(result.verdict)),
        probability !== null && el("p", { class: "chance" }, `${inHundred(probability)}, where half of all posts are.`),
        el("p", { class: "meaning" }, meaning(result.verdict)),
        probability !== null ? list(errorRates(result).map(printable), { class: "rate" }) : warnings, // these say why there is no probability
        tools,
      ),
    ),
    section("The text, sentence by sentence", ...passage(result, source)),
    section("Why", list(evidence(result).map(printable))),
    section("Warnings", probability !== null && warnings),
    section("What to do next", list(result.advice, { class: "advice" })),
    section("Evidence", facts(result)),
    el("p", { class: "models" }, `statement-checker ${result.version}. `, printable(models(result))),
  ].filter(Boolean);
}

/** The strictest threshold of its languages; null unless all of them have one. */
function threshold({ reasons, thresholds }) {
  if (thresholds.length === 0 || reasons.some(({ kind }) => kind === "unmeasured")) return null;
  const own = thresholds.filter(({ question }) => question === "machine_translated");
  return own.length ? Math.max(...own.map(({ probability: from }) => from)) : null;
}

/** Whether the verdict counts a kind of evidence, as a note. */
function counts({ reasons }, kind) {
  return reasons.some((reason) => reason.kind === kind) ? "The verdict counts it." : "Shown as evidence; this verdict does not count it.";
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
      language.code ? `${languageName(language.code)}, ${percent(language.confidence)} sure` : languageName(null),
      [language.mixed ? "Sentences are in more than one language." : "", others.length ? `Or: ${others.join(", ")}.` : ""],
    ],
  ];
  if (result.fluency !== null) {
    const than = `More fluent than ${percent(result.fluency)}`;
    rows.push(["Fluency", than, ["of human texts of this language and length.", counts(result, "fluency")]]);
  }
  if (trip) {
    rows.push(
      [
        `Round trip through ${languageName(trip.pivot)}`,
        `chrF++ ${number(trip.chrf, 1)}, BLEU ${number(trip.bleu, 1)}, TER ${number(trip.ter, 1)}`,
        ["The post translated and translated back, compared with the post.", counts(result, "round_trip")],
      ],
      ...(trip.log_likelihood === null
        ? []
        : [
            [
              "Likelihood",
              `${number(trip.log_likelihood, 2)} nats per token`,
              [`Of the post under the translator: ${number(trip.gap, 2)} below its own translation.`],
            ],
          ]),
    );
  }
  if (result.style !== null) {
    const notes = ["Above 0, machine translation is likelier than not. “Why” compares with a typical human post instead."];
    rows.push(["Style alone", `${result.style > 0 ? "+" : ""}${number(result.style, 2)} log-odds`, notes]);
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
