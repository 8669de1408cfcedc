// Asking the interface below /api. Every failure is told as what it is.

import { token } from "./session.js";
import { setClock } from "./words.js";

/** `kind`: "signed-out" (sign in again), "forbidden", "missing", "later" (try again), "refused" (it says why). */
export class Failed extends Error {
  constructor(kind, message, { status = 0, after = 0 } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.after = after; // seconds to wait, at least
  }
}

const WITHIN = 30_000;

/** @returns {Promise<any>} the answer's JSON; throws Failed. */
async function ask(method, path, { query, body, signal } = {}) {
  const key = token();
  if (key === null) throw new Failed("signed-out", "You are not signed in, or your session is over.");
  const asked = new URLSearchParams(Object.entries(query ?? {}).filter(([, value]) => value)).toString();
  const limit = AbortSignal.timeout(WITHIN);
  let answer;
  try {
    answer = await fetch(`api/${path}${asked && `?${asked}`}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
      credentials: "omit",
      redirect: "error",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failed("later", "The API cannot be reached.");
  }
  setClock(answer.headers.get("date"));
  const said = await answer.json().catch(() => undefined);
  if (!answer.ok) throw failure(answer, said);
  if (said === undefined) throw new Failed("later", "The API's answer broke off.");
  return said;
}

function failure(answer, said) {
  const { status } = answer;
  const more = { status, after: Number(answer.headers.get("retry-after")) || 0 };
  const problem = (answer.headers.get("content-type") ?? "").startsWith("application/problem+json");
  const detail = problem && typeof said?.detail === "string" ? said.detail : null;
  // The gateway's own 403 is the authorizer's: it does not know this key or token, or no longer.
  if (status === 401 || (status === 403 && !problem)) {
    return new Failed("signed-out", "This key or token is not known here, or no longer good.", more);
  }
  if (status === 403) return new Failed("forbidden", detail ?? "Your key or token may not do this.", more);
  if (status === 404) return new Failed("missing", detail ?? "There is nothing here.", more);
  if (status === 429) return new Failed("later", "Too many requests: the API lets no more of them in.", more);
  if (status >= 500) return new Failed("later", detail ?? `The API answered ${status}.`, more);
  return new Failed("refused", detail ?? `The API answered ${status}.`, more);
}

const one = (...parts) => parts.map(encodeURIComponent).join("/");

export const findings = (signal) => ask("GET", "findings", { signal });
export const integrations = (signal) => ask("GET", "integrations", { signal }).then((each) => each.integrations);
export const deliveries = (query, signal) => ask("GET", "deliveries", { query, signal });
export const delivery = (id, signal) => ask("GET", one("deliveries", id), { signal });
export const ofEvent = (system, id, signal) =>
  ask("GET", one("events", system, id), { signal }).then((each) => each.deliveries);
export const replayOne = (id, newKey) =>
  ask("POST", one("deliveries", id, "replay"), { body: { new_key: newKey } });
export const replayMany = (wanted) => ask("POST", "replays", { body: wanted });
export const replay = (id, signal) => ask("GET", one("replays", id), { signal });
export const cancelReplay = (id) => ask("DELETE", one("replays", id));
export const pause = (name, reason) => ask("POST", one("integrations", name, "pause"), { body: { reason } });
export const resume = (name, rate) => ask("POST", one("integrations", name, "resume"), { body: { rate } });
