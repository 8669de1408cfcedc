// Who looks: a token or an API key, in this tab's memory and nowhere that outlives it.

const PLACE = "causeway.session";

let session = null;
try {
  session = JSON.parse(sessionStorage.getItem(PLACE));
} catch {
  sessionStorage.removeItem(PLACE);
}

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
  sessionStorage.setItem(PLACE, JSON.stringify(found));
}

export function forget() {
  session = null;
  sessionStorage.removeItem(PLACE);
}

/** The token, or null when there is none or its time is over. */
export const token = () => (session && !(session.ends <= Date.now()) ? session.token : null);

export const isOver = () => session !== null && token() === null;
