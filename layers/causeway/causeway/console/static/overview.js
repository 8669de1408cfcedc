// The first page: is everything all right; what is not, since when, whose is it; the map; every integration.

import * as api from "./api.js";
import { h, to } from "./dom.js";
import { levels as levelsOf, matters, verdict } from "./judge.js";
import { map } from "./map.js";
import { mark, needs } from "./needs.js";
import { peak, sparkline } from "./sparkline.js";
import { ago, count, plural } from "./words.js";

/** How things stand: what the watchdog knows, and every integration as it is. */
export const standing = (signal) =>
  Promise.all([api.findings(signal), api.integrations(signal)]).then(([findings, integrations]) => ({ findings, integrations }));

/** Of each integration its worst matter in a word. */
const words = (found) => new Map(found.toReversed().flatMap((each) => each.names.map((name) => [name, mark(each)])));

export const overview = () => ({
  title: "Overview",
  load: standing,
  says: (data) => verdict(data, matters(data))[1],
  draw(data, again) {
    const { findings, integrations } = data;
    const found = matters(data);
    const levels = levelsOf(integrations, found);
    const [level, sentence] = verdict(data, found);
    const fine = findings.late ? "not looked at of late" : "all right";
    return [
      h("section", { class: `verdict ${level}` }, h("h1", { tabindex: "-1" }, h("span", { class: "light", "aria-hidden": "true" }), sentence), totals(integrations)),
      looked(findings),
      found.length > 0 && h("section", { "aria-labelledby": "needs" }, h("h2", { id: "needs" }, "What needs somebody"), needs(found, new Set(levels.keys()), again)),
      integrations.length > 0 && h(
        "div",
        { class: findings.late ? "halves unsure" : "halves" },
        h("section", { "aria-labelledby": "the-map" }, h("h2", { id: "the-map" }, "The map"), map(integrations, found, levels, fine)),
        h("section", { "aria-labelledby": "all" }, h("h2", { id: "all" }, "Integrations"), table(integrations, levels, words(found), fine)),
      ),
    ];
  },
});

/** When the watchdog looked, and what it could not see. */
function looked({ watched_at: at, failed, left_out: left, more }) {
  if (at === null) return null;
  const unseen = [
    failed.length > 0 && ` It could not tell: ${failed.join(", ")}; its log says why.`,
    left > 0 && ` It left ${plural(left, "look")} to its next run, for want of time.`,
    more && " There is more than is listed.",
  ];
  return h("p", { class: "looked quiet" }, "The watchdog looked ", ago(at), ".", unseen);
}

function totals(integrations) {
  const sum = (name) => integrations.reduce((all, each) => all + each[name], 0);
  const least = (name) => integrations.some((each) => each.at_least.includes(name));
  const numbers = [
    ["delivered in two hours", count(sum("delivered"), least("delivered")), ""],
    ["waiting", count(sum("waiting"), least("waiting")), to("deliveries") + "?status=waiting"],
    ["dead letters", count(sum("dead"), least("dead")), to("deliveries") + "?status=dead"],
  ];
  return h("dl", { class: "totals" }, numbers.map(([name, value, link]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, link ? h("a", { href: link, "data-key": `total ${name}` }, value) : value))));
}

const NUMBERS = ["delivered", "waiting", "dead"];

function table(integrations, levels, said, fine) {
  const heads = ["Integration", "Owner", "Delivered", "Latency", "Not at once", "In two hours", "Waiting", "Dead", "Last event"];
  return h("div", { class: "table" }, h("table", { class: "integrations" },
    h("thead", {}, h("tr", {}, heads.map((head, index) => h("th", { scope: "col", class: index >= 5 ? "number" : null }, head)))),
    h("tbody", {}, integrations.map((each) => row(each, levels.get(each.integration), said.get(each.integration) ?? fine)))));
}

function row(each, level, said) {
  const name = each.integration;
  return h("tr", { class: level },
    h("th", { scope: "row" },
      h("a", { href: to("integrations", name), class: "row", "data-key": `row ${name}` }, h("span", { class: "dot", "aria-hidden": "true" }), name),
      h("span", { class: "unseen" }, ` ${said}`),
      h("small", {}, `${each.source.system} → ${each.target.name ?? each.target.kind}${each.state === "active" ? "" : ` · ${each.state}`}`)),
    h("td", { "data-head": "Owner" }, each.owner.team),
    ["rate", "latency", "failures"].map((kind, index) =>
      h("td", { class: "drawn", "data-head": ["Delivered", "Latency", "Not at once"][index] }, sparkline(each.recent, kind), h("small", { "aria-hidden": "true" }, kind === "latency" ? peak(each.recent, kind) : ""))),
    NUMBERS.map((kind) => h("td", { class: `number ${each[kind] ? kind : "none"}`, "data-head": { delivered: "In two hours", waiting: "Waiting", dead: "Dead" }[kind] }, count(each[kind], each.at_least.includes(kind)))),
    h("td", { class: "number", "data-head": "Last event" }, each.last_event ? ago(each.last_event) : h("span", { class: "quiet" }, "none known")));
}
