/* A dialog that asks before a change, or for what a change needs, and carries it out: what fails is told in
 * it, what went well closes it. */
import { html, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { Dialog } from "./dialog.js";

/** `act` carries it out: a text it gives back is a mistake to tell, nothing was done.
 * @param {{title: string, confirm: string, busy?: string, danger?: boolean, keep?: string,
 *   act: () => Promise<string | undefined | void>, onClose: () => void, children?: any}} props */
export function Question({ title, confirm, busy, danger, keep, act, onClose, children }) {
  const [error, setError] = useState("");
  const [working, setWorking] = useState(false);

  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (working) return;
    setWorking(true);
    setError("");
    try {
      const mistake = await act();
      if (!mistake) return onClose();
      setError(mistake);
    } catch (failed) {
      setError(inWords(failed));
    }
    setWorking(false);
  };

  return html`
    <${Dialog} title=${title} onClose=${onClose}>
      <form onSubmit=${submit} novalidate>
        ${children}
        ${error && html`<p class="error" role="alert">${error}</p>`}
        <p class="actions">
          <button
            type="submit"
            class=${danger ? "danger" : "main"}
            aria-disabled=${working ? "true" : undefined}
          >${working && busy ? busy : confirm}</button>
          <button type="button" autofocus=${danger && !children} onClick=${onClose}>
            ${keep ?? t("dialog.cancel")}
          </button>
        </p>
      </form>
    <//>`;
}
