/* A question before a change, or a small form: a native dialog, which keeps the focus in and gives it
 * back. */
import { html, useEffect, useRef } from "../html.js";

/** @param {{title: string, onClose: () => void, children?: any}} props */
export function Dialog({ title, onClose, children }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const back = /** @type {HTMLElement | null} */ (document.activeElement);
    box.current?.showModal();
    return () => back?.focus();
  }, []);
  return html`
    <dialog
      ref=${box}
      aria-labelledby="dialog-title"
      onCancel=${(/** @type {Event} */ event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id="dialog-title">${title}</h2>
      ${children}
    </dialog>`;
}
