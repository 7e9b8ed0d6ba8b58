// Results as Markdown, to paste into a note or a ticket. Text of posts is escaped and quoted.

import { summary } from "./table.js";
import { languageName, verdictName } from "./names.js";
import { compact, inHundred, number, percent, printable } from "./text.js";
import { errorRates, evidence } from "./verdict.js";

/** One post with its evidence. */
export function asMarkdown(result) {
  const probability = result.machine_translated;
  const title = verdictName(result.verdict);
  const lines = [
    `## ${probability === null ? title : `${title}: ${inHundred(probability)}`}`,
    "",
    ...bullets(errorRates(result)),
    `- Language: ${languageName(result.language.code)} (${percent(result.language.confidence)})${result.language.mixed ? ", mixed" : ""}`,
    ...(result.fluency === null ? [] : [`- More fluent than ${percent(result.fluency)} of human texts`]),
    ...(result.round_trip ? [trip(result.round_trip)] : []),
    ...part("Why", bullets(evidence(result))),
    ...part("Warnings", bullets(result.warnings.map(({ text }) => text))),
    ...part("What to do next", bullets(result.advice)),
    ...part("Sentences", result.sentences.flatMap(sentence)),
    "",
    `statement-checker ${result.version}; ${escaped(Object.entries(result.models).map((pair) => pair.join(" ")).join(", "))}`,
    "",
    "A verdict is a reason to look closer, not a finding.",
  ];
  return `${lines.join("\n")}\n`;
}

/** The posts of a file as a table. */
export function tableAsMarkdown(outcomes) {
  const rows = outcomes.map((outcome) =>
    outcome.verdict
      ? [
          escaped(outcome.id),
          verdictName(outcome.verdict),
          compact(outcome.machine_translated),
          languageName(outcome.language.code),
          escaped((outcome.reasons[0] ?? outcome.warnings[0])?.text ?? ""),
        ]
      : [escaped(outcome.id), "Not read", "–", "–", escaped(`Row ${outcome.row}: ${outcome.error} ${outcome.fix}`)],
  );
  const table = [["Post", "Verdict", "Probability", "Language", "Why"], Array(5).fill("---"), ...rows];
  return `${summary(outcomes)}\n\n${table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function trip({ pivot, chrf, bleu, ter }) {
  return `- Round trip through ${languageName(pivot)}: chrF++ ${number(chrf, 1)}, BLEU ${number(bleu, 1)}, TER ${number(ter, 1)}`;
}

function sentence({ text, machine_translated: probability, pivot, pivot_text: translation, back_translation: back, grade }) {
  const lines = [`> ${percent(probability)}: ${escaped(text)}`];
  if (translation !== null && grade !== "draft") lines.push(">", `> ${pivot ? `In ${languageName(pivot)}` : "Translated"}: ${escaped(translation)}`, ">", `> Translated back: ${escaped(back)}`);
  return [...lines, ""];
}

function part(title, lines) {
  return lines.length ? ["", `### ${title}`, "", ...lines] : [];
}

function bullets(texts) {
  return texts.map((text) => `- ${escaped(text)}`);
}

/** On one line, with everything that Markdown or HTML would read taken literally. */
function escaped(text) {
  return printable(text).replace(/\s+/g, " ").trim().replace(/[\\`*_[\]<>#|~&@]/g, "\\$&").replace(/:\/\//g, ":\\//");
}
