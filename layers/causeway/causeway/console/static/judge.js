// What is not all right: what the watchdog has told owners, and what is newer than its last look.

import { count, plural } from "./words.js";

/** From the worst on. `hold`: somebody wants it so, or it is well again and not yet told to be. */
export const LEVELS = ["bad", "warn", "hold", "fine"];

/**
 * @typedef {{kind: string, subject: string, level: string, what: string, howMany: string|null, since: string|null,
 *   until?: string, names: string[], system: string|null, owners: {team: string, email: string}[], cause: string,
 *   nextStep: string, runbook: string|null, told: string|null, recovering: boolean}} Matter
 */

/** @returns {Matter[]} whether anybody looks at all first; then the worst, then what lasts longest. */
export function matters({ findings, integrations }) {
  const told = findings.findings.map((each) => told_(each, integrations));
  const known = new Set(told.map(key));
  const found = [...told, ...seen(integrations).filter((each) => !known.has(key(each)))];
  const rank = (each) => (each.kind === "watchdog" ? -1 : LEVELS.indexOf(each.level));
  return found.sort((a, b) => rank(a) - rank(b) || Date.parse(a.since ?? 0) - Date.parse(b.since ?? 0));
}

const key = (each) => `${each.kind}#${each.subject}`;

/** The checks that are about a system, or about a poll of one. */
const OF_SYSTEMS = ["circuit", "token", "certificate", "canary", "poll"];

function told_(each, integrations) {
  const recovering = each.well_since !== null || Boolean(OVER[each.check]?.(each.subject, integrations));
  const wanted = each.check === "paused" && each.level === "warning";
  return {
    kind: each.check,
    subject: each.subject,
    level: recovering || wanted ? "hold" : { critical: "bad", warning: "warn" }[each.level] ?? "warn",
    what: each.what,
    howMany: byNow(each, integrations) ?? each.how_many,
    since: each.since,
    names: each.integrations,
    system: OF_SYSTEMS.includes(each.check) ? each.subject.split("/")[0] : null,
    owners: each.owners,
    cause: each.cause,
    nextStep: each.next_step,
    runbook: each.runbook,
    told: each.told_at,
    recovering,
  };
}

/** Of checks whose matter this page can see by itself: whether it is over since the watchdog looked. */
const OVER = {
  dead: (subject, all) => all.some((each) => each.integration === subject && each.dead === 0),
  paused: (subject, all) => all.some((each) => each.integration === subject && each.state !== "paused"),
  circuit: (subject, all) => {
    const calling = all.filter((each) => each.calls.includes(subject));
    return calling.length > 0 && calling.every((each) => each.circuit.state !== "open");
  },
};

/** Of dead letters, how many there are by now: words are written down anew after minutes. */
function byNow({ check, subject, what }, integrations) {
  const live = check === "dead" && integrations.find((each) => each.integration === subject);
  if (!live || !live.dead || Number(/\d+/.exec(what)) === live.dead) return null;
  return `${count(live.dead, live.at_least.includes("dead"))} by now`;
}

/** What can be seen before the watchdog looks; it tells of all this but of systems that want to be left alone. */
function seen(integrations) {
  const dead = integrations.filter((each) => each.dead).map((each) => {
    const more = each.at_least.includes("dead");
    const what = `${count(each.dead, more)} ${each.dead === 1 && !more ? "dead letter" : "dead letters"}`;
    return matter("dead", each.integration, "bad", what, each.oldest_dead, [each]);
  });
  const paused = integrations.filter((each) => each.state === "paused").map((each) =>
    matter("paused", each.integration, "hold", `paused by ${each.paused.by}: ${each.paused.reason}`, each.paused.since, [each]));
  return [...circuits(integrations), ...dead, ...paused];
}

/** A system that is down is one matter, whoever calls it. */
function circuits(integrations) {
  const of = Map.groupBy(
    integrations.filter((each) => each.circuit.state !== "closed"),
    (each) => `${each.circuit.state} ${each.circuit.system}`,
  );
  return [...of.values()].map((all) => {
    const { state, system, since, until } = all[0].circuit;
    const what = state === "open" ? `${system} is not called: it failed too often` : `${system} asked to be left alone`;
    return { ...matter(state === "open" ? "circuit" : "held", system, state === "open" ? "bad" : "warn", what, since, all), system, until };
  });
}

const matter = (kind, subject, level, what, since, all) => ({
  kind, subject, level, what, since, howMany: null, names: all.map((each) => each.integration), system: null,
  owners: all.map((each) => each.owner), cause: "", nextStep: "", runbook: all[0].owner.runbook, told: null, recovering: false,
});

/** The worst level of each integration, by its name. */
export function levels(integrations, found) {
  const of = new Map(integrations.map((each) => [each.integration, "fine"]));
  for (const { level, names } of found) {
    for (const name of names) if (LEVELS.indexOf(level) < LEVELS.indexOf(of.get(name))) of.set(name, level);
  }
  return of;
}

/** In a sentence or two: is everything all right? */
export function verdict({ findings, integrations }, found) {
  const asleep = found.find((each) => each.kind === "watchdog");
  const others = found.filter((each) => each.kind !== "watchdog");
  const needing = others.filter((each) => each.level === "bad" || each.level === "warn");
  if (asleep || needing.length) {
    return [found[0].level, [asleep && (asleep.since ? "The watchdog does not run." : "The watchdog has not looked yet."), needing.length && needs(needing, integrations.length)].filter(Boolean).join(" ")];
  }
  if (findings.failed.length || findings.left_out) return ["warn", "Nothing is known to be wrong, but not everything could be looked at."];
  if (others.length) return ["hold", `Nothing is broken; ${held(others).join(", and ")}.`];
  return ["fine", integrations.length ? "Everything is all right." : "The map has no integrations yet."];
}

function needs(needing, all) {
  const names = new Set(needing.flatMap((each) => each.names));
  const stack = needing.some((each) => each.names.length === 0);
  if (!names.size) return "The stack needs somebody.";
  return `${names.size} of ${plural(all, "integration")} ${names.size === 1 ? "needs" : "need"} somebody${stack ? ", and so does the stack" : ""}.`;
}

function held(others) {
  const paused = new Set(others.filter((each) => !each.recovering).flatMap((each) => each.names));
  const recovering = others.filter((each) => each.recovering);
  return [
    paused.size && plural(paused.size, "integration is paused", "integrations are paused"),
    recovering.length && plural(recovering.length, "thing is well again, but not for long", "things are well again, but not for long"),
  ].filter(Boolean);
}
