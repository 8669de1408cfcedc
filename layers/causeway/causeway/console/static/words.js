// Times, spans and counts as people read them. Times are UTC, as in the logs.

import { h } from "./dom.js";

let ahead = 0; // of the server's clock before ours, milliseconds

/** Take the server's time from an answer: what it says is as old as it says. */
export function setClock(date) {
  const told = Date.parse(date ?? "");
  if (!Number.isNaN(told) && Math.abs(told - Date.now() - ahead) > 1500) ahead = told - Date.now();
}

export const now = () => Date.now() + ahead;

/** Seconds in words, two units at most: `1 d 4 h`, `12 min`, `0.42 s`. */
export function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  let rest = Math.floor(seconds);
  const first = units.findIndex(([, size]) => rest >= size);
  const words = [];
  for (const [name, size] of units.slice(first, first + (first === 2 && rest >= 600 ? 1 : 2))) {
    if (rest >= size) words.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
  }
  return words.join(" ");
}

/** A moment, whole: `2026-11-22 10:05:00 UTC`. */
export const moment = (time) => `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;

const passed = (time) => {
  const seconds = (now() - Date.parse(time)) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  return seconds > 0 ? `${span(Math.max(1, Math.floor(seconds)))} ago` : `in ${span(Math.floor(-seconds))}`;
};

/** How long ago a moment was, or how far it is: an element that goes on counting. */
export const ago = (time) =>
  h("time", { datetime: time, title: moment(time), class: "ago" }, passed(time));

/** Let all of them count on. */
export function tick() {
  for (const each of document.querySelectorAll("time.ago")) {
    const said = passed(each.dateTime);
    if (each.textContent !== said) each.textContent = said;
  }
}

/** A count, with a sign where it is a lower bound. */
export const count = (number, atLeast = false) => `${atLeast ? "≥ " : ""}${number.toLocaleString("en")}`;

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
