// What is not all right: of what the API says of integrations, the matters that somebody should look at.

import { count, plural, span } from "./words.js";

/** From the worst on. `hold`: somebody wants it so. */
export const LEVELS = ["bad", "warn", "hold", "fine"];

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

/** `longer`: it may be since earlier. */
const matter = (each, kind, level, what, since, longer = false) => ({ kind, level, what, since, longer, names: [named(each)] });

const later = (time, seconds) => new Date(Date.parse(time) + seconds * 1000).toISOString();

const CHECKS = [
  function dead(each) {
    if (!each.dead) return [];
    const more = each.at_least.includes("dead");
    const what = `${count(each.dead, more)} ${each.dead === 1 && !more ? "dead letter" : "dead letters"}`;
    return [matter(each, "dead", "bad", what, each.oldest_dead)];
  },
  function unaccounted({ integration, book }) {
    if (!book?.unaccounted) return [];
    const what = `${plural(book.unaccounted, "event")} accepted and not accounted for`;
    return [matter({ integration }, "lost", "bad", what, book.hour)];
  },
  function late(each) {
    if (each.lag <= each.deliver_within || each.state === "paused") return [];
    const what = `${plural(each.waiting, "delivery waits", "deliveries wait")}, longer than ${span(each.deliver_within)}`;
    return [matter(each, "late", "warn", what, later(each.oldest_waiting, each.deliver_within))];
  },
  function silent(each) {
    if (each.silent_since === null) return [];
    const when = each.during === "always" ? "" : `, ${each.during}`;
    return [matter(each, "silent", "warn", `silent: an event is expected every ${span(each.expect_every)}${when}`, each.silent_since, each.last_event === null)];
  },
  function paused(each) {
    if (each.state !== "paused") return [];
    return [matter(each, "paused", "hold", `paused by ${each.paused.by}: ${each.paused.reason}`, each.paused.since)];
  },
];

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
    return [level, `${names.size} of ${plural(integrations.length, "integration")} ${names.size === 1 ? "needs" : "need"} somebody.`];
  }
  if (held.size) return ["hold", `Nothing is broken; ${plural(held.size, "integration is", "integrations are")} paused.`];
  return ["fine", "Everything is all right."];
}
