/* The small form that changes the passphrase. */
import { announce } from "../announce.js";
import { changePassphrase } from "../api.js";
import { html, useRef, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { Dialog } from "./dialog.js";
import { SecretField } from "./field.js";

export const PASSPHRASE_LENGTH = 12; // what the page asks at least; the program has the last word

/** @param {{onClose: () => void}} props */
export function PassphraseDialog({ onClose }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [error, setError] = useState({ at: "", text: "" });
  const [busy, setBusy] = useState(false);
  const fields = {
    current: useRef(/** @type {HTMLInputElement | null} */ (null)),
    next: useRef(/** @type {HTMLInputElement | null} */ (null)),
    again: useRef(/** @type {HTMLInputElement | null} */ (null)),
  };

  /** @param {"current" | "next" | "again"} at @param {string} text */
  const refuse = (at, text) => {
    setError({ at, text });
    fields[at].current?.focus();
  };

  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    if (next.length < PASSPHRASE_LENGTH)
      return refuse("next", t("passphrase.short", { length: PASSPHRASE_LENGTH }));
    if (next !== again) return refuse("again", t("passphrase.differ"));
    setBusy(true);
    try {
      await changePassphrase(current, next);
      announce(t("passphrase.changed"));
      onClose();
    } catch (failed) {
      refuse("current", inWords(failed));
    } finally {
      setBusy(false);
    }
  };

  /** @param {string} at */
  const errorAt = (at) => (error.at === at ? error.text : "");
  return html`
    <${Dialog} title=${t("passphrase.title")} onClose=${onClose}>
      <form onSubmit=${submit} novalidate>
        <${SecretField} id="current" label=${t("passphrase.current")} value=${current}
          autocomplete="current-password" onInput=${setCurrent} input=${fields.current}
          error=${errorAt("current")} />
        <${SecretField} id="next" label=${t("passphrase.new")} value=${next}
          hint=${t("passphrase.hint", { length: PASSPHRASE_LENGTH })}
          autocomplete="new-password" onInput=${setNext} input=${fields.next}
          error=${errorAt("next")} />
        <${SecretField} id="again" label=${t("passphrase.again")} value=${again}
          autocomplete="new-password" onInput=${setAgain} input=${fields.again}
          error=${errorAt("again")} />
        <p class="actions">
          <button type="submit" class="main" aria-disabled=${busy ? "true" : undefined}>
            ${busy ? t("passphrase.saving") : t("passphrase.save")}
          </button>
          <button type="button" onClick=${onClose}>${t("dialog.cancel")}</button>
        </p>
      </form>
    <//>`;
}
