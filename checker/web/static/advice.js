// What would help when the answer is `uncertain` or `not_scored`.

import { measured } from "./rates.js";
import { languageName } from "./text.js";

const NOT_SCORED = [
  [/too short/, "Add the rest of the post, or put several posts of the same account together."],
  [/could not be identified/, "Give a longer excerpt in one language. Names, numbers and quotations do not help."],
  [/is not supported/, "Nothing but text in a supported language will do; the warning names them."],
  [/no text left|no word/, "Paste the words of the post. Links, names and emoji are set aside."],
];

/** Advice on a result, as sentences; none where the verdict is clear. */
export function advice(result, languages) {
  if (result.verdict === "not_scored") {
    const known = NOT_SCORED.filter(([why]) => result.warnings.some((warning) => why.test(warning)));
    return known.map(([, help]) => help);
  }
  if (result.verdict !== "uncertain") return [];
  return [
    lengths(result, languages),
    "Longer text decides more often: put posts of the same account on the same matter together.",
    "Read the sentences with the highest probability first, and what their translation gives back.",
    "Look for the source: the same statement in another language, published earlier.",
  ].filter(Boolean);
}

/** Which lengths have measured error rates, where this one has none. */
function lengths(result, languages) {
  if (!result.reasons.some((reason) => reason.includes("No error rate was measured"))) return null;
  const name = languageName(result.language.code);
  const bands = measured(languages, result.language.code);
  if (bands.length === 0) return `No error rate was measured for ${name} at any length, so no verdict can be given.`;
  const least = Math.min(...bands.map((band) => band.from));
  const most = Math.max(...bands.map((band) => band.to));
  return `Error rates for ${name} were measured for texts of ${least} to ${most} columns (a wide character counts as two).`;
}
