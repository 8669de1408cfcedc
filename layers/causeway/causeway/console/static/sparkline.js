// Two hours in parts of five minutes, drawn small. The last part is not over yet, and is drawn so.

import { svg } from "./dom.js";
import { span } from "./words.js";

const PARTS = 24;
const WIDE = 5; // of one part, in the drawing's units
const HIGH = 24;

/** What is drawn: how much of a part there is, and how it is said. */
const KINDS = {
  rate: { name: "delivered", of: (part) => part.delivered, say: (value) => `${value}` },
  failures: { name: "not at once", of: (part) => part.open + part.retried, say: (value) => `${value}` },
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
  if (kind === "latency") return framed(label, kind, line(parts, of, most));
  if (kind === "rate") return framed(label, kind, bars(parts, of, most));
  return framed(`${label}; ${made(recent)}`, kind, bars(parts, of, most), bars(parts, (part) => part.open, most, "open"));
}

/** What did not go at once, in words. */
export function made(recent) {
  const sum = (name) => recent.reduce((all, part) => all + part[name], 0);
  return `${sum("open")} waiting or dead, ${sum("retried")} delivered by a retry`;
}

const bars = (parts, of, most, className = "") =>
  parts.map((part, index) => {
    const value = of(part);
    if (!value) return null;
    const height = tall(value, most);
    return svg("rect", {
      class: `part ${index === parts.length - 1 ? "now" : ""} ${className}`,
      x: left(parts, index) + 0.5,
      y: HIGH - height,
      width: WIDE - 1,
      height,
    });
  });

/** A line through what is known; dashed over parts in which nothing was delivered. */
function line(parts, of, most) {
  const known = parts.map((part, index) => ({ index, value: of(part) })).filter(({ value }) => value !== null);
  const at = ({ index, value }) => `${left(parts, index) + WIDE / 2} ${(HIGH - 0.5 - tall(value, most)).toFixed(1)}`;
  const goes = known.map((each, index) => (index === 0 ? "first" : each.index - known[index - 1].index > 1 ? "gap" : "line"));
  const path = (kind) => known.map((each, index) => (goes[index] === kind ? `M${at(known[index - 1])}L${at(each)}` : "")).join("");
  const alone = known.length === 1 ? `M${at(known[0])}h2` : "";
  return [svg("path", { class: "line gap", d: path("gap") }), svg("path", { class: "line", d: path("line") + alone })];
}

/** The largest of what is drawn, in words. */
export function peak(recent, kind) {
  const known = recent.map(KINDS[kind].of).filter((value) => value !== null);
  return known.length && Math.max(...known) > 0 ? KINDS[kind].say(Math.max(...known)) : "none";
}
