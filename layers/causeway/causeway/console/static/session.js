// Who looks: a token or an API key, in this tab's memory and nowhere that outlives it.

const PLACE = "causeway.session";

/** What the tab's storage gives; null where the browser has none for this page: then it is this page's memory alone. */
function stored(act) {
  try {
    return act(sessionStorage);
  } catch {
    return null;
  }
}

let session = stored((all) => JSON.parse(all.getItem(PLACE)));

/** Take a key that the address holds behind its `#`, and the key from the address at once. */
export function takeKey() {
  const match = /^#key=([!-~]{1,8192})$/.exec(location.hash);
  if (!match) return false;
  history.replaceState(null, "", `${location.pathname}#/`);
  keep({ token: match[1], kind: "key" });
  return true;
}

/** @param {{token: string, kind: "key"|"oidc", ends?: number}} found `ends` in epoch milliseconds. */
export function keep(found) {
  session = found;
  stored((all) => all.setItem(PLACE, JSON.stringify(found)));
}

export function forget() {
  session = null;
  stored((all) => all.removeItem(PLACE));
}

/** The token, or null when there is none or its time is over. */
export const token = () => (session && !(session.ends <= Date.now()) ? session.token : null);

export const isOver = () => session !== null && token() === null;
