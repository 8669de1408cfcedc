// A replay of many: who wanted it, of what, how far it is; it can be cancelled.

import * as api from "./api.js";
import { ask } from "./dialogs.js";
import { h, to } from "./dom.js";
import { ago, count } from "./words.js";

export const replay = ([id]) => ({
  title: `Replay ${id}`,
  load: (signal) => api.replay(id, signal),
  says: (found) => `Replay ${found.state}: ${found.replayed} replayed`,
  draw: (found, again) => [
    h("section", { class: "verdict" },
      h("h1", { tabindex: "-1" }, found.dry_run ? "Count of what a replay would do" : "Replay", h("span", { class: "badge" }, found.state)),
      h("div", { class: "actions" }, found.state === "running" && h("button", { type: "button", "data-key": "cancel", onclick: () => cancel(id).then((done) => done && again()) }, "Cancel it"))),
    h("dl", { class: "totals" }, [["found", found.matched], ["replayed", found.replayed], ["skipped: no longer kept", found.skipped]].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, count(value))))),
    facts(found),
  ],
});

const cancel = (id) =>
  ask({
    title: "Cancel this replay?",
    inside: [h("p", {}, "It goes no further. What was replayed stays so.")],
    yes: "Cancel the replay",
    danger: true,
    act: () => api.cancelReplay(id),
  });

function facts(found) {
  const told = [
    ["Wanted by", found.by],
    ["Begun", ago(found.at)],
    found.ended_at && ["Ended", ago(found.ended_at)],
    found.cancelled_by && ["Cancelled by", found.cancelled_by],
    found.integrations && ["Integrations", found.integrations.map((name, index) => [index > 0 && ", ", h("a", { href: to("integrations", name), "data-key": `of ${name}` }, name)])],
    found.delivery && ["Delivery", h("a", { href: to("deliveries", found.delivery), "data-key": "delivery" }, found.delivery)],
    found.status && ["Status", found.status],
    found.error && ["With error", found.error],
    found.rate && ["Rate", `${found.rate} per second`],
    ["Idempotency-Key", found.new_key ? "new" : "kept"],
  ];
  return h("dl", { class: "facts" }, told.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
