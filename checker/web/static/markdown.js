// Results as Markdown, to paste into a note or a ticket. Text of posts is escaped and quoted.

import { summary, suspicion } from "./table.js";
import { languageName, said, t, verdictName } from "./names.js";
import { number, ofHundred, percent, printable } from "./text.js";
import { asks } from "./sentences.js";
import { answers, errorRates, evidence } from "./verdict.js";

/** One post with its evidence. */
export function asMarkdown(result) {
  const lines = [
    `## ${escaped(said(result.headline))}`,
    ...part("next", bullets(result.advice)),
    "",
    ...answers(result).map(([question, answer]) => `- ${question}: ${answer}`),
    ...(result.machine_translated === null ? [] : [`- ${t("half")}`]),
    `- ${t("language_name")}: ${t("sure", { language: languageName(result.language.code), p: percent(result.language.confidence) })}${result.language.mixed ? `, ${t("mixed_short")}` : ""}`,
    ...(result.round_trip ? [trip(result.round_trip)] : []),
    ...part("warnings", bullets(result.warnings.map(({ text }) => text))),
    ...part("why", bullets(evidence(result))),
    ...part("wrong", bullets(errorRates(result))),
    ...part("sentences", result.sentences.flatMap((one) => sentence(one, asks(result)))),
    "",
    `statement-checker ${result.version}; ${escaped(Object.entries(result.models).map((pair) => pair.join(" ")).join(", "))}`,
    "",
    t("disclaimer"),
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
          ofHundred(suspicion(outcome)),
          languageName(outcome.language.code),
          escaped(said(outcome.headline)),
        ]
      : [escaped(outcome.id), t("not_read"), "–", "–", escaped(t("row", { n: outcome.row, problem: `${outcome.error} ${outcome.fix}` }))],
  );
  const table = [[..."post verdict probability language".split(" ").map((name) => t(`th_${name}`)), t("why")], Array(5).fill("---"), ...rows];
  return `${summary(outcomes)}\n\n${table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function trip({ pivot, chrf, bleu, ter }) {
  return `- ${t("trip", { language: languageName(pivot) })}: chrF++ ${number(chrf, 1)}, BLEU ${number(bleu, 1)}, TER ${number(ter, 1)}`;
}

function sentence(one, question) {
  const { text, pivot, pivot_text: translation, back_translation: back, grade } = one;
  const lines = [`> ${ofHundred(one[question])}: ${escaped(text)}`];
  if (translation !== null && grade !== "draft") lines.push(">", `> ${t("translated")}${pivot ? ` (${languageName(pivot)})` : ""}: ${escaped(translation)}`, ">", `> ${t("translated_back")}: ${escaped(back)}`);
  return [...lines, ""];
}

function part(title, lines) {
  return lines.length ? ["", `### ${t(title)}`, "", ...lines] : [];
}

function bullets(texts) {
  return texts.map((text) => `- ${escaped(said(text))}`);
}

/** On one line, with everything that Markdown or HTML would read taken literally. */
function escaped(text) {
  return printable(text).replace(/\s+/g, " ").trim().replace(/[\\`*_[\]<>#|~&@]/g, "\\$&").replace(/:\/\//g, ":\\//");
}
