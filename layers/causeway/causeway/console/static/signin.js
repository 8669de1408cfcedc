// Before anything is shown: who looks? By the stack's OpenID provider, or by an API key.

import { field } from "./dialogs.js";
import { h } from "./dom.js";
import { begin, isConfigured } from "./oidc.js";
import { keep } from "./session.js";

/** @param {string} reason why it is asked, if that needs saying. */
export function signIn(reason, done) {
  const wrong = h("p", { class: "wrong", role: "alert" }, reason);
  const provider = h("button", { type: "button", class: "main wide", onclick: go }, "Sign in");
  const key = h("input", { type: "password", autocomplete: "off", spellcheck: "false", required: true, maxlength: "8192" });
  const form = h("form", { onsubmit: take },
    field("key", "API key", key, "causeway keys create NAME --scope console:read --scope console:operate"),
    h("button", { type: "submit", class: isConfigured() ? null : "main wide" }, "Sign in by key"));

  async function go() {
    provider.disabled = true;
    try {
      await begin();
    } catch (error) {
      wrong.textContent = `Signing in cannot begin: ${error.message}`;
      provider.disabled = false;
    }
  }

  function take(event) {
    event.preventDefault();
    const given = key.value.trim();
    if (!/^[!-~]{1,8192}$/.test(given)) {
      wrong.textContent = "That is no API key: it has no spaces and nothing but ASCII.";
      return;
    }
    keep({ token: given, kind: "key" });
    done();
  }

  return h("section", { class: "sign-in" },
    h("h1", { tabindex: "-1" }, "Sign in"), wrong,
    isConfigured() && [provider, h("p", { class: "or" }, "or")],
    form,
    h("p", { class: "quiet" }, "It stays in this tab until you sign out or close it."));
}
