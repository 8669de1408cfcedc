// The first page: is everything all right; what is not, since when, whose is it; the map; every integration.

import * as api from "./api.js";
import { h, outside, to } from "./dom.js";
import { levels as levelsOf, matters, verdict } from "./judge.js";
import { map } from "./map.js";
import { resume } from "./operate.js";
import { peak, sparkline } from "./sparkline.js";
import { ago, count } from "./words.js";

export const MARKS = { lost: "lost", dead: "dead letters", open: "down", held: "held back", late: "late", silent: "silent", paused: "paused" };

/** Of each integration its worst matter in a word. */
const words = (found) => new Map(found.toReversed().flatMap((each) => each.names.map((name) => [name, MARKS[each.kind]])));

export const overview = () => ({
  title: "Overview",
  load: (signal) => api.integrations(signal),
  says: (integrations) => verdict(integrations, matters(integrations))[1],
  draw(integrations, again) {
    const found = matters(integrations);
    const levels = levelsOf(integrations, found);
    const [level, sentence] = verdict(integrations, found);
    return [
      h("section", { class: `verdict ${level}` }, h("h1", { tabindex: "-1" }, h("span", { class: "light", "aria-hidden": "true" }), sentence), totals(integrations)),
      found.length > 0 && h("section", { "aria-labelledby": "needs" }, h("h2", { id: "needs" }, "What needs somebody"), needs(found, integrations, again)),
      integrations.length > 0 && h(
        "div",
        { class: "halves" },
        h("section", { "aria-labelledby": "the-map" }, h("h2", { id: "the-map" }, "The map"), map(integrations, found, levels)),
        h("section", { "aria-labelledby": "all" }, h("h2", { id: "all" }, "Integrations"), table(integrations, levels, words(found))),
      ),
    ];
  },
});

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

function needs(found, integrations, again) {
  const of = new Map(integrations.map((each) => [each.integration, each]));
  return h("ul", { class: "needs" }, found.map((each) =>
    h("li", { class: each.level },
      h("span", { class: "badge" }, MARKS[each.kind]),
      h("div", { class: "what" },
        h("strong", {}, each.names.map((name, index) => [index > 0 && ", ", h("a", { href: to("integrations", name), "data-key": `needs ${each.kind} ${name}` }, name)])),
        h("span", {}, each.what)),
      h("div", { class: "since" }, h("small", {}, each.longer ? "since at least " : "since "), each.since ? ago(each.since) : "unknown",
        each.until && [h("small", {}, ", probed "), ago(each.until)]),
      h("div", { class: "whose" }, h("small", {}, "owner "), owners(each.names.map((name) => of.get(name).owner))),
      h("div", { class: "next" }, next(each, again)))));
}

/** What helps: to look at it, mostly. */
function next(each, again) {
  const [name] = each.names;
  const link = (label, href) => h("a", { class: "button", href, "data-key": `next ${each.kind} ${name}` }, label);
  const lists = { dead: "dead", late: "waiting", open: "waiting", held: "waiting" };
  if (each.kind === "paused") {
    return h("button", { type: "button", "data-key": `resume ${name}`, onclick: () => resume(name).then((done) => done && again()) }, "Resume");
  }
  if (each.kind in lists) return link("Look", `${to("deliveries")}?${new URLSearchParams({ status: lists[each.kind], ...(each.names.length === 1 && { integration: name }) })}`);
  return link("Look", to("integrations", name));
}

export function owners(all) {
  const of = new Map(all.map((owner) => [owner.team, owner]));
  return [...of.values()].map((owner, index) => [index > 0 && ", ", ownerOf(owner)]);
}

function ownerOf({ team, email, runbook }) {
  const book = outside(runbook);
  return [
    h("a", { href: `mailto:${encodeURIComponent(email).replaceAll("%40", "@")}`, title: email, "data-key": `mail ${email}` }, team),
    book && [" · ", h("a", { href: book, rel: "noreferrer", "data-key": `runbook ${book}` }, "runbook")],
  ];
}

const NUMBERS = ["delivered", "waiting", "dead"];

function table(integrations, levels, said) {
  const heads = ["Integration", "Owner", "Delivered", "Latency", "Waiting or dead", "In two hours", "Waiting", "Dead", "Last event"];
  return h("div", { class: "table" }, h("table", { class: "integrations" },
    h("thead", {}, h("tr", {}, heads.map((head, index) => h("th", { scope: "col", class: index >= 5 ? "number" : null }, head)))),
    h("tbody", {}, integrations.map((each) => row(each, levels.get(each.integration), said.get(each.integration))))));
}

function row(each, level, said = "all right") {
  const name = each.integration;
  return h("tr", { class: level },
    h("th", { scope: "row" },
      h("a", { href: to("integrations", name), class: "row", "data-key": `row ${name}` }, h("span", { class: "dot", "aria-hidden": "true" }), name),
      h("span", { class: "unseen" }, ` ${said}`),
      h("small", {}, `${each.source.system} → ${each.target.name ?? each.target.kind}${each.state === "active" ? "" : ` · ${each.state}`}`)),
    h("td", { "data-head": "Owner" }, each.owner.team),
    ["rate", "latency", "failures"].map((kind, index) =>
      h("td", { class: "drawn", "data-head": ["Delivered", "Latency", "Waiting or dead"][index] }, sparkline(each.recent, kind), h("small", { "aria-hidden": "true" }, kind === "latency" ? peak(each.recent, kind) : ""))),
    NUMBERS.map((kind) => h("td", { class: `number ${each[kind] ? kind : "none"}`, "data-head": { delivered: "In two hours", waiting: "Waiting", dead: "Dead" }[kind] }, count(each[kind], each.at_least.includes(kind)))),
    h("td", { class: "number", "data-head": "Last event" }, each.last_event ? ago(each.last_event) : h("span", { class: "quiet" }, "none in a day")));
}
