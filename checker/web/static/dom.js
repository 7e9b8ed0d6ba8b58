// Elements. What comes from a post goes in as text nodes and attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element. Attributes that are null, undefined or false are left out; `true` sets an empty one.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element; otherwise as `el`. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A list with an item for each text; null when there is none. */
export function list(texts, attributes = {}) {
  if (texts.length === 0) return null;
  return el("ul", attributes, ...texts.map((text) => el("li", {}, text)));
}
