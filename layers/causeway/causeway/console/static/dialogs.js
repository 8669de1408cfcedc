// Questions before something is done. A dialog has the focus until it is answered; Escape says no.

import { h } from "./dom.js";

/**
 * Ask, and do it. What went wrong is said in the dialog, which stays open.
 * @param {{title: string, inside: (Node|string)[], yes: string, danger?: boolean, act: (form: FormData) => Promise<any>}} asked
 * @returns {Promise<any>} what `act` gave; null: the answer was no.
 */
export function ask({ title, inside, yes, danger = false, act }) {
  const before = document.activeElement;
  return new Promise((resolve) => {
    let given = null;
    const wrong = h("p", { class: "wrong", role: "alert" });
    const confirm = h("button", { type: "submit", class: danger ? "danger" : "main" }, yes);
    const refuse = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
    const form = h("form", { onsubmit: submit }, h("h2", { id: "asked" }, title), inside, wrong, h("div", { class: "answers" }, refuse, confirm));
    const dialog = h("dialog", { "aria-labelledby": "asked", onclose: closed }, form);

    async function submit(event) {
      event.preventDefault();
      confirm.disabled = true;
      wrong.textContent = "";
      try {
        given = (await act(new FormData(form))) ?? true;
        dialog.close();
      } catch (error) {
        wrong.textContent = error.message;
        confirm.disabled = false;
      }
    }

    function closed() {
      dialog.remove();
      if (before?.isConnected) before.focus();
      else document.querySelector(`[data-key="${CSS.escape(before?.dataset?.key ?? "")}"]`)?.focus();
      resolve(given);
    }

    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector("input, textarea, select") ?? confirm).focus();
  });
}

/** Show something until it is put away. */
export function show(title, ...inside) {
  const dialog = h(
    "dialog",
    { "aria-labelledby": "shown", onclose: () => dialog.remove() },
    h("h2", { id: "shown" }, title),
    inside,
    h("div", { class: "answers" }, h("button", { type: "button", class: "main", autofocus: true, onclick: () => dialog.close() }, "Close")),
  );
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A field with its name above it, and what it is for below. */
export function field(name, label, input, hint) {
  input.id = `field-${name}`;
  input.setAttribute("name", name);
  if (hint) input.setAttribute("aria-describedby", `hint-${name}`);
  return h("p", { class: "field" }, h("label", { for: input.id }, label), input, hint && h("small", { id: `hint-${name}` }, hint));
}

export const check = (name, label) =>
  h("p", { class: "field" }, h("label", { class: "check" }, h("input", { type: "checkbox", name }), ` ${label}`));
