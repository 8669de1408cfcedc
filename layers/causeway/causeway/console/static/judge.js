// What is not all right: of what the API says of integrations, the matters that somebody should look at.

import { count, now, plural, span } from "./words.js";

/** From the worst on. `hold`: somebody wants it so. */
export const LEVELS = ["bad", "warn", "hold", "fine"];

const DAY = 86400;

/**
 * @returns {{level: string, what: string, since: string|null, names: string[], kind: string}[]} the worst first, then
 *   the longest.
 */
export function matters(integrations) {
  const found = [...circuits(integrations), ...integrations.flatMap((each) => CHECKS.flatMap((check) => check(each)))];
  const rank = (each) => LEVELS.indexOf(each.level);
  return found.sort((a, b) => rank(a) - rank(b) || Date.parse(a.since ?? 0) - Date.parse(b.since ?? 0));
}

/** A system that is down is one matter, whoever calls it. */
function circuits(integrations) {
  const of = Map.groupBy(
    integrations.filter((each) => each.circuit.state !== "closed"),
    (each) => `${each.circuit.state} ${each.circuit.system}`,
  );
  return [...of.values()].map((all) => {
    const { state, system, since, until } = all[0].circuit;
    const what =
      state === "open" ? `${system} is not called: it failed too often` : `${system} asked to be left alone`;
    return { kind: state, level: state === "open" ? "bad" : "warn", what, since, until, names: all.map(named), system };
  });
}

const named = (each) => each.integration;

const matter = (each, kind, level, what, since) => ({ kind, level, what, since, names: [named(each)] });

const later = (time, seconds) => new Date(Date.parse(time) + seconds * 1000).toISOString();

const CHECKS = [
  function dead(each) {
    if (!each.dead) return [];
    const more = each.at_least.includes("dead");
    const what = `${count(each.dead, more)} ${each.dead === 1 && !more ? "dead letter" : "dead letters"}`;
    return [matter(each, "dead", "bad", what, each.oldest_dead)];
  },
  function late(each) {
    if (each.lag <= each.deliver_within || each.state === "paused") return [];
    const what = `${plural(each.waiting, "delivery waits", "deliveries wait")}, longer than ${span(each.deliver_within)}`;
    return [matter(each, "late", "warn", what, later(each.oldest_waiting, each.deliver_within))];
  },
  function silent(each) {
    const since = silence(each);
    if (since === null || each.during !== "always") return [];
    return [matter(each, "silent", "warn", `silent: an event is expected every ${span(each.expect_every)}`, since)];
  },
  function paused(each) {
    if (each.state !== "paused") return [];
    return [matter(each, "paused", "hold", `paused by ${each.paused.by}: ${each.paused.reason}`, each.paused.since)];
  },
];

/** Since when nothing has come, where that is longer than expected; null: it is not, or cannot be known. */
export function silence({ expect_every: every, last_event: last }) {
  if (every === null) return null;
  if (last === null) return every <= DAY ? new Date(now() - DAY * 1000).toISOString() : null;
  return now() - Date.parse(last) > every * 1000 ? last : null;
}

/** The worst level of each integration, by its name. */
export function levels(integrations, found) {
  const of = new Map(integrations.map((each) => [each.integration, "fine"]));
  for (const { level, names } of found) {
    for (const name of names) if (LEVELS.indexOf(level) < LEVELS.indexOf(of.get(name))) of.set(name, level);
  }
  return of;
}

/** One sentence: is everything all right? */
export function verdict(integrations, found) {
  if (!integrations.length) return ["fine", "The map has no integrations yet."];
  const level = found.length ? found[0].level : "fine";
  const names = new Set(found.filter((each) => each.level !== "hold").flatMap((each) => each.names));
  const held = new Set(found.filter((each) => each.level === "hold").flatMap((each) => each.names));
  if (names.size) {
    const needs = names.size === 1 ? "integration needs" : "integrations need";
    return [level, `${names.size} of ${integrations.length} ${needs} somebody.`];
  }
  if (held.size) return ["hold", `Nothing is broken; ${plural(held.size, "integration is", "integrations are")} paused.`];
  return ["fine", "Everything is all right."];
}
