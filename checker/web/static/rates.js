// Measured error rates: figures of v1/languages, found for one result. Nothing is said here that was not measured.

import { number, percent } from "./text.js";

const NEARBY = 0.1; // a bin of the reliability table speaks for a probability this near to its mean

/** Length bands of a language with a measured error rate. */
export function measured(languages, code) {
  return (entry(languages, code)?.verdict?.bands ?? []).filter((band) => band.threshold);
}

/**
 * The cut that a result was judged by, and in words how often it is wrong.
 * @param {object} result
 * @param {object | null} languages the answer of v1/languages
 * @returns {{cut: number | null, sentences: string[]} | null} null when there is no probability to speak of
 */
export function errorRate(result, languages) {
  if (result.machine_translated === null) return null;
  const codes = new Set(result.sentences.map((sentence) => sentence.language));
  const parts = Array.from(codes, (code) => entry(languages, code)).filter((language) => language?.verdict);
  const found = parts.map((language) => [language, band(result, language)]).filter(([, one]) => one);
  const complete = found.length > 0 && found.length === parts.length;
  return {
    cut: complete ? Math.max(...found.map(([, one]) => one.threshold.machine)) : null, // the strictest, as verdict.py has it
    sentences: [
      complete ? null : "No error rate was measured for posts of this language and length.",
      ...found.map(([language, one]) => wrongly(language, one)),
      ...(parts.length === 1 ? [nearby(parts[0], result.machine_translated), detection(parts[0])] : []),
    ].filter(Boolean),
  };
}

function entry(languages, code) {
  return languages?.languages.find((language) => language.code === code);
}

/** The length band that a result was judged in: the one whose figures its reasons quote. */
function band(result, { name, verdict }) {
  return verdict.bands.find(
    ({ threshold }) =>
      threshold &&
      result.reasons.some(
        (reason) =>
          reason.includes(`from ${threshold.machine.toFixed(2)} `) &&
          reason.includes(` ${name} post`) &&
          reason.includes(` of ${threshold.posts} ${humans(threshold)} `),
      ),
  );
}

function humans({ negatives }) {
  return negatives === "native" ? "native posts" : negatives;
}

function wrongly({ name }, { from, to, threshold }) {
  const { machine, false_positive_rate: rate, posts } = threshold;
  const reached = `${Math.round(rate * posts)} (${number(rate * 100, 1)}\u00a0%)`;
  return `${name}, ${from} to ${to} columns: of ${posts} ${humans(threshold)} of this length, ${reached} reached ` +
    `${percent(machine)}, the mark from which a post is called machine-translated.`;
}

function nearby({ name, verdict }, probability) {
  const [bin] = verdict.bins
    .filter(({ predicted }) => Math.abs(predicted - probability) <= NEARBY)
    .sort((a, b) => Math.abs(a.predicted - probability) - Math.abs(b.predicted - probability));
  if (!bin) return null;
  return `Of ${bin.posts} ${name} test posts with a probability near ${percent(bin.predicted)}, ` +
    `${percent(bin.observed)} were machine-translated (human posts and machine translations weighing the same).`;
}

function detection({ name, verdict }) {
  const { machine } = verdict.flagged;
  if (machine === undefined) return null;
  return `Of the ${name} machine translations in the test, all lengths together, ` +
    `${percent(machine)} were called machine-translated.`;
}
