// What the service calls verdicts and languages; it puts these names into the page.

const names = JSON.parse(document.getElementById("names").textContent);

/** Verdicts, in the order in which they are counted. */
export const VERDICTS = Object.keys(names.verdicts);

/** What a verdict is called, as a title. */
export function verdictName(verdict) {
  const { name } = names.verdicts[verdict];
  return name[0].toUpperCase() + name.slice(1);
}

/** What a verdict means, in one or two sentences. */
export function meaning(verdict) {
  return names.verdicts[verdict].meaning;
}

/** English name of a language. */
export function languageName(code) {
  return code ? (names.languages[code] ?? code) : "unknown language";
}
