/* The door: the passphrase, or the recovery code for the one who lost it. */
import { announce } from "../announce.js";
import { Problem } from "../api.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { plural, t } from "../language.js";
import { Emblem } from "../parts/emblem.js";
import { SecretField } from "../parts/field.js";
import { RecoverForm } from "../parts/recover.js";
import { inWords } from "../problem.js";
import { presence, signIn } from "../session.js";
import { useSignal } from "../signal.js";

/** Why the person stands before the door, when that is not plain. @param {import("../session.js").Presence} now */
function reason({ why, store }) {
  if (store === "silent") return t("problem.silent");
  if (why === "expired") return t("unlock.expired");
  if (why === "recovered") return t("unlock.recovered");
  if (why === "locked") return t("unlock.locked_meanwhile");
  if (why === "out") return store === "locked" ? t("menu.locked") : t("menu.signed_out");
  return "";
}

function SignInForm() {
  const [passphrase, setPassphrase] = useState("");
  const [error, setError] = useState("");
  const [wait, setWait] = useState(0);
  const [busy, setBusy] = useState(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  /** @param {string} text */
  const refuse = (text) => {
    setError(text);
    field.current?.focus();
    field.current?.select();
  };

  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (busy || wait > 0) return;
    if (!passphrase) return refuse(t("unlock.empty"));
    setBusy(true);
    setError("");
    announce(t("unlock.opening"));
    try {
      await signIn(passphrase);
      announce(t("unlock.opened"));
    } catch (failed) {
      setBusy(false);
      if (failed instanceof Problem && failed.status === 429) {
        const seconds = Math.ceil(failed.retryAfter) || 1;
        setWait(seconds);
        refuse(plural("problem.wait", seconds));
      } else if (failed instanceof Problem && failed.status === 401) {
        refuse(t("unlock.wrong"));
      } else {
        refuse(inWords(failed));
      }
    }
  };

  return html`
    <form onSubmit=${submit} novalidate aria-busy=${busy ? "true" : undefined}>
      <div role="alert" class="unseen">${error}</div>
      <${SecretField} id="passphrase" label=${t("unlock.passphrase")} value=${passphrase}
        autocomplete="current-password" onInput=${setPassphrase} error=${error} input=${field} />
      <button type="submit" class="main wide" aria-disabled=${busy || wait > 0 ? "true" : undefined}>
        ${busy ? t("unlock.opening") : wait > 0 ? plural("unlock.again_in", wait) : t("unlock.open")}
      </button>
    </form>`;
}

export function UnlockView() {
  const now = useSignal(presence);
  const [lost, setLost] = useState(false);
  const why = reason(now);
  return html`
    <section class="door">
      <${Emblem} />
      <div class="leaf">
        <h1 tabindex="-1">${lost ? t("recover.title") : t("unlock.title")}</h1>
        ${!lost && html`<p class="lead">${now.store === "locked" ? t("unlock.locked") : t("unlock.welcome")}</p>`}
        ${why && !lost && html`<p class="notice">${why}</p>`}
        ${lost ? html`<${RecoverForm} onDone=${() => setLost(false)} />` : html`<${SignInForm} />`}
        <button type="button" class="quiet" onClick=${() => setLost(!lost)}>
          ${lost ? t("recover.back") : t("unlock.lost")}
        </button>
      </div>
    </section>`;
}
