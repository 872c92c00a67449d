/* Where files are dropped, or chosen; and how far they are. A file let go beside it counts too: a
 * browser would otherwise leave the page to show it. */

import { percent } from "../format.js";
import { html } from "../html.js";
import { t } from "../language.js";
import { useSignal } from "../signal.js";
import { sendFiles, stopUpload, upload } from "../upload.js";
import { FilePick, useFileDrop } from "./filepick.js";

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
  const over = useFileDrop(sendFiles);
  const sending = state === "sending";
  return html`
    <section class="drop ${over ? "over" : ""}" aria-labelledby="drop-title">
      <h2 id="drop-title">${sending ? t("upload.title") : t("drop.title")}</h2>
      ${
        sending
          ? html`<${Progress} />`
          : html`
            <p>${t("drop.lead")}</p>
            <${FilePick} main multiple label=${t("drop.choose")} onFiles=${sendFiles} />
            <p class="hint">${t("drop.formats")}</p>`
      }
    </section>`;
}
