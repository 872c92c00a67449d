/* What the owner can do with the session and the store's lock: a disclosure, closed by Escape. */
import { announce } from "../announce.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../language.js";
import { inWords } from "../problem.js";
import { address, follow } from "../router.js";
import { lockStore, signOut } from "../session.js";
import { PassphraseDialog } from "./passphrase.js";

export function OwnerMenu() {
  const [open, setOpen] = useState(false);
  const [changing, setChanging] = useState(false);
  const [error, setError] = useState("");
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));

  useEffect(() => {
    if (!open) return;
    /** @param {Event} event */
    const outside = (event) => {
      if (!box.current?.contains(/** @type {Node} */ (event.target))) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);

  /** @param {() => Promise<void>} action @param {string} outcome */
  const perform = async (action, outcome) => {
    setError("");
    try {
      await action();
      announce(outcome);
    } catch (failed) {
      setError(inWords(failed));
    }
  };

  return html`
    <div
      class="menu"
      ref=${box}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        button.current?.focus();
      }}
    >
      <button
        type="button"
        ref=${button}
        aria-expanded=${open ? "true" : "false"}
        aria-controls="owner-menu"
        onClick=${() => setOpen(!open)}
      >${t("menu.label")}</button>
      <ul id="owner-menu" hidden=${!open}>
        <li>
          <a
            href=${address("/store")}
            onClick=${(/** @type {MouseEvent} */ event) => {
              setOpen(false);
              follow(event);
            }}
          >
            <span>${t("menu.store")}</span>
            <small>${t("menu.store_hint")}</small>
          </a>
        </li>
        <li>
          <button type="button" onClick=${() => perform(signOut, t("menu.signed_out"))}>
            <span>${t("menu.sign_out")}</span>
            <small>${t("menu.sign_out_hint")}</small>
          </button>
        </li>
        <li>
          <button type="button" onClick=${() => perform(lockStore, t("menu.locked"))}>
            <span>${t("menu.lock")}</span>
            <small>${t("menu.lock_hint")}</small>
          </button>
        </li>
        <li>
          <button
            type="button"
            onClick=${() => {
              button.current?.focus();
              setOpen(false);
              setChanging(true);
            }}
          ><span>${t("menu.passphrase")}</span></button>
        </li>
        ${error && html`<li role="alert" class="error">${error}</li>`}
      </ul>
      ${changing && html`<${PassphraseDialog} onClose=${() => setChanging(false)} />`}
    </div>`;
}
