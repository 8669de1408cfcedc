// What happened to event X: one delivery with its attempts and its event; or all deliveries of an event.

import * as api from "./api.js";
import { lines } from "./deliveries.js";
import { h, to } from "./dom.js";
import { replayOne } from "./operate.js";
import { ago, moment, span } from "./words.js";

export const delivery = ([id]) => ({
  title: `Delivery ${id.slice(0, 12)}`,
  load: (signal) => api.delivery(id, signal),
  says: (found) => `Delivery ${found.status}`,
  draw: (found, again) => [
    h("section", { class: "verdict" },
      h("h1", { tabindex: "-1" }, h("span", { class: `badge ${found.status}` }, found.status), h("span", { class: "long" }, found.event_id ?? id)),
      h("div", { class: "actions" }, again_(found, again))),
    found.reason && h("p", { class: "reason" }, found.reason),
    facts(found),
    h("section", { "aria-labelledby": "attempts" }, h("h2", { id: "attempts" }, "Attempts"), attempts(found.attempts)),
    h("section", { "aria-labelledby": "event" }, h("h2", { id: "event" }, "Event"), event(found)),
  ],
});

/** "Do it again", where that can be. */
function again_(found, again) {
  const over = found.status === "dead" || found.status === "delivered";
  if (!over) return null;
  if (!found.event_kept) return h("p", { class: "quiet" }, "Its event is no longer kept, so it cannot be replayed.");
  return h("button", { type: "button", class: "main", "data-key": "replay", onclick: () => replayOne(found).then((done) => done && again()) }, "Replay");
}

function facts(found) {
  const told = [
    ["Integration", h("a", { href: to("integrations", found.integration), "data-key": "integration" }, found.integration)],
    found.system && ["Event", [h("a", { href: to("events", found.system, found.event_id), "data-key": "event" }, `${found.system} / ${found.event_id}`), found.event_type && h("small", {}, ` ${found.event_type}`)]],
    ["Accepted", [moment(found.accepted_at), " · ", ago(found.accepted_at)]],
    found.updated_at && ["Last change", [moment(found.updated_at), " · ", ago(found.updated_at)]],
    found.due_at && found.status === "waiting" && ["Next attempt", [moment(found.due_at), " · ", ago(found.due_at)]],
    found.error && ["Class of error", found.error],
    found.replay > 0 && ["Replays", String(found.replay)],
    found.steps?.length > 0 && ["Steps done", found.steps.join(", ")],
    ["Delivery", h("code", {}, found.id)],
    found.idempotency_key !== found.id && ["Idempotency-Key", h("code", {}, found.idempotency_key)],
    found.trace && ["Trace", h("code", {}, found.trace)],
  ];
  return h("dl", { class: "facts" }, told.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function attempts(all) {
  if (!all.length) return h("p", { class: "quiet" }, "None is recorded: it went through at once, or is in its first.");
  return h("ol", { class: "attempts" }, all.toReversed().map((each) =>
    h("li", { class: each.outcome },
      h("span", { class: `badge ${each.outcome}` }, each.outcome),
      h("div", {},
        h("p", {}, each.status !== undefined && h("b", {}, each.status), " ", each.reason ?? (each.outcome === "delivered" ? "delivered" : "")),
        h("small", {}, moment(each.at), each.seconds !== undefined && ` · took ${span(each.seconds)}`, each.step && ` · step ${each.step}`, each.error && ` · ${each.error}`, ` · ${each.ticket}`),
        each.answer && h("details", {}, h("summary", {}, "Its answer"), h("pre", { tabindex: "0" }, each.answer)),
        each.headers && h("details", {}, h("summary", {}, "Its headers"), h("pre", { tabindex: "0" }, Object.entries(each.headers).map(([name, value]) => `${name}: ${value}\n`)))))));
}

const event = (found) =>
  found.event
    ? h("pre", { tabindex: "0", class: "event" }, JSON.stringify(found.event, null, 2))
    : h("p", { class: "quiet" }, found.event_note ?? "It is not kept: what was delivered is kept only with keep_events.");

export const ofEvent = ([system, id]) => ({
  title: `Event ${id}`,
  load: (signal) => api.ofEvent(system, id, signal),
  draw: (found) => [
    h("section", { class: "verdict" }, h("h1", { tabindex: "-1" }, h("span", { class: "long" }, id))),
    h("p", { class: "about" }, `What became of this event of ${system}: ${found.map((each) => `${each.status} at ${each.integration}`).join(", ")}.`),
    lines(found),
  ],
});

/** Find what somebody has typed: a delivery's id, `system/event`, or an event's id alone, at every source. */
export const sought = ([text]) => ({
  title: "Find",
  every: 0,
  async load(signal) {
    const all = await api.integrations(signal);
    const systems = [...new Set(all.map((each) => each.source.system))].sort();
    const [first, ...rest] = text.split("/");
    const places = rest.length && systems.includes(first) ? [[first, rest.join("/")]] : systems.map((system) => [system, text]);
    const found = [];
    if (/^[0-9a-f]{32}$/.test(text)) found.push(await orNothing(api.delivery(text, signal)));
    for (const [system, id] of places) found.push(...((await orNothing(api.ofEvent(system, id, signal))) ?? []));
    return { found: found.filter(Boolean), systems: places.map(([system]) => system) };
  },
  draw({ found, systems }) {
    if (found.length === 1) {
      location.replace(to("deliveries", found[0].id));
      return [];
    }
    return [
      h("section", { class: "verdict" }, h("h1", { tabindex: "-1" }, found.length ? `${found.length} deliveries` : "Nothing is known of it")),
      h("p", { class: "about" }, found.length ? h("span", { class: "long" }, text) : [h("code", { class: "long" }, text), ` is no delivery, and no event of ${systems.join(", ")} that an integration takes and that is still remembered. If it was sent, see whether it was refused: the webhook function's log says so.`]),
      lines(found),
    ];
  },
});

const orNothing = (asked) =>
  asked.catch((error) => {
    if (error.kind === "missing" || error.kind === "refused") return null;
    throw error;
  });
