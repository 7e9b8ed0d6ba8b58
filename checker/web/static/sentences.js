// The text with every sentence shaded by its own probability; a sentence opens its round trip.

import { el } from "./dom.js";
import { languageName, t } from "./names.js";
import { direction, inHundred, number, ofHundred, percent, pieces, printable, units } from "./text.js";

const LEVELS = 5;

/** The question whose probability the dial and the sentences show: that of the verdict. */
export function asks({ verdict }) {
  return verdict === "rudimentary" ? "rudimentary" : "machine_translated";
}

/**
 * The passage, its legend and the place where a sentence is explained.
 * @param {object} result
 * @param {string | null} source the post as it was sent
 * @returns {Node[]} empty when the result has no sentences
 */
export function passage(result, source) {
  if (result.sentences.length === 0) return [];
  const detail = el("div", { id: "sentence", class: "sentence", role: "region", "aria-labelledby": "sentence-title", hidden: true });
  const text = el("div", { class: "passage", dir: direction(result.language.code), lang: result.language.code });
  const question = asks(result);
  const buttons = result.sentences.map((sentence) => shaded(sentence, question, result.sentences.length > 1));

  function close() {
    detail.hidden = true;
    for (const button of text.querySelectorAll("[aria-expanded]")) button.setAttribute("aria-expanded", "false");
  }
  function open(n) {
    const again = buttons[n].getAttribute("aria-expanded") === "true";
    close();
    if (again) return;
    buttons[n].setAttribute("aria-expanded", "true");
    const back = () => {
      close();
      buttons[n].focus();
    };
    detail.replaceChildren(...explained(result, n, back));
    detail.hidden = false;
    detail.querySelector("h4").focus({ preventScroll: true });
    detail.scrollIntoView({ block: "nearest" });
    detail.onkeydown = (event) => {
      if (event.key === "Escape") back();
    };
  }
  buttons.forEach((button, n) => {
    if (!opens(result.sentences[n])) return;
    button.addEventListener("click", () => {
      if (getSelection().isCollapsed) open(n);
    });
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open(n);
    });
  });

  const offsets = source === null ? null : units(source);
  let end = 0;
  result.sentences.forEach((sentence, n) => {
    text.append(...between(source, offsets, end, sentence.start), buttons[n]);
    end = sentence.end;
  });
  if (offsets) text.append(...between(source, offsets, end, offsets.length - 1));
  if (!result.sentences.some(opens)) return [text];
  return [
    el("p", { class: "hint" }, t(result.sentences.length > 1 ? `sentences_hint_${question}` : "sentence_hint")),
    text,
    legend(),
    detail,
  ];
}

/** What was set aside between two sentences; a mark for it where it is not known. */
function between(source, offsets, start, end) {
  if (end <= start) return [];
  const text = offsets ? source.slice(offsets[start], offsets[end]) : end - start > 2 ? " […] " : " ";
  return [text.trim() ? el("bdi", { class: "aside" }, printable(text)) : text];
}

/** Whether there is something to explain about a sentence: it was scored. */
function opens(sentence) {
  return sentence.style !== null;
}

/** A sentence; its number is left out where it is the whole post. */
function shaded(sentence, question, numbered) {
  const probability = sentence[question] ?? null;
  const level = probability === null ? "none" : Math.min(LEVELS - 1, Math.floor(probability * LEVELS));
  const badge = probability === null ? t("sentence_not_scored") : numbered ? ofHundred(probability) : null;
  const button = { role: "button", tabindex: "0", "aria-expanded": "false", "aria-controls": "sentence" };
  return el(
    "span",
    {
      class: `shaded level-${level}`,
      dir: sentence.language ? direction(sentence.language) : "auto",
      lang: sentence.language,
      ...(opens(sentence) ? button : {}),
    },
    ...marked(sentence.text, { telling: suspicious(sentence), broken: local(sentence, sentence.broken ?? []) }),
    badge !== null && el("span", { class: "badge", lang: document.documentElement.lang, dir: document.documentElement.dir }, badge),
  );
}

/** What the back-translation has in place of words of the sentence, in UTF-16 units. */
function theirs({ back_translation: back, differences }) {
  const offsets = units(back);
  return differences.map((span) => ({ start: offsets[span.back_start], end: offsets[span.back_end] }));
}

/** Spans of the service, moved from code points of the post to UTF-16 units of the sentence. */
function local(sentence, spans) {
  const offsets = units(sentence.text);
  return spans.map((span) => ({ ...span, start: offsets[span.start - sentence.start], end: offsets[span.end - sentence.start] }));
}

function suspicious(sentence) {
  return local(sentence, sentence.words.filter((word) => word.weight > 0));
}

/** A text with the spans of each class marked; where spans of several classes lie, all of them. */
export function marked(text, layers) {
  return pieces(text, layers).map(({ text: piece, names }) =>
    names.length > 0 ? el("mark", { class: names.join(" ") }, printable(piece)) : printable(piece),
  );
}

function legend() {
  return el(
    "p",
    { class: "legend" },
    ...[0, 20, 40, 60, 80].map((from, level) =>
      el("span", { class: `swatch level-${level}` }, t("legend_range", { from, to: from + 20 })),
    ),
    el("span", {}, el("mark", { class: "telling" }, t("legend_word")), ` ${t("legend_points")}`),
    el("span", {}, el("mark", { class: "broken" }, t("legend_word")), ` ${t("legend_broken")}`),
  );
}

/** What is known about one sentence, the post beside its translations. */
function explained(result, n, close) {
  const sentence = result.sentences[n];
  const lost = local(sentence, sentence.differences);
  const { pivot } = sentence;
  const own = languageName(sentence.language);
  const none = el("p", {}, t("no_trip"));
  const trip = sentence.back_translation === null
    ? []
    : [
        column(t("translated"), pivot && languageName(pivot), pivot, [printable(sentence.pivot_text)]),
        column(t("translated_back"), own, sentence.language, marked(sentence.back_translation, { differs: theirs(sentence) })),
      ];
  const posted = column(t("as_posted"), own, sentence.language, marked(sentence.text, { differs: lost }));
  const columns = trip.length === 0 ? [none] : sentence.grade === "draft" ? [posted] : [posted, ...trip];
  return [
    el(
      "div",
      { class: "head" },
      el("h4", { id: "sentence-title", tabindex: "-1" }, t("sentence", { n: n + 1, total: result.sentences.length })),
      el("button", { type: "button", class: "quiet", click: close }, t("close")),
    ),
    el("div", { class: "columns" }, ...columns),
    sentence.grade === "draft" && trip.length > 0
      ? el("details", { class: "draft" }, el("summary", {}, t("draft")), el("div", { class: "columns" }, ...trip))
      : null,
    sentence.back_translation === null ? null : el("p", { class: "hint" }, told(sentence)),
    figures(sentence),
    telling(sentence),
  ].filter(Boolean);
}

function told(sentence) {
  return sentence.reliable
    ? t("marked")
    : t("looped");
}

function column(title, language, code, content) {
  return el(
    "section",
    {},
    el("h5", {}, title, language && el("span", { class: "of" }, language)),
    el("p", { class: "text", dir: code ? direction(code) : "auto", lang: code }, ...content),
  );
}

function figures(sentence) {
  const known = [
    [t("rudimentary"), sentence.rudimentary ?? null, inHundred(sentence.rudimentary)],
    [t("fluency"), sentence.fluency, `${t("more_fluent", { p: t("human_texts", { p: percent(sentence.fluency) }) })}`],
    [t("perplexity"), sentence.perplexity, number(sentence.perplexity, 1)],
    ["chrF++", sentence.chrf, number(sentence.chrf, 1)],
    ["BLEU", sentence.bleu, number(sentence.bleu, 1)],
    ["TER", sentence.ter, number(sentence.ter, 1)],
    [t("log_likelihood"), sentence.log_likelihood, t("nats", { n: number(sentence.log_likelihood, 2) })],
    [t("gap"), sentence.gap, t("nats", { n: number(sentence.gap, 2) })],
  ].filter(([, value]) => value !== null);
  if (known.length === 0) return null;
  return el("dl", { class: "figures" }, ...known.map(([name, , shown]) => el("div", {}, el("dt", {}, name), el("dd", {}, shown))));
}

/** The words that moved the style detector most, and their shares of the log-odds of the sentence. */
function telling(sentence) {
  if (sentence.words.length === 0) return null;
  const found = local(sentence, sentence.words).sort((a, b) => b.weight - a.weight);
  return el(
    "div",
    { class: "words-moved" },
    el("h5", {}, t("words_moved"), el("span", { class: "of" }, t("words_moved_note"))),
    el(
      "ul",
      {},
      ...found.map(({ start, end, weight }) =>
        el(
          "li",
          {},
          el("bdi", { lang: sentence.language }, printable(sentence.text.slice(start, end))),
          ` ${weight > 0 ? "+" : ""}${number(weight, 2)}`,
        ),
      ),
    ),
  );
}
