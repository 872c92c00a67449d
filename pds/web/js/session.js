/* Who is in front of the page: nobody yet, or the owner. The cookie is the browser's; here lies only
 * what the page must know: is the store open, are we signed in, and why not any more. */
import * as api from "./api.js";
import { BASE } from "./router.js";
import { Signal } from "./signal.js";

/** `why` tells what ended the session: "expired", "locked", "out" (by choice); "" at the start.
 * @typedef {{state: "unknown" | "out" | "in", store: "open" | "locked" | "silent",
 *   why: "" | "expired" | "locked" | "out" | "recovered"}} Presence */

export const presence = new Signal(
  /** @type {Presence} */ ({ state: "unknown", store: "open", why: "" }),
);

/** The store is damaged: what the program saw, in its own English, maybe nothing; null: it is not.
 * Never taken back while the page lives. */
export const damage = new Signal(/** @type {string | null} */ (null));

// When any tab last spoke, so that each does not keep the other alive; of this store, where many share an origin.
const SHARED = `traboule.active${BASE}`;
let idleMs = 0;
let timer = 0;

/** @param {api.Session} answer */
function enter(answer) {
  api.setCsrf(answer.csrf);
  idleMs = (answer.idle_seconds ?? 0) * 1000;
  api.spoke.at = Date.now();
  presence.set({ state: "in", store: "open", why: "" });
  if (answer.damaged) damage.set(answer.damaged);
  watchIdle();
}

/** @param {Presence["why"]} why @param {Presence["store"]} [store] */
function leave(why, store = "open") {
  api.setCsrf("");
  clearTimeout(timer);
  presence.set({ state: "out", store, why });
}

function lastSpoken() {
  try {
    const shared = Number(localStorage.getItem(SHARED)) || 0;
    if (api.spoke.at > shared) localStorage.setItem(SHARED, String(api.spoke.at));
    return Math.max(shared, api.spoke.at);
  } catch {
    return api.spoke.at;
  }
}

/** What a person left on the screen is hidden when their session ends, without waiting for a click. */
function watchIdle() {
  clearTimeout(timer);
  if (!idleMs) return;
  const wait = lastSpoken() + idleMs + 1500 - Date.now();
  if (wait > 0) {
    timer = window.setTimeout(watchIdle, Math.min(wait, 60_000));
    return;
  }
  api.session().then(
    ({ damaged }) => {
      if (damaged) damage.set(damaged);
      timer = window.setTimeout(watchIdle, idleMs + 1500);
    },
    (failed) => {
      if (failed.status === 401) leave("expired");
      else timer = window.setTimeout(watchIdle, 60_000);
    },
  );
}

api.trouble.watch((failed) => {
  if (!failed) return;
  if (failed.is("damaged")) damage.set(failed.detail);
  else if (failed.is("locked")) leave("locked", "locked");
  else if (presence.value.state === "in") leave("expired");
});

/** Another tab may have signed in anew or out: the cookie is shared, the token is the session's. */
async function catchUp() {
  if (presence.value.state !== "in") return;
  try {
    const { csrf, damaged } = await api.session();
    if (damaged) damage.set(damaged);
    if (presence.value.state === "in") api.setCsrf(csrf);
  } catch (failed) {
    if (!(failed instanceof api.Problem)) throw failed;
    if (failed.status === 401 && presence.value.state === "in") leave("expired");
  }
}
addEventListener("focus", catchUp);

/** Find out where we are, at the start of the page. */
export async function startSession() {
  try {
    const { status, damaged } = await api.health();
    if (damaged) damage.set("");
    if (status === "locked") leave("", "locked");
    else enter(await api.session());
  } catch (failed) {
    if (!(failed instanceof api.Problem)) throw failed;
    if (failed.is("damaged")) damage.set(failed.detail);
    leave("", failed.status === 0 ? "silent" : failed.is("locked") ? "locked" : "open");
  }
}

/** @param {string} passphrase */
export async function signIn(passphrase) {
  const answer = await api.signIn(passphrase).catch((failed) => {
    if (failed instanceof api.Problem && failed.is("damaged")) damage.set(failed.detail);
    throw failed;
  });
  try {
    enter(await api.session()); // tells the idle time too
  } catch {
    enter(answer);
  }
}

export async function signOut() {
  await api.signOut().catch((failed) => {
    if (failed.status !== 401) throw failed; // it had ended already
  });
  leave("out");
}

export async function lockStore() {
  await api.lock();
  leave("out", "locked");
}

/** @param {string} code @param {string} passphrase */
export async function recover(code, passphrase) {
  await api.recover(code, passphrase);
  presence.set({ ...presence.value, why: "recovered" });
}
