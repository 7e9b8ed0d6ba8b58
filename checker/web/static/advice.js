// What would help when the answer is `uncertain` or `not_scored`.

import { measured, unmeasured } from "./rates.js";
import { languageName } from "./text.js";

/** Advice on a result, as sentences; none where the verdict is clear. */
export function advice(result, languages) {
  if (result.verdict === "not_scored") return [unscored(result, languages)];
  if (result.verdict !== "uncertain") return [];
  return [
    ...unmeasured(result).map((code) => lengths(code, languages)),
    "Longer text decides more often: put posts of the same account on the same matter together.",
    "Read the sentences with the highest probability first, and what their translation gives back.",
    "Look for the source: the same statement in another language, published earlier.",
  ];
}

function unscored({ language, sentences, warnings }, { languages }) {
  if (warnings.some((warning) => warning.startsWith("Not scored: too short"))) {
    return "Add the rest of the post, or put several posts of the same account together.";
  }
  if (sentences.length === 0) {
    return "Paste the words of the post, in one language. Links, names, numbers and emoji do not help.";
  }
  if (languages.some(({ code }) => code === language.code)) {
    return "Give a longer excerpt in one language. Names, numbers and quotations do not help.";
  }
  return `Nothing but text in a supported language will do. If this is not ${languageName(language.code)}, give a longer excerpt.`;
}

/** Which lengths of a language have measured error rates. */
function lengths(code, languages) {
  const name = languageName(code);
  const bands = measured(languages, code);
  if (bands.length === 0) return `No error rate was measured for ${name} at any length, so no verdict can be given.`;
  const least = Math.min(...bands.map((band) => band.from));
  const most = Math.max(...bands.map((band) => band.to));
  return `Error rates for ${name} were measured for texts of ${least} to ${most} columns (a wide character counts as two).`;
}
