// Two hours in parts of five minutes, drawn small. The last part is not over yet, and is drawn so.

import { svg } from "./dom.js";
import { span } from "./words.js";

const PARTS = 24;
const WIDE = 5; // of one part, in the drawing's units
const HIGH = 24;

/** What is drawn: how much of a part there is, and how it is said. */
const KINDS = {
  rate: { name: "delivered", of: (part) => part.delivered, say: (value) => `${value}` },
  failures: { name: "waiting or dead", of: (part) => part.open, say: (value) => `${value}` },
  latency: { name: "median latency", of: (part) => part.latency, say: span },
};

const framed = (label, className, ...drawn) =>
  svg(
    "svg",
    { viewBox: `0 0 ${PARTS * WIDE} ${HIGH}`, preserveAspectRatio: "none", class: `spark ${className}`, role: "img", "aria-label": label },
    svg("title", {}, label),
    svg("path", { class: "base", d: `M0 ${HIGH - 0.5}H${PARTS * WIDE}` }),
    ...drawn,
  );

const left = (parts, index) => (PARTS - parts.length + index) * WIDE;

const tall = (value, most) => Math.max(1.5, (value / most) * (HIGH - 2));

/** @param {"rate"|"failures"|"latency"} kind */
export function sparkline(recent, kind) {
  const { name, of, say } = KINDS[kind];
  const parts = recent.slice(-PARTS);
  const known = parts.map(of).filter((value) => value !== null);
  if (!known.some((value) => value > 0)) return framed(`${name}: none in the last two hours`, kind);
  const most = Math.max(...known);
  const last = parts.map(of).at(-1);
  const label = `${name}, by five minutes: at most ${say(most)}${last === null ? "" : `, now ${say(last)}`}`;
  return framed(label, kind, kind === "latency" ? line(parts, of, most) : bars(parts, of, most));
}

const bars = (parts, of, most) =>
  parts.map((part, index) => {
    const value = of(part);
    if (!value) return null;
    const height = tall(value, most);
    return svg("rect", {
      class: index === parts.length - 1 ? "part now" : "part",
      x: left(parts, index) + 0.5,
      y: HIGH - height,
      width: WIDE - 1,
      height,
    });
  });

/** A line through what is known; where nothing was delivered there is none. */
function line(parts, of, most) {
  const points = parts.map((part, index) => [left(parts, index) + WIDE / 2, of(part)]);
  let path = "";
  points.forEach(([x, value], index) => {
    if (value === null) return;
    const goes = index > 0 && points[index - 1][1] !== null;
    const alone = !goes && (points[index + 1]?.[1] ?? null) === null;
    const y = (HIGH - 1 - tall(value, most) + 0.5).toFixed(1);
    path += alone ? `M${x - 1.5} ${y}h3` : `${goes ? "L" : "M"}${x} ${y}`;
  });
  return [svg("path", { class: "line", d: path })];
}

/** The largest of what is drawn, in words. */
export function peak(recent, kind) {
  const known = recent.map(KINDS[kind].of).filter((value) => value !== null);
  return known.length && Math.max(...known) > 0 ? KINDS[kind].say(Math.max(...known)) : "none";
}
