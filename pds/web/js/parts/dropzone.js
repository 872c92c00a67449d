/* Where files are dropped, or chosen; and how far they are. A file let go beside it counts too: a
 * browser would otherwise leave the page to show it. */

import { percent } from "../format.js";
import { html, useEffect, useRef, useState } from "../html.js";
import { t } from "../language.js";
import { useSignal } from "../signal.js";
import { sendFiles, stopUpload, upload } from "../upload.js";

function Progress() {
  const { file, share, index, count } = useSignal(upload);
  const writing = share >= 1;
  return html`
    <div class="progress">
      <label for="progress">
        ${count > 1 && html`<span>${t("upload.nth", { nth: index + 1, count })}</span> `}
        <strong>${file}</strong>
      </label>
      <progress id="progress" max="1" value=${writing ? undefined : share}></progress>
      <p>${writing ? t("upload.writing") : t("upload.sending", { share: percent(share) })}</p>
      <button type="button" onClick=${stopUpload}>${t("upload.stop")}</button>
    </div>`;
}

export function DropZone() {
  const { state } = useSignal(upload);
  const [over, setOver] = useState(false);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const sending = state === "sending";

  useEffect(() => {
    /** @param {DragEvent} event */
    const drag = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    /** @param {DragEvent} event */
    const leave = (event) => {
      if (event.relatedTarget === null) setOver(false);
    };
    /** @param {DragEvent} event */
    const drop = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      sendFiles([...event.dataTransfer.files]);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);

  return html`
    <section class="drop ${over ? "over" : ""}" aria-labelledby="drop-title">
      <h2 id="drop-title">${sending ? t("upload.title") : t("drop.title")}</h2>
      ${
        sending
          ? html`<${Progress} />`
          : html`
            <p>${t("drop.lead")}</p>
            <button type="button" class="main" onClick=${() => input.current?.click()}>
              ${t("drop.choose")}
            </button>
            <p class="hint">${t("drop.formats")}</p>`
      }
      <input
        type="file"
        multiple
        hidden
        ref=${input}
        aria-label=${t("drop.choose")}
        onChange=${(/** @type {any} */ event) => {
          sendFiles([...event.target.files]);
          event.target.value = "";
        }}
      />
    </section>`;
}
