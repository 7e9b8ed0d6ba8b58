// The dial: half a circle from 0 to 100 %, the threshold of the verdict on it, a needle at the probability.

import { svg } from "./dom.js";
import { t } from "./names.js";
import { percent } from "./text.js";

const [WIDTH, HEIGHT, X, Y, RADIUS] = [300, 172, 150, 142, 104];

/**
 * @param {number | null} probability
 * @param {number | null} threshold from here a post is called so
 * @param {string} question that it answers: machine_translated or rudimentary
 */
export function dial(probability, threshold, question) {
  const zones = threshold === null
    ? [arc(0, 1, "between")]
    : [arc(0, threshold, "between"), arc(threshold, 1, "machine")];
  const ticks = threshold === null ? [] : [tick(threshold)];
  const label = probability === null
    ? t("no_probability")
    : t(`dial_${question}`, { p: percent(probability) }) +
      " " +
      (threshold === null
        ? t("dial_none")
        : t(`dial_threshold_${question}`, { p: percent(threshold) }));
  return svg(
    "svg",
    { class: "dial", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    ...zones,
    ...ticks,
    end("0", 0),
    end("100", 1),
    probability === null ? null : needle(probability),
  );
}

/** The point at a share of the half circle. */
function at(share, radius) {
  const angle = Math.PI * (1 - share);
  return [X + radius * Math.cos(angle), Y - radius * Math.sin(angle)].map((value) => value.toFixed(2));
}

function arc(from, to, zone) {
  const path = `M${at(from, RADIUS).join(" ")} A${RADIUS} ${RADIUS} 0 0 1 ${at(to, RADIUS).join(" ")}`;
  return svg("path", { class: `zone ${zone}`, d: path });
}

function line(share, inner, outer, name) {
  const [[x1, y1], [x2, y2]] = [at(share, inner), at(share, outer)];
  return svg("line", { class: name, x1, y1, x2, y2 });
}

function tick(share) {
  const [x, y] = at(share, RADIUS + 16);
  const anchor = share < 0.4 ? "end" : share > 0.6 ? "start" : "middle";
  return svg(
    "g",
    {},
    line(share, RADIUS - 9, RADIUS + 9, "tick"),
    svg("text", { class: "mark", x, y, "text-anchor": anchor }, percent(share)),
  );
}

function end(text, share) {
  const [x] = at(share, RADIUS);
  return svg("text", { class: "mark", x, y: Y + 20, "text-anchor": "middle" }, text);
}

function needle(share) {
  const [cx, cy] = at(share, RADIUS);
  return svg("g", {}, line(share, RADIUS - 28, RADIUS, "needle"), svg("circle", { class: "knob", cx, cy, r: 7 }));
}
