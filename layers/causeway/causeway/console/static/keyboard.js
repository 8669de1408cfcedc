// Shortcuts of one key. They rest while somebody types, and can be switched off.

import { show } from "./dialogs.js";
import { byId, h } from "./dom.js";

const OFF = "causeway.shortcuts-off";

const KEYS = [
  ["/", "find an event or a delivery by its id", () => byId("sought").focus()],
  ["h", "the overview", () => (location.hash = "#/")],
  ["d", "deliveries", () => (location.hash = "#/deliveries")],
  ["x", "dead letters", () => (location.hash = "#/deliveries?status=dead")],
  ["j", "next row", () => step(1)],
  ["k", "row before", () => step(-1)],
  ["r", "refresh", () => byId("fresh").click()],
  ["?", "this help", help],
];

function step(by) {
  const rows = [...document.querySelectorAll("main a.row")];
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  next?.focus();
}

export function help() {
  const off = h("input", { type: "checkbox", checked: localStorage.getItem(OFF) === "1", onchange: (event) => localStorage.setItem(OFF, event.target.checked ? "1" : "0") });
  show(
    "Help",
    h("p", {}, "This page shows how the stack's integrations are, and refreshes itself while it is looked at. Times are UTC."),
    h("dl", { class: "keys" }, KEYS.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does))),
      h("div", {}, h("dt", {}, h("kbd", {}, "Esc")), h("dd", {}, "leave a field or a question"))),
    h("p", {}, h("label", { class: "check" }, off, " Shortcuts off")),
  );
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "Escape" && typing && !typing.closest("dialog")) typing.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (byId("pages").hidden || localStorage.getItem(OFF) === "1") return;
    const found = KEYS.find(([key]) => key === event.key);
    if (!found) return;
    event.preventDefault();
    found[2]();
  });
}
