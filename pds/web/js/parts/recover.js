/* The way back in with the recovery code, which sets a new passphrase. */
import { announce } from "../announce.js";
import { Problem } from "../api.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { recover } from "../session.js";
import { SecretField } from "./field.js";
import { PASSPHRASE_LENGTH } from "./passphrase.js";

/** @param {{onDone: () => void}} props */
export function RecoverForm({ onDone }) {
  const [code, setCode] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState({ at: "", text: "" });
  const [busy, setBusy] = useState(false);
  const codeField = useRef(/** @type {HTMLInputElement | null} */ (null));
  const nextField = useRef(/** @type {HTMLInputElement | null} */ (null));
  const againField = useRef(/** @type {HTMLInputElement | null} */ (null));

  useEffect(() => codeField.current?.focus(), []);

  /** @param {string} at @param {string} text */
  const refuse = (at, text) => {
    setError({ at, text });
    const field = at === "code" ? codeField : at === "next" ? nextField : againField;
    field.current?.focus();
  };

  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (!code.trim()) return refuse("code", t("recover.no_code"));
    if (next.length < PASSPHRASE_LENGTH)
      return refuse("next", t("passphrase.short", { length: PASSPHRASE_LENGTH }));
    if (next !== again) return refuse("again", t("passphrase.differ"));
    setBusy(true);
    try {
      await recover(code.trim(), next);
      announce(t("unlock.recovered"));
      onDone();
    } catch (failed) {
      setBusy(false);
      const wrong = failed instanceof Problem && (failed.status === 401 || failed.status === 403);
      refuse("code", wrong ? t("recover.wrong") : inWords(failed));
    }
  };

  /** @param {string} at */
  const errorAt = (at) => (error.at === at ? error.text : "");
  return html`
    <form onSubmit=${submit} novalidate>
      <p class="lead">${t("recover.lead")}</p>
      <div role="alert" class="unseen">${error.text}</div>
      <${SecretField} id="code" label=${t("recover.code")} hint=${t("recover.code_hint")}
        value=${code} autocomplete="off" onInput=${setCode} input=${codeField}
        error=${errorAt("code")} />
      <${SecretField} id="next" label=${t("passphrase.new")}
        hint=${t("passphrase.hint", { length: PASSPHRASE_LENGTH })} value=${next}
        autocomplete="new-password" onInput=${setNext} input=${nextField}
        error=${errorAt("next")} />
      <${SecretField} id="again" label=${t("passphrase.again")} value=${again}
        autocomplete="new-password" onInput=${setAgain} input=${againField}
        error=${errorAt("again")} />
      <button type="submit" class="main wide" aria-disabled=${busy ? "true" : undefined}>
        ${busy ? t("passphrase.saving") : t("recover.save")}
      </button>
      <p class="hint">${t("recover.neither")}</p>
    </form>`;
}
