// Signing in at the stack's OpenID provider: authorization code with PKCE (RFC 7636), state and nonce.

const PLACE = "causeway.signing-in";

const told = document.body.dataset;

export const isConfigured = () => Boolean(told.issuer && told.client);

const here = () => location.origin + location.pathname;

const encoded = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const random = () => encoded(crypto.getRandomValues(new Uint8Array(32)));

/** The provider's configuration. It must speak of the issuer that this stack trusts, by a protocol as safe. */
async function configuration() {
  const answer = await fetch(`${told.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, {
    credentials: "omit",
    redirect: "error",
  });
  if (!answer.ok) throw new Error(`the provider's configuration cannot be read: it answered ${answer.status}`);
  const found = await answer.json();
  if (found.issuer !== told.issuer) throw new Error("the provider's configuration is that of another issuer");
  const safe = new URL(told.issuer).protocol;
  for (const name of ["authorization_endpoint", "token_endpoint"]) {
    if (new URL(found[name]).protocol !== safe) throw new Error(`the provider's ${name} is not safe`);
  }
  return found;
}

/** Go to the provider. It sends the person back here. */
export async function begin() {
  const { authorization_endpoint: endpoint } = await configuration();
  const attempt = { state: random(), nonce: random(), verifier: random(), hash: location.hash };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(attempt.verifier));
  sessionStorage.setItem(PLACE, JSON.stringify(attempt));
  const url = new URL(endpoint);
  const asked = {
    response_type: "code",
    client_id: told.client,
    redirect_uri: here(),
    scope: told.scope,
    audience: told.audience,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: encoded(digest),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(asked)) if (value) url.searchParams.set(name, value);
  location.assign(url);
}

/**
 * Take what the provider sent the person back with, if it did, out of the address.
 * @returns {Promise<{token: string, kind: "oidc", ends: number}|null>}
 */
export async function finish() {
  const said = new URLSearchParams(location.search);
  if (!said.has("state")) return null;
  const attempt = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
  sessionStorage.removeItem(PLACE); // it is good for one answer
  history.replaceState(null, "", location.pathname + (attempt?.hash || location.hash || "#/"));
  if (attempt === null || said.get("state") !== attempt.state) {
    throw new Error("this answer belongs to no sign-in that began in this tab");
  }
  if (said.has("iss") && said.get("iss") !== told.issuer) throw new Error("another provider answered");
  if (said.has("error")) throw new Error(`the provider said: ${said.get("error_description") ?? said.get("error")}`);
  const { token_endpoint: endpoint } = await configuration();
  const answer = await fetch(endpoint, {
    method: "POST",
    credentials: "omit",
    redirect: "error",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: told.client,
      redirect_uri: here(),
      code: said.get("code") ?? "",
      code_verifier: attempt.verifier,
    }),
  });
  const given = await answer.json().catch(() => ({}));
  if (!answer.ok || typeof given.access_token !== "string") {
    throw new Error(`the provider gave no token: ${given.error_description ?? given.error ?? answer.status}`);
  }
  checkIdToken(given.id_token, attempt.nonce);
  return { token: given.access_token, kind: "oidc", ends: Date.now() + 1000 * (Number(given.expires_in) || 3600) };
}

/**
 * The ID token says that this answer is to this sign-in. It came from the provider itself, by TLS, so its
 * signature need not be checked (OpenID Connect Core 1.0, section 3.1.3.7, step 6); the stack checks the other's.
 */
function checkIdToken(text, nonce) {
  let claims;
  try {
    const part = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (each) => each.charCodeAt(0))));
  } catch {
    throw new Error("the provider gave no ID token: its client must be allowed the scope openid");
  }
  if (claims.nonce !== nonce) throw new Error("the ID token belongs to another sign-in");
  if (claims.iss !== told.issuer) throw new Error("the ID token is of another issuer");
  if (![claims.aud].flat().includes(told.client)) throw new Error("the ID token is for another client");
  if (!(claims.exp * 1000 > Date.now() - 60_000)) throw new Error("the ID token has expired");
}
