// The page: which view the address means, its data, and what is said of both.

import { deliveries } from "./deliveries.js";
import { delivery, ofEvent, sought } from "./delivery.js";
import { byId, h, redraw, to } from "./dom.js";
import { integration } from "./integration.js";
import { help, listen } from "./keyboard.js";
import { finish } from "./oidc.js";
import { overview } from "./overview.js";
import { refreshing } from "./refresh.js";
import { replay } from "./replays.js";
import { forget, isOver, keep, takeKey, token } from "./session.js";
import { signIn } from "./signin.js";
import { now, span, tick } from "./words.js";

/** By the address's parts: the view's name, and of how many parts more it is told. */
const VIEWS = [
  ["", 0, overview],
  ["integrations", 1, integration],
  ["deliveries", 0, deliveries],
  ["deliveries", 1, delivery],
  ["events", 2, ofEvent],
  ["replays", 1, replay],
  ["find", 1, sought],
];

const main = byId("main");
const trouble = byId("trouble");
const fresh = byId("fresh");

let running = null; // what refreshes the view that is shown
let shown = null; // its data as a text, to see whether anything changed
let told = null; // what was last said of it, for those who do not see it
let readAt = 0;
let held = null; // the filter that had the focus when it changed the address

function viewOf(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  try {
    const [name, ...parts] = path.split("/").map(decodeURIComponent);
    if (parts.some((each) => each === "." || each === "..")) return undefined; // in an address they mean another place
    const found = VIEWS.find(([each, count]) => each === name && count === parts.length);
    return found?.[2](parts, new URLSearchParams(query ?? ""));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function open() {
  running?.stop();
  const key = main.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  held = key?.startsWith("filter ") ? key : null;
  running = shown = told = null;
  warn(null);
  const over = isOver();
  if (over) forget();
  const signedIn = token() !== null;
  for (const id of ["pages", "find", "tools"]) byId(id).hidden = !signedIn;
  if (!signedIn) return askWho(over ? "Your session is over: sign in again." : "");
  const view = viewOf(location.hash);
  mark();
  main.replaceChildren(h("p", { class: "quiet" }, "Loading."));
  if (!view) return lost("There is no such page.");
  document.title = `${view.title} · Causeway`;
  const again = () => running.now();
  running = refreshing(view, (data) => draw(view, data, again), (error, wait) => fail(error, wait));
  return undefined;
}

function draw(view, data, again) {
  readAt = now();
  warn(null);
  const text = JSON.stringify(data);
  const typing = main.querySelector("form input:focus"); // what somebody types stays
  if (text !== shown && !typing) {
    const first = shown === null;
    shown = text;
    redraw(main, view.draw(data, again));
    if (first) begin();
    say(view.says?.(data), first);
  }
  beat();
}

/** A page begins at its heading, for those who do not see it, too. */
function begin() {
  scrollTo(0, 0);
  if (document.querySelector("dialog[open]")) return;
  const filter = held && main.querySelector(`[data-key="${CSS.escape(held)}"]`);
  (filter ?? main.querySelector("h1"))?.focus({ preventScroll: true });
}

/** Of what refreshes, only what it comes to is said aloud, and only when that has changed. */
function say(sentence, first) {
  if (sentence && sentence !== told && !first) byId("told").textContent = sentence;
  told = sentence ?? told;
}

function fail(error, wait) {
  if (error.kind === "signed-out") {
    forget();
    open();
    return askWho(`${error.message} Sign in again.`);
  }
  if (error.kind === undefined) console.error(error);
  const message = error.kind === undefined ? `This page has a fault: ${error.message}` : error.message;
  if (shown === null && !wait) return lost(message);
  if (shown === null) main.replaceChildren(h("p", { class: "quiet" }, "Nothing could be read yet."));
  return warn(wait ? `${message} Trying again in ${span(wait)}.${shown === null ? "" : " What is shown is older."}` : message);
}

function lost(message) {
  main.replaceChildren(h("section", { class: "verdict" }, h("h1", { tabindex: "-1" }, message)), h("p", {}, h("a", { href: "#/" }, "To the overview")));
  begin();
}

function warn(message) {
  trouble.hidden = message === null;
  trouble.textContent = message ?? "";
  document.body.classList.toggle("stale", message !== null);
  beat();
}

function askWho(reason) {
  document.title = "Sign in · Causeway";
  for (const each of document.querySelectorAll("dialog")) each.close();
  main.replaceChildren(signIn(reason, open));
  begin();
}

function mark() {
  for (const link of byId("pages").children) {
    const here = link.hash === "#/" ? /^#?\/?$/.test(location.hash) : location.hash.startsWith(link.hash);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** How old what is shown is. */
function beat() {
  if (!shown) return;
  const age = Math.max(0, (now() - readAt) / 1000);
  const live = age < 20 && trouble.hidden;
  fresh.textContent = live ? "Live" : `${span(Math.floor(age) || 1)} old`;
  fresh.classList.toggle("old", !live);
}

byId("environment").textContent = document.body.dataset.environment;
byId("skip").addEventListener("click", () => main.focus());
byId("help").addEventListener("click", () => help());
fresh.addEventListener("click", () => running?.now());
byId("leave").addEventListener("click", () => {
  forget();
  open();
});
byId("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("sought").value.trim();
  if (!text) return;
  const hash = to("find", text);
  if (location.hash === hash) open();
  else location.hash = hash;
});
addEventListener("hashchange", () => {
  takeKey();
  open();
});
setInterval(() => {
  tick();
  beat();
  if (isOver()) open();
}, 1000);

listen();
let reason = null;
if (!takeKey()) {
  try {
    const session = await finish();
    if (session) keep(session);
  } catch (error) {
    reason = `You are not signed in: ${error.message}.`;
  }
}
open();
if (reason && token() === null) askWho(reason);
