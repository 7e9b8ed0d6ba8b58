// The words of the page: the catalogue of its language, which the service puts into it (checker/web/texts).

const names = JSON.parse(document.getElementById("names").textContent);
const PAGE = document.documentElement.lang;
const inPage = new Intl.DisplayNames(PAGE, { type: "language" });
const codes = new Map(Object.entries(names.languages).map(([code, name]) => [name, code]));
const patterns = Object.entries(names.said).map(([english, own]) => [pattern(english), own]);

/** Verdicts, in the order in which they are counted. */
export const VERDICTS = names.verdicts;

/** Codes of the languages that can be scored. */
export const LANGUAGES = Object.keys(names.languages);

/** A text of the page by its key, its places filled. */
export function t(key, places = {}) {
  return filled(names.texts[key], places);
}

/** What a verdict is called, as a title. */
export function verdictName(verdict) {
  return t(`verdict_${verdict}`);
}

/** What a verdict means, in one sentence. */
export function meaning(verdict) {
  return said(names.meanings[verdict]);
}

/** Name of a language in that of the page. */
export function languageName(code) {
  if (!code) return t("unknown_language");
  if (PAGE === "en") return names.languages[code] ?? code;
  try {
    return inPage.of(code);
  } catch {
    return code;
  }
}

/** What the service said in English, in the language of the page where its catalogue has that. */
export function said(text) {
  for (const [english, own] of patterns) {
    const found = english.exec(text);
    if (found) return filled(own, ownPlaces(found.groups ?? {}));
  }
  return text;
}

/** Attributes of an element with such a text: it is English where there is no translation. */
export function spoken(text) {
  return PAGE === "en" || said(text) !== text ? {} : { lang: "en", dir: "ltr" };
}

function filled(text, places) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in places ? String(places[name]) : place));
}

function pattern(english) {
  const source = english.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{(\w+)\}/g, "(?<$1>.+?)");
  return new RegExp(`^${source}$`);
}

function ownPlaces({ language, share, ...others }) {
  const own = { ...others };
  if (language) own.language = languageName(codes.get(language) ?? language);
  if (share) {
    const [, less, more, amount] = /^(under )?(over )?(.*)$/.exec(share);
    own.share = less ? t("under", { n: amount }) : more ? t("over", { n: amount }) : amount;
  }
  return own;
}
