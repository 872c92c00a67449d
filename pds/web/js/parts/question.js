/* A dialog that asks before a change, or for what a change needs, and carries it out: what fails is told in
 * it, what went well closes it. */
import { Problem } from "../api.js";
import { html, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { Dialog } from "./dialog.js";

/** `act` carries it out: a text it gives back is a mistake to tell, nothing was done.
 * `asks`: it has fields to fill in, the first of which has the focus; else a danger is not one key away. `onStale`: what was
 * to be changed is not as it was seen any more.
 * @param {{title: string, confirm: string, busy?: string, danger?: boolean, asks?: boolean, keep?: string,
 *   act: () => Promise<string | undefined | void>, onClose: () => void, onStale?: () => void, children?: any}} props */
export function Question(props) {
  const { title, confirm, busy, danger, asks, keep, act, onClose, onStale, children } = props;
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
      if (failed instanceof Problem && [404, 412].includes(failed.status)) onStale?.();
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
          <button type="button" autofocus=${danger && !asks} onClick=${onClose}>
            ${keep ?? t("dialog.cancel")}
          </button>
        </p>
      </form>
    <//>`;
}
