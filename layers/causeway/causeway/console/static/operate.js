// Doing something: pause, resume, replay of one and of many. Each asks first; a replay of many counts first.

import * as api from "./api.js";
import { ask, check, field } from "./dialogs.js";
import { h, to } from "./dom.js";
import { count, plural } from "./words.js";

const RATE = 20;

const rate = () => h("input", { type: "number", min: "0.1", max: "100", step: "any", value: String(RATE), required: true });

export const pause = (name) =>
  ask({
    title: `Pause ${name}?`,
    inside: [
      h("p", {}, "Events are still accepted. Their deliveries wait, nothing is lost, and no delivery runs out of time."),
      field("reason", "Why", h("input", { type: "text", required: true, maxlength: "500", autocomplete: "off" }), "For those who find it paused."),
    ],
    yes: "Pause",
    act: (form) => api.pause(name, form.get("reason")),
  });

export const resume = (name) =>
  ask({
    title: `Resume ${name}?`,
    inside: [
      h("p", {}, "What waits is released from the next minute on."),
      field("rate", "Deliveries per second", rate(), "So that the target is not flooded."),
    ],
    yes: "Resume",
    act: (form) => api.resume(name, Number(form.get("rate"))),
  });

export const replayOne = (delivery) =>
  ask({
    title: "Do it again?",
    inside: [
      h("p", {}, `Event ${delivery.event_id ?? ""} goes to ${delivery.integration} again, from its kept copy. `,
        "Steps that have changed something are not carried out twice."),
      check("new_key", "With a new Idempotency-Key, so that a target which has seen it does it again"),
    ],
    yes: "Replay",
    act: (form) => api.replayOne(delivery.id, form.get("new_key") === "on"),
  });

/** First a dry run, which says how many there are; then the question; then the replay, on a page of its own. */
export async function replayMany(chosen) {
  const counted = await ask({
    title: "Replay dead letters",
    inside: [
      h("p", {}, "First they are counted. Nothing is replayed yet."),
      h("dl", { class: "facts" }, Object.entries(chosen).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    ],
    yes: "Count them",
    act: () => countAll(chosen),
  });
  if (!counted) return null;
  const { matched } = counted;
  if (!matched) {
    await ask({ title: "There is nothing to replay", inside: [h("p", {}, "No dead letter fits.")], yes: "All right", act: async () => true });
    return null;
  }
  const more = counted.state === "running";
  const made = await ask({
    title: `Replay ${count(matched, more)} ${matched === 1 && !more ? "dead letter" : "dead letters"}?`,
    inside: [
      h("p", {}, more ? "They are still being counted; there are so many at least. " : "", "Each keeps its id and its Idempotency-Key, and is delivered as if it had just come."),
      field("rate", "Deliveries per second", rate(), "The replay can be cancelled on its way."),
      check("new_key", "With new Idempotency-Keys"),
    ],
    yes: `Replay ${plural(matched, "delivery", "deliveries")}`,
    act: (form) =>
      // What died after it was counted is no part of what was agreed to.
      api.replayMany({ ...chosen, until: counted.until, rate: Number(form.get("rate")), new_key: form.get("new_key") === "on" }),
  });
  if (made) location.hash = to("replays", made.replay);
  return made;
}

const COUNTS_FOR = 6000;

/** A dry run, until it is over or has taken long enough. */
async function countAll(chosen) {
  let record = await api.replayMany({ ...chosen, dry_run: true });
  const ends = Date.now() + COUNTS_FOR;
  while (record.state === "running" && Date.now() < ends) {
    await new Promise((resolve) => setTimeout(resolve, 700));
    record = await api.replay(record.replay);
  }
  return record;
}
