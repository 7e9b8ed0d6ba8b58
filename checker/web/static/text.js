// Text of posts: hostile, in any script, with offsets that count code points (JavaScript counts UTF-16 units).

const NBSP = "\u00a0";
const HIDDEN = /[\u0000-\u0008\u000e-\u001b\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069]/g;
const BREAKS = /[\u000b-\u000d\u001c-\u001e\u0085\u2028\u2029]/g;
const RIGHT_TO_LEFT = new Set(["Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"]);

// In scripts without spaces a character is a word, as in checker/text.py.
const UNSPACED = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`;
const WORD = new RegExp(
  String.raw`[${UNSPACED}]\p{M}*|[\p{sc=Katakana}ー]+|\p{N}+(?:[.,:]\p{N}+)+` +
    String.raw`|(?:(?![${UNSPACED}\p{sc=Katakana}ー])[\p{L}\p{M}\p{N}]|(?<=\p{L}\p{M}*)['’ʼ·\u200c\u200d](?=\p{L}))+`,
  "gu",
);

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
 * A text in pieces: what is inside the spans, and what is between them.
 * @param {string} text
 * @param {{start: number, end: number}[]} spans offsets in UTF-16 units; one that overlaps an earlier one is left out
 * @returns {{text: string, span: object | null}[]}
 */
export function pieces(text, spans) {
  const found = [];
  let here = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start < here || span.end <= span.start || span.end > text.length) continue;
    if (span.start > here) found.push({ text: text.slice(here, span.start), span: null });
    found.push({ text: text.slice(span.start, span.end), span });
    here = span.end;
  }
  if (here < text.length) found.push({ text: text.slice(here), span: null });
  return found;
}

/** The words of a text with their offsets in UTF-16 units. */
export function words(text) {
  return Array.from(text.matchAll(WORD), (match) => ({
    key: match[0].toLowerCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
}

/**
 * The words of a back-translation that do not stand for a word of the sentence.
 * @param {string} sentence
 * @param {{start: number, end: number}[]} lost spans of the sentence that did not come back, in UTF-16 units
 * @param {string} back
 * @returns {{start: number, end: number}[]} neighbours joined
 */
export function added(sentence, lost, back) {
  const kept = words(sentence).filter((word) => !lost.some((span) => word.start < span.end && span.start < word.end));
  const theirs = words(back);
  const came = new Set();
  let next = 0;
  for (const word of kept) {
    const place = theirs.findIndex((their, n) => n >= next && their.key === word.key);
    if (place < 0) continue;
    came.add(place);
    next = place + 1;
  }
  const spans = [];
  theirs.forEach((word, n) => {
    if (came.has(n)) return;
    if (n > 0 && !came.has(n - 1)) spans[spans.length - 1].end = word.end;
    else spans.push({ start: word.start, end: word.end });
  });
  return spans;
}

/** `rtl` for a language of a right-to-left script, `ltr` for others, `auto` where the language is not known. */
export function direction(code) {
  try {
    return RIGHT_TO_LEFT.has(new Intl.Locale(code).maximize().script) ? "rtl" : "ltr";
  } catch {
    return "auto";
  }
}

/** English name of a language. */
export function languageName(code) {
  if (!code) return "unknown language";
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** A share in whole per cent; “–” where there is none. */
export function percent(share) {
  if (share === null || share === undefined) return "–";
  if (share > 0.99) return `>${NBSP}99${NBSP}%`;
  if (share < 0.01) return `<${NBSP}1${NBSP}%`;
  return `${Math.round(share * 100)}${NBSP}%`;
}

/** A number with so many digits and a true minus; “–” where there is none. */
export function number(value, digits) {
  return value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
}
