/* Documents that go together: what an office asks for at once. */
import { announce } from "../announce.js";
import { html, useEffect, useState } from "../html.js";
import { plural, t } from "../language.js";
import * as papers from "../papers.js";
import { inWords } from "../problem.js";
import { TextField } from "./inputs.js";
import { Question } from "./question.js";
import { useRefocus } from "./refocus.js";

/** @param {{bundle: papers.Bundle | null, onClose: () => void, onDone: () => void}} props */
function BundleForm({ bundle, onClose, onDone }) {
  const [title, setTitle] = useState(bundle?.title ?? "");
  const [chosen, setChosen] = useState(bundle?.documents ?? []);
  const [all, setAll] = useState(/** @type {papers.Paper[]} */ ([]));
  const [error, setError] = useState("");
  useEffect(() => {
    papers.allPapers().then(setAll, (failed) => setError(inWords(failed)));
  }, []);
  const act = async () => {
    if (!title.trim()) return t("bundle.no_title");
    await papers.putBundle(bundle?.id ?? "", title.trim(), chosen);
    announce(t("bundle.saved"));
    onDone();
  };
  /** @param {string} id */
  const toggle = (id) =>
    setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  return html`
    <${Question} title=${bundle ? t("bundle.change") : t("bundle.add")} confirm=${t("paper.save")} act=${act}
      onClose=${onClose}>
      <${TextField} id="bundle-title" label=${t("bundle.title")} hint=${t("bundle.hint")} value=${title}
        onInput=${setTitle} required />
      ${error && html`<p class="error">${error}</p>`}
      <fieldset>
        <legend>${t("papers.title")}</legend>
        ${all.map(
          (one) => html`
            <label class="tick">
              <input type="checkbox" checked=${chosen.includes(one.id)} onChange=${() => toggle(one.id)} />
              ${one.title}
            </label>`,
        )}
      </fieldset>
    <//>`;
}

/** @param {{bundle: papers.Bundle, onClose: () => void, onDone: () => void}} props */
function DeleteBundle({ bundle, onClose, onDone }) {
  const act = async () => {
    await papers.deleteBundle(bundle.id);
    announce(t("bundle.deleted"));
    onDone();
  };
  return html`
    <${Question} title=${t("bundle.delete_title")} confirm=${t("bundle.delete")} danger keep=${t("delete.keep")}
      act=${act} onClose=${onClose} onStale=${onDone}>
      <p>${t("bundle.delete_lead", { title: bundle.title })}</p>
    <//>`;
}

/** @param {{onOpen: (bundle: papers.Bundle) => void}} props */
export function Bundles({ onOpen }) {
  const [all, setAll] = useState(/** @type {papers.Bundle[]} */ ([]));
  const [editing, setEditing] = useState(
    /** @type {papers.Bundle | null | undefined} */ (undefined),
  );
  const [deleting, setDeleting] = useState(/** @type {papers.Bundle | null} */ (null));
  const [error, setError] = useState("");
  const heading = useRefocus(all.length);
  const load = () =>
    papers.bundles().then(
      (list) => {
        setAll(list);
        setError("");
      },
      (failed) => setError(inWords(failed)),
    );
  useEffect(() => {
    load();
  }, []);
  return html`
    <section aria-labelledby="bundles-title">
      <h2 id="bundles-title" tabindex="-1" ref=${heading}>${t("bundle.all")}</h2>
      <p class="hint">${t("bundle.lead")}</p>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <ul class="sources" hidden=${!all.length}>
        ${all.map(
          (one) => html`
            <li key=${one.id}>
              <div>
                <p class="file">${one.title}</p>
                <p class="hint">${plural("bundle.count", one.documents.length)}</p>
              </div>
              <div class="few">
                <button type="button" aria-label="${t("bundle.open")} – ${one.title}"
                  onClick=${() => onOpen(one)}>${t("bundle.open")}</button>
                <button type="button" aria-label="${t("notes.edit")} – ${one.title}"
                  onClick=${() => setEditing(one)}>${t("notes.edit")}</button>
                <button type="button" aria-label="${t("notes.delete")} – ${one.title}"
                  onClick=${() => setDeleting(one)}>${t("notes.delete")}</button>
              </div>
            </li>`,
        )}
      </ul>
      <button type="button" onClick=${() => setEditing(null)}>${t("bundle.add")}…</button>
      ${
        editing !== undefined &&
        html`<${BundleForm} bundle=${editing} onClose=${() => setEditing(undefined)} onDone=${load} />`
      }
      ${
        deleting &&
        html`
          <${DeleteBundle} bundle=${deleting} onDone=${load} onClose=${() => setDeleting(null)} />`
      }
    </section>`;
}
