/* A labelled field for a secret, which its writer may look at. */
import { html, useState } from "../html.js";
import { t } from "../language.js";

/** `input` receives the element, for focus.
 * @param {{id: string, label: string, hint?: string, error?: string, value: string,
 *   autocomplete: string, onInput: (value: string) => void,
 *   input?: {current: HTMLInputElement | null}}} props */
export function SecretField({ id, label, hint, error, value, autocomplete, onInput, input }) {
  const [shown, setShown] = useState(false);
  const told = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
      <div class="secret">
        <input
          id=${id}
          ref=${input}
          type=${shown ? "text" : "password"}
          autocomplete=${autocomplete}
          autocapitalize="none"
          spellcheck=${false}
          required
          value=${value}
          aria-invalid=${error ? "true" : undefined}
          aria-describedby=${told || undefined}
          onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
        />
        <button
          type="button"
          class="peek"
          aria-pressed=${shown ? "true" : "false"}
          aria-controls=${id}
          onClick=${() => setShown(!shown)}
        >${t("field.show")}</button>
      </div>
      ${error && html`<p class="error" id="${id}-error">${error}</p>`}
    </div>`;
}
