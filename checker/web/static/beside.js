// A post beside the text that it may be a translation of: passage by passage, with what does not match.

import { el } from "./dom.js";
import { languageName, t } from "./names.js";
import { marked } from "./sentences.js";
import { direction, printable, units } from "./text.js";

/** @param {object} quality as in docs/quality.md */
export function beside(quality) {
  const wrong = quality.segments.filter(({ flagged }) => flagged).length;
  const said = wrong ? t("side_flagged", { n: wrong, total: quality.segments.length }) : t("side_clear");
  const titles = [
    `${t("side_source")}, ${languageName(quality.source_language.code)}`,
    `${t("side_post")}, ${languageName(quality.target_language.code)}`,
  ];
  return el(
    "section",
    { class: "side" },
    el("h3", {}, t("side_by_side")),
    el("p", { class: "chance" }, said),
    el(
      "div",
      { class: "scroll", role: "region", "aria-label": t("side_by_side"), tabindex: "0" },
      el(
        "table",
        {},
        el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title)))),
        el("tbody", {}, ...quality.segments.flatMap((segment, n) => rows(quality, segment, n))),
      ),
    ),
    quality.warnings.length > 0 &&
      el("ul", { class: "warnings" }, ...quality.warnings.map(({ text }) => el("li", { lang: "en", dir: "ltr" }, printable(text)))),
  );
}

function rows(quality, segment, n) {
  const findings = quality.findings.filter((finding) => finding.segment === n);
  const cells = ["source", "target"].map((side) => {
    const { code } = quality[`${side}_language`];
    const passage = segment[side];
    const content = passage ? shown(passage, findings.flatMap((finding) => finding[side])) : [el("i", {}, t("side_missing"))];
    return el("td", { class: "text", dir: passage ? direction(code) : null, lang: passage ? code : null }, ...content);
  });
  const notes = findings.map(({ message }) => el("li", { lang: "en", dir: "ltr" }, printable(message)));
  return [
    el("tr", { class: segment.flagged ? "flagged" : null }, ...cells),
    notes.length > 0 && el("tr", { class: "notes" }, el("td", { colspan: "2" }, el("ul", {}, ...notes))),
  ].filter(Boolean);
}

/** A passage with the parts that findings are about; their offsets count code points of the whole text. */
function shown({ text, start }, found) {
  const offsets = units(text);
  return marked(text, { differs: found.map((part) => ({ start: offsets[part.start - start], end: offsets[part.end - start] })) });
}
