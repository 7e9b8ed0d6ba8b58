// Text of posts: hostile, in any script, with offsets that count code points (JavaScript counts UTF-16 units).

import { t } from "./names.js";

const NBSP = "\u00a0";
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0, roundingMode: "halfEven" }); // as Python rounds
const HIDDEN = /[\u0000-\u0008\u000e-\u001b\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069]/g;
const BREAKS = /[\u000b-\u000d\u001c-\u001e\u0085\u2028\u2029]/g;
const RIGHT_TO_LEFT = new Set(["Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"]);

/** The text with control characters and changes of direction made visible; its length stays. */
export function printable(text) {
  return text.replace(HIDDEN, "\ufffd").replace(BREAKS, " ");
}

/**
 * Where each code point of a text begins in UTF-16 units, and where the last one ends.
 * @param {string} text
 * @returns {number[]} one entry more than there are code points
 */
export function units(text) {
  const offsets = [0];
  for (const point of text) offsets.push(offsets[offsets.length - 1] + point.length);
  return offsets;
}

/**
 * A text in pieces, cut where a span begins or ends.
 * @param {string} text
 * @param {Object<string, {start: number, end: number}[]>} layers spans by name; offsets in UTF-16 units; one outside
 *   of the text is left out
 * @returns {{text: string, names: string[]}[]} each piece with the names whose spans it lies in
 */
export function pieces(text, layers) {
  const known = Object.entries(layers).map(([name, spans]) => ({
    name,
    spans: spans.filter(({ start, end }) => start >= 0 && start < end && end <= text.length).sort((a, b) => a.start - b.start),
    next: 0,
    until: 0,
  }));
  const edges = new Set([0, text.length]);
  for (const { spans } of known) for (const { start, end } of spans) edges.add(start).add(end);
  const places = [...edges].sort((a, b) => a - b);
  return places.slice(1).map((end, n) => {
    const start = places[n];
    for (const layer of known) {
      for (; layer.next < layer.spans.length && layer.spans[layer.next].start <= start; layer.next += 1) {
        layer.until = Math.max(layer.until, layer.spans[layer.next].end);
      }
    }
    return { text: text.slice(start, end), names: known.filter(({ until }) => start < until).map(({ name }) => name) };
  });
}

/** `rtl` for a language of a right-to-left script, `ltr` for others, `auto` where the language is not known. */
export function direction(code) {
  try {
    return RIGHT_TO_LEFT.has(new Intl.Locale(code).maximize().script) ? "rtl" : "ltr";
  } catch {
    return "auto";
  }
}

/** A share in whole per cent, as `percent` in checker/text.py has it; “–” where there is none. */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  if (share < 0.01) return share === 0 ? `0${NBSP}%` : t("under", { n: `1${NBSP}%` });
  if (share > 0.99) return share === 1 ? `100${NBSP}%` : t("over", { n: `99${NBSP}%` });
  return `${WHOLE.format(100 * share)}${NBSP}%`;
}

/** A probability as “31 in 100 posts like this”. */
export function inHundred(probability) {
  return t("in_100", { n: ofHundred(probability) });
}

/** The number of that, “31” or “under 1”; “–” where there is none. */
export function ofHundred(probability) {
  if (probability === null || probability === undefined) return "–";
  const clear = Math.min(Math.max(probability, 1e-4), 1 - 1e-4);
  return clear < 0.01 ? t("under", { n: 1 }) : clear > 0.99 ? t("over", { n: 99 }) : WHOLE.format(100 * clear);
}

/** A number with so many digits and a true minus; “–” where there is none. */
export function number(value, digits) {
  return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
}
