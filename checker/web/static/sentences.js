// The text with every sentence shaded by its own probability; a sentence opens its round trip.

import { el } from "./dom.js";
import { languageName } from "./names.js";
import { direction, number, percent, pieces, printable, units } from "./text.js";

const LEVELS = 5;
const DRAFT = "Draft translation: a small translator made it, do not quote it";

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
  const buttons = result.sentences.map(shaded);

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
    el("p", { class: "hint" }, "Each sentence carries its own probability. Choose one to see its translation and back-translation."),
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

function shaded(sentence) {
  const probability = sentence.machine_translated;
  const level = probability === null ? "none" : Math.min(LEVELS - 1, Math.floor(probability * LEVELS));
  const badge = probability === null ? "not scored" : percent(probability);
  const button = { role: "button", tabindex: "0", "aria-expanded": "false", "aria-controls": "sentence" };
  return el(
    "span",
    {
      class: `shaded level-${level}`,
      dir: sentence.language ? direction(sentence.language) : "auto",
      lang: sentence.language,
      ...(opens(sentence) ? button : {}),
    },
    ...marked(sentence.text, suspicious(sentence), "telling"),
    el("span", { class: "badge", lang: "en", dir: "ltr" }, badge),
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

function marked(text, spans, name) {
  return pieces(text, spans).map(({ text: piece, span }) =>
    span ? el("mark", { class: name }, printable(piece)) : printable(piece),
  );
}

function legend() {
  return el(
    "p",
    { class: "legend" },
    ...["0–20 %", "20–40 %", "40–60 %", "60–80 %", "80–100 %"].map((range, level) =>
      el("span", { class: `swatch level-${level}` }, range),
    ),
    el("span", {}, el("mark", { class: "telling" }, "word"), " raises the log-odds of its sentence"),
  );
}

/** What is known about one sentence, the post beside its translations. */
function explained(result, n, close) {
  const sentence = result.sentences[n];
  const lost = local(sentence, sentence.differences);
  const { pivot } = sentence;
  const own = languageName(sentence.language);
  const none = el("p", {}, "This sentence was not translated, so there is no round trip to show.");
  const trip = sentence.back_translation === null
    ? []
    : [
        column("Translated", pivot && languageName(pivot), pivot, [printable(sentence.pivot_text)]),
        column("Translated back", own, sentence.language, marked(sentence.back_translation, theirs(sentence), "differs")),
      ];
  const posted = column("As posted", own, sentence.language, marked(sentence.text, lost, "differs"));
  const columns = trip.length === 0 ? [none] : sentence.grade === "draft" ? [posted] : [posted, ...trip];
  return [
    el(
      "div",
      { class: "head" },
      el("h4", { id: "sentence-title", tabindex: "-1" }, `Sentence ${n + 1} of ${result.sentences.length}`),
      el("button", { type: "button", class: "quiet", click: close }, "Close"),
    ),
    el("div", { class: "columns" }, ...columns),
    sentence.grade === "draft" && trip.length > 0
      ? el("details", { class: "draft" }, el("summary", {}, DRAFT), el("div", { class: "columns" }, ...trip))
      : null,
    sentence.back_translation === null ? null : el("p", { class: "hint" }, told(sentence)),
    figures(sentence),
    telling(sentence),
  ].filter(Boolean);
}

function told(sentence) {
  return sentence.reliable
    ? "Marked: words that did not come back, and what came back in their place."
    : "The translator looped or lost the sentence: its round trip is not reliable and nothing is marked.";
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
  const signed = sentence.style > 0 ? "+" : "";
  const known = [
    ["Probability", sentence.machine_translated, percent(sentence.machine_translated)],
    ["More fluent than", sentence.fluency, `${percent(sentence.fluency)} of human texts`],
    ["Perplexity", sentence.perplexity, number(sentence.perplexity, 1)],
    ["Style, log-odds", sentence.style, signed + number(sentence.style, 2)],
    ["chrF++", sentence.chrf, number(sentence.chrf, 1)],
    ["BLEU", sentence.bleu, number(sentence.bleu, 1)],
    ["TER", sentence.ter, number(sentence.ter, 1)],
    ["Log-likelihood", sentence.log_likelihood, `${number(sentence.log_likelihood, 2)} nats`],
    ["Gap", sentence.gap, `${number(sentence.gap, 2)} nats`],
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
    el("h5", {}, "Words that moved the style detector", el("span", { class: "of" }, "their shares of the log-odds of this sentence")),
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
