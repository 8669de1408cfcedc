// What needs somebody: each matter with since when, whose it is, why, and what to do about it.

import { h, outside, to } from "./dom.js";
import { resume } from "./operate.js";
import { ago } from "./words.js";

const MARKS = {
  alarm: "alarm", books: "lost", canary: "canary", certificate: "certificate", circuit: "down", dead: "dead letters", forgotten: "ending",
  held: "held back", overdue: "late", paused: "paused", poll: "poll", silence: "silent", strays: "astray", token: "token", watchdog: "blind",
};

const NAMED = 8; // integrations that one matter names

/** A matter in a word. */
export const mark = (each) => (each.recovering ? "recovering" : MARKS[each.kind] ?? each.kind);

/**
 * @param {Set<string>} known the map's integrations: those that have a page.
 * @param {() => void} again reads anew after something was done.
 * @param {string|null} on the integration whose page it is on, which is not named there.
 */
export const needs = (found, known, again, on = null) =>
  h("ul", { class: "needs" }, found.map((each) =>
    h("li", { class: each.level },
      h("span", { class: "badge" }, mark(each)),
      h("div", { class: "what" },
        h("p", {}, on === null && h("strong", {}, named(each, known)), h("span", {}, sentence(each))),
        each.cause && h("p", { class: "more" }, h("small", {}, "Cause: "), coded(each.cause)),
        each.nextStep && h("p", { class: "more" }, h("small", {}, "Next: "), coded(each.nextStep))),
      h("div", { class: "since" },
        h("span", {}, h("small", {}, "since "), each.since ? ago(each.since) : "unknown", each.until && [h("small", {}, ", probed "), ago(each.until)]),
        h("small", {}, state(each))),
      h("div", { class: "whose" }, h("span", {}, h("small", {}, "owner "), each.owners.length ? owners(each.owners) : "operator"), runbook(each.runbook)),
      h("div", { class: "next" }, next(each, known, again, on)))));

function named({ kind, subject, names }, known) {
  if (!names.length) return "The stack";
  const shown = names.slice(0, NAMED).map((name, index) => [
    index > 0 && ", ",
    known.has(name) ? h("a", { href: to("integrations", name), "data-key": `needs ${kind} ${subject} ${name}` }, name) : name,
  ]);
  return [shown, names.length > NAMED && ` and ${names.length - NAMED} more`];
}

/** What it is, and of what, unless that is said already. */
function sentence({ what, howMany, subject, names }) {
  const said = !names.length || names.includes(subject) || what.includes(subject) ? what : `${subject}: ${what}`;
  const alone = names.length === 1 && said.startsWith(`${names[0]} `) ? said.slice(names[0].length + 1) : said;
  return howMany ? `${alone} (${howMany})` : alone;
}

const state = (each) =>
  each.recovering ? "well again, but not for long" : each.told ? ["told ", ago(each.told)] : each.kind === "watchdog" || each.kind === "held" ? null : "nobody has been told yet";

/** A text in which commands stand between backticks. */
const coded = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

const LISTS = { dead: "dead", forgotten: "dead", overdue: "waiting", circuit: "waiting", held: "waiting" };

/** What helps: to look at it, mostly. */
function next(each, known, again, on) {
  const [name] = each.names;
  const alone = each.names.length === 1 && known.has(name);
  const link = (href) => h("a", { class: "button", href, "data-key": `next ${each.kind} ${each.subject}` }, "Look");
  if (each.kind === "paused" && alone) {
    return !each.recovering && h("button", { type: "button", "data-key": `resume ${name}`, onclick: () => resume(name).then((done) => done && again()) }, "Resume");
  }
  if (each.kind in LISTS) return link(`${to("deliveries")}?${new URLSearchParams({ status: LISTS[each.kind], ...(alone && { integration: name }) })}`);
  return alone && name !== on && link(to("integrations", name));
}

/** People, each team once. */
export function owners(all) {
  const of = new Map(all.map((owner) => [owner.team, owner]));
  return [...of.values()].map(({ team, email }, index) => [
    index > 0 && ", ",
    h("a", { href: `mailto:${encodeURIComponent(email).replaceAll("%40", "@")}`, title: email, "data-key": `mail ${email}` }, team),
  ]);
}

/** A link, if it can be one; else where it lies. */
export function runbook(address) {
  if (!address) return null;
  const href = outside(address);
  return href ? h("a", { href, rel: "noreferrer", "data-key": `runbook ${href}` }, "runbook") : h("code", { class: "long" }, address);
}
