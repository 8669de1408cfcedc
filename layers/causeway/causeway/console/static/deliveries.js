// Lists of deliveries: filters, pages by cursor.

import * as api from "./api.js";
import { h, to } from "./dom.js";
import { replayMany } from "./operate.js";
import { ago, span } from "./words.js";

const FILTERS = ["integration", "status", "error", "since", "until"];
const STATUSES = ["waiting", "dead", "delivered"];
const ERRORS = ["http", "timeout", "connection", "dns", "tls", "address", "mapping", "paused", "order", "limit", "circuit", "crashed", "removed", "lost", "time", "fault", "no time"];
const PAGE = 50;
const MOST_EMPTY = 8; // pages without a delivery that are passed over at once, for they are bounded in what they read

export const deliveries = (_, query) => {
  const chosen = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]).filter(([, value]) => value));
  let pages = 1;
  return {
    title: "Deliveries",
    load: (signal) => Promise.all([read(chosen, pages, signal), api.integrations(signal).then((all) => all.map((each) => each.integration))]),
    draw([{ items, cursor }, names], again) {
      const more = async () => {
        pages += 1;
        await again();
      };
      return [
        h("section", { class: "verdict" }, h("h1", { tabindex: "-1" }, "Deliveries"), h("div", { class: "actions" }, replayAll(chosen, again))),
        filters(chosen, names),
        lines(items),
        cursor
          ? h("p", {}, h("button", { type: "button", "data-key": "more", onclick: more }, items.length ? "Older ones" : "Look further back"))
          : h("p", { class: "quiet" }, items.length ? "That is all." : "None fits."),
      ];
    },
  };
};

/** So many pages that hold something, from the newest on: pages are stable, so they may be read anew. */
async function read(chosen, pages, signal) {
  const items = [];
  let cursor = null;
  let empty = 0;
  for (let full = 0; full < pages; ) {
    const page = await api.deliveries({ ...chosen, limit: PAGE, cursor }, signal);
    items.push(...page.deliveries);
    cursor = page.cursor;
    if (page.deliveries.length) full += 1;
    else empty += 1;
    if (cursor === null || empty >= MOST_EMPTY) break;
  }
  return { items, cursor };
}

function replayAll(chosen, again) {
  const { status, ...rest } = chosen;
  if (status !== "dead") return null;
  const wanted = Object.keys(rest).length ? rest : { all: true };
  return h("button", { type: "button", "data-key": "replay", onclick: () => replayMany(wanted).then((done) => done && again()) }, "Replay these");
}

function filters(chosen, names) {
  const select = (name, label, values) =>
    h("label", {}, h("span", {}, label), h("select", { name, "data-key": `filter ${name}` },
      h("option", { value: "" }, "any"), values.map((value) => h("option", { value, selected: chosen[name] === value }, value))));
  const time = (name, label) =>
    h("label", {}, h("span", {}, label), h("input", { name, "data-key": `filter ${name}`, type: "datetime-local", step: "1", value: (chosen[name] ?? "").slice(0, 19) }));
  const form = h("form", { class: "filters", "aria-label": "Filters", onchange: apply, onsubmit: apply },
    select("integration", "Integration", names), select("status", "Status", STATUSES), select("error", "Error", ERRORS), time("since", "Accepted since (UTC)"), time("until", "until (UTC)"));
  function apply(event) {
    event.preventDefault();
    const said = [...new FormData(form)].filter(([, value]) => value).map(([name, value]) => [name, value.includes("T") && /^\d{4}-/.test(value) ? whole(value) : value]);
    location.hash = `${to("deliveries")}${said.length ? `?${new URLSearchParams(said)}` : ""}`;
  }
  return form;
}

const whole = (value) => `${value.length === 16 ? `${value}:00` : value}Z`;

/** A table of deliveries. */
export function lines(items, { brief = false } = {}) {
  if (!items.length) return brief ? h("p", { class: "quiet" }, "None in the last day.") : null;
  const heads = ["Status", "Event", !brief && "Integration", "Accepted", "What came of it"].filter(Boolean);
  return h("div", { class: "table" }, h("table", { class: "deliveries" },
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, items.map((each) => h("tr", { class: each.status },
      h("td", {}, h("span", { class: `badge ${each.status}` }, each.status)),
      h("th", { scope: "row" }, h("a", { href: to("deliveries", each.id), class: "row", "data-key": `row ${each.id}` }, each.event_id ?? h("code", {}, each.id.slice(0, 12))), each.event_type && h("small", {}, `${each.system} · ${each.event_type}`)),
      !brief && h("td", { "data-head": "Integration" }, h("a", { href: to("integrations", each.integration), "data-key": `of ${each.id}` }, each.integration)),
      h("td", { "data-head": "Accepted" }, ago(each.accepted_at)),
      h("td", { "data-head": "Why", class: "why" }, each.status === "delivered" && each.updated_at ? h("span", { class: "quiet" }, `after ${span((Date.parse(each.updated_at) - Date.parse(each.accepted_at)) / 1000)}`) : each.reason, each.due_at && each.status === "waiting" && h("small", {}, each.attempt === null ? "" : `attempt ${each.attempt} `, ago(each.due_at))))))));
}
