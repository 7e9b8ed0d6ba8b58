// How often a verdict is wrong: the thresholds of a result and figures of v1/languages, all of them measured.

import { languageName, number, percent } from "./text.js";

const NEARBY = 0.1; // a bin of the reliability table speaks for a probability this near to its mean

/** Length bands of a language with a measured error rate. */
export function measured(languages, code) {
  return (entry(languages, code)?.verdict?.bands ?? []).filter((band) => band.threshold);
}

/** Languages of a scored post that have no measured error rate at its length. */
export function unmeasured(result) {
  return scored(result).filter((code) => !result.thresholds.some(({ language }) => language === code));
}

/**
 * The cut that a result was judged by, and in words how often it is wrong.
 * @param {object} result
 * @param {object | null} languages the answer of v1/languages
 * @returns {{cut: number | null, sentences: string[]} | null} null when there is no probability to speak of
 */
export function errorRate(result, languages) {
  if (result.machine_translated === null) return null;
  const unknown = unmeasured(result);
  const cuts = result.thresholds.map((threshold) => threshold.machine_translated);
  const parts = scored(result).map((code) => entry(languages, code));
  return {
    cut: unknown.length ? null : Math.max(...cuts), // the strictest, as pipeline.py has it
    sentences: [
      ...unknown.map((code) => `No error rate was measured for ${languageName(code)} posts of this length.`),
      ...result.thresholds.map(wrongly),
      ...(parts.length === 1 ? [nearby(parts[0], result.machine_translated), detection(parts[0])] : []),
    ].filter(Boolean),
  };
}

function entry(languages, code) {
  return languages?.languages.find((language) => language.code === code);
}

/** Languages of the sentences that were scored. */
function scored({ sentences }) {
  return Array.from(new Set(sentences.filter(({ style }) => style !== null).map(({ language }) => language)));
}

function wrongly({ language, machine_translated: cut, false_positive_rate: rate, posts, negatives, shortest, longest }) {
  const humans = negatives === "native" ? "native posts" : negatives;
  const reached = `${Math.round(rate * posts)} (${number(rate * 100, 1)}\u00a0%)`;
  return `${languageName(language)}, ${shortest} to ${longest} columns: of ${posts} ${humans} of this length, ` +
    `${reached} reached ${percent(cut)}, the mark from which a post is called machine-translated.`;
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
