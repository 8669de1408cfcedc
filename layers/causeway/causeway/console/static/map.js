// The map as a picture: where events come from, the integrations, where they go; each with its state.

import { h, svg, to } from "./dom.js";
import { LEVELS } from "./judge.js";

const MARKS = { bad: "×", warn: "!", hold: "‖", fine: "" };
const SAID = { bad: "broken", warn: "needs a look", hold: "on hold" };
const TALL = 26;
const GAP = 10;
const NARROW = 480; // below so many pixels an integration's name stands above its line
const LETTER = 7.3; // about so wide is one, at 13 px

/** Draw it into a figure that draws itself anew when its width changes; `fine` is what is said of those without a matter. */
export function map(integrations, found, levels, fine) {
  const figure = h("figure", { class: "map" });
  const drawn = () => {
    const { paddingLeft, paddingRight, fontSize } = getComputedStyle(figure);
    const wide = Math.floor(figure.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight));
    if (wide > 0) figure.replaceChildren(picture(integrations, found, levels, { fine, width: wide, scale: parseFloat(fontSize) / 15 }));
  };
  let before = 0;
  new ResizeObserver(() => {
    if (figure.clientWidth !== before) {
      before = figure.clientWidth;
      drawn();
    }
  }).observe(figure);
  return figure;
}

const target = (each) => (each.target.kind === "call" ? null : `${each.target.kind}${each.target.name ? ` ${each.target.name}` : ""}`);

const ends = (each) => [...each.calls, ...(target(each) ? [target(each)] : [])];

/** In rows: integrations stand beside those of the same source; systems at the middle of what they are tied to. */
function layout(integrations, tall) {
  const sorted = [...integrations].sort(
    (a, b) => a.source.system.localeCompare(b.source.system) || (ends(a)[0] ?? "").localeCompare(ends(b)[0] ?? "") ||
      a.integration.localeCompare(b.integration),
  );
  const rows = sorted.map((each, index) => ({ each, y: index * (tall + GAP) + tall / 2 + 1 }));
  const left = placed(rows, ({ each }) => [each.source.system], tall);
  const right = placed(rows, ({ each }) => ends(each), tall);
  const lowest = Math.max(...[...rows.map((row) => row.y), ...left.values(), ...right.values()]);
  return { rows, left, right, height: lowest + tall / 2 + 2 };
}

/** Names, each at the mean height of its rows, none over another. */
function placed(rows, namesOf, tall) {
  const heights = new Map();
  for (const row of rows) for (const name of namesOf(row)) heights.set(name, [...(heights.get(name) ?? []), row.y]);
  const wanted = [...heights].map(([name, all]) => [name, all.reduce((a, b) => a + b) / all.length]);
  wanted.sort((a, b) => a[1] - b[1]);
  const step = Math.min(tall, TALL) + GAP;
  let least = 0;
  return new Map(
    wanted.map(([name, y]) => {
      const at = Math.max(y, least);
      least = at + step;
      return [name, at];
    }),
  );
}

/** `scale`: of letters, beside those of a usual screen. */
function picture(integrations, found, levels, { fine, width, scale }) {
  const wide = width / scale;
  const narrow = wide < NARROW;
  const tall = narrow ? 46 : TALL;
  const side = Math.round(wide * (narrow ? 0.27 : 0.2));
  const middle = narrow ? wide - 2 * side - 24 : Math.round(wide * 0.34);
  const x = { left: 0.5, middle: Math.round((wide - middle) / 2) + 0.5, right: wide - side - 0.5 };
  const { rows, left, right, height } = layout(integrations, tall);
  const of = systemLevels(found);
  const label = `The map: ${integrations.length} integrations between ${new Set([...left.keys(), ...right.keys()]).size} systems and targets. The table below says the same in words.`;
  const edges = rows.flatMap(({ each, y }) => [
    edge(x.left + side, left.get(each.source.system), x.middle, y, levels.get(each.integration), true),
    ...ends(each).map((name) =>
      edge(x.middle + middle, y, x.right, right.get(name), of.get(name) ?? levels.get(each.integration), name === ends(each).at(-1)),
    ),
  ]);
  return svg(
    "svg",
    { viewBox: `0 0 ${wide} ${height}`, width, height: height * scale, role: "group", "aria-label": label },
    svg("g", { class: "edges" }, edges),
    [...left].map(([name, y]) => box(name, { x: x.left, y, width: side, level: of.get(name) ?? "fine", kind: "system" })),
    [...right].map(([name, y]) => box(name, { x: x.right, y, width: side, level: of.get(name) ?? "fine", kind: "system" })),
    rows.map(({ each, y }) => {
      const level = levels.get(each.integration);
      const name = each.integration;
      const inside = box(name, { x: x.middle, y, width: middle, level, kind: "integration", lines: narrow ? 2 : 1 });
      return svg("a", { href: to("integrations", name), "data-key": `map ${name}`, "aria-label": `${name}: ${SAID[level] ?? fine}` }, inside);
    }),
  );
}

function systemLevels(found) {
  const of = new Map();
  for (const { system, level } of found) {
    if (system && LEVELS.indexOf(level) < LEVELS.indexOf(of.get(system) ?? "fine")) of.set(system, level);
  }
  return of;
}

function edge(x1, y1, x2, y2, level, isLast) {
  const half = (x1 + x2) / 2;
  return svg("path", {
    class: `edge ${level}${isLast ? "" : " step"}`,
    d: `M${x1} ${y1}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`,
  });
}

/** A name in a box; cut where it is too long, but whole in its title. */
function box(name, { x, y, width, level, kind, lines = 1 }) {
  const tall = lines === 2 ? 42 : TALL;
  const room = Math.max(3, Math.floor((width - (level === "fine" ? 16 : 30)) / LETTER));
  const shown = broken(name, room, lines);
  return svg(
    "g",
    { class: `box ${kind} ${level}` },
    svg("title", {}, level === "fine" ? name : `${name}: ${SAID[level]}`),
    svg("rect", { x, y: y - tall / 2, width, height: tall, rx: kind === "system" ? 3 : tall / 2 > 13 ? 10 : 13 }),
    shown.map((part, index) =>
      svg("text", { x: x + width / 2, y: y + 4.5 + (index - (shown.length - 1) / 2) * 16, "text-anchor": "middle" }, part),
    ),
    MARKS[level] && svg("circle", { class: "mark", cx: x + width - 1, cy: y - tall / 2 + 1, r: 8 }),
    MARKS[level] && svg("text", { class: "sign", x: x + width - 1, y: y - tall / 2 + 5, "text-anchor": "middle" }, MARKS[level]),
  );
}

function broken(name, room, lines) {
  const cut = (text) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
  if (lines === 1 || name.length <= room) return [cut(name)];
  const at = name.lastIndexOf("-", room);
  const first = at > 0 ? at + 1 : room;
  return [name.slice(0, first), cut(name.slice(first))];
}
