// One integration: what the map says of it, how it is, its deliveries; pause, resume, replay.

import * as api from "./api.js";
import { lines } from "./deliveries.js";
import { h, to } from "./dom.js";
import { matters } from "./judge.js";
import { mark, needs, owners, runbook } from "./needs.js";
import { pause, replayMany, resume } from "./operate.js";
import { standing } from "./overview.js";
import { made, peak, sparkline } from "./sparkline.js";
import { ago, count, moment, span } from "./words.js";

export const integration = ([name]) => ({
  title: name,
  async load(signal) {
    const [{ findings, integrations }, page] = await Promise.all([standing(signal), api.deliveries({ integration: name, limit: 20 }, signal)]);
    const found = integrations.find((each) => each.integration === name);
    if (!found) throw new api.Failed("missing", `The map has no integration ${name}.`);
    return { found, page, wrong: matters({ findings, integrations }).filter((each) => each.names.includes(name) || each.kind === "watchdog") };
  },
  draw({ found, page, wrong }, again) {
    const [own] = wrong.filter((each) => each.kind !== "watchdog");
    const level = own?.level ?? (wrong.length ? "warn" : "fine");
    const word = own ? mark(own) : wrong.length ? "nobody looks" : "all right";
    return [
      h("section", { class: `verdict ${level}` },
        h("h1", { tabindex: "-1" }, h("span", { class: "light", "aria-hidden": "true" }), name, h("span", { class: "badge" }, found.state === "resuming" ? "resuming" : word)),
        h("div", { class: "actions" }, actions(found, again))),
      found.description && h("p", { class: "about" }, found.description),
      wrong.length > 0 && needs(wrong, new Set([name]), again, name),
      h("div", { class: "drawings" }, ["rate", "latency", "failures"].map((kind) => drawing(found, kind))),
      facts(found),
      h("section", { "aria-labelledby": "latest" },
        h("h2", { id: "latest" }, "Latest deliveries"),
        lines(page.deliveries, { brief: true }),
        h("p", {}, h("a", { href: `${to("deliveries")}?integration=${encodeURIComponent(name)}`, "data-key": "more" }, "All its deliveries"))),
    ];
  },
});

function actions(found, again) {
  const name = found.integration;
  const then = (done) => done && again();
  const button = (label, key, act) => h("button", { type: "button", "data-key": key, onclick: () => act().then(then) }, label);
  return [
    found.dead > 0 && button("Replay dead letters", "replay", () => replayMany({ integration: name })),
    found.state === "paused" ? button("Resume", "pause", () => resume(name)) : button("Pause", "pause", () => pause(name)),
  ];
}

const DRAWN = { rate: "Delivered, per five minutes", latency: "Latency, median", failures: "Not at once, per five minutes" };

const drawing = ({ recent }, kind) =>
  h("figure", { class: "drawing" }, h("figcaption", {}, DRAWN[kind], h("b", {}, `at most ${peak(recent, kind)}`)), sparkline(recent, kind),
    h("small", {}, recent.length ? ["since ", ago(recent[0].since), kind === "failures" && `: ${made(recent)}`] : ""));

function facts(found) {
  const { source, target, owner } = found;
  const takes = source.events?.join(", ") ?? (source.poll && `poll ${source.poll}`) ?? (source.bus && JSON.stringify(source.bus)) ?? "";
  const told = [
    ["Owner", [owners([owner]), owner.runbook && " · ", runbook(owner.runbook)]],
    ["From", [source.system, takes && ` (${takes})`]],
    ["To", target.kind === "call" ? target.name : `${target.kind} ${target.name ?? ""}`],
    ["Calls", found.calls.join(", ") || "no system"],
    ["Circuit", found.circuit.state === "closed" ? "closed" : [`${found.circuit.state} (${found.circuit.system}), until `, ago(found.circuit.until)]],
    ["Waiting", [count(found.waiting, found.at_least.includes("waiting")), found.oldest_waiting && [", the oldest accepted ", ago(found.oldest_waiting)]]],
    ["Dead", [count(found.dead, found.at_least.includes("dead")), found.oldest_dead && [", the oldest accepted ", ago(found.oldest_dead)]]],
    ["Last event", found.last_event ? ago(found.last_event) : "none known"],
    ["Expected", found.expect_every === null ? "no silence is too long" : `every ${span(found.expect_every)}, ${found.during}`],
    ["Delivered within", span(found.deliver_within)],
    ["Books", found.book === null ? "no hour was counted yet" : [`${count(found.book.accepted)} accepted in the hour from ${moment(found.book.hour).slice(11, 16)}, `, found.book.unaccounted ? h("strong", {}, `${count(found.book.unaccounted)} not accounted for: of the events ${found.book.lost.map((each) => each.event_id).join(", ")}`) : "all accounted for"]],
    found.paused && ["Paused", [ago(found.paused.since), ` by ${found.paused.by}: ${found.paused.reason}`]],
  ];
  return h("dl", { class: "facts" }, told.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
