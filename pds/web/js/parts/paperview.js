/* One document: what is known of it, its file and those it replaced, and what can be done with it. */
import { announce } from "../announce.js";
import { bytesInWords, dayName, moment } from "../format.js";
import { html, useEffect, useState } from "../html.js";
import { plural, t } from "../language.js";
import * as papers from "../papers.js";
import { inWords } from "../problem.js";
import { address, follow, go } from "../router.js";
import { FilePick } from "./filepick.js";
import { PaperForm } from "./paperform.js";
import { Expiry } from "./papers.js";
import { Question } from "./question.js";

/** @param {{one: papers.Paper}} props */
function Known({ one }) {
  /** @type {[string, any][]} */
  const rows = [
    [t("paper.kind"), papers.kindName(one.kind)],
    [t("paper.number"), one.number],
    [t("paper.issuer"), one.issuer],
    [t("paper.issued"), one.issued && dayName(one.issued)],
    [t("paper.expires"), one.expires && dayName(one.expires)],
    [
      t("paper.remind"),
      one.expires && one.remind_days > 0 && plural("paper.days_before", one.remind_days),
    ],
    [t("paper.tags"), one.tags.join(", ")],
    [t("paper.note"), one.note && html`<span class="quote">${one.note}</span>`],
    [t("paper.file"), `${one.file} (${bytesInWords(one.size)})`],
    [t("paper.created"), moment(one.created)],
  ];
  return html`
    <dl class="known">
      ${rows.map(([name, value]) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>`;
}

/** @param {{one: papers.Paper}} props */
function Versions({ one }) {
  const older = (one.versions ?? []).slice().sort((a, b) => b.version - a.version);
  if (older.length < 2) return null;
  return html`
    <section aria-labelledby="versions-title">
      <h2 id="versions-title">${t("paper.versions")}</h2>
      <ul class="sources">
        ${older.map(
          ({ version, file, size, added }) => html`
            <li key=${version}>
              <div>
                <p class="file">${t("paper.version", { n: version })}${" – "}${file}</p>
                <p class="hint">${moment(added)}${" · "}${bytesInWords(size)}</p>
              </div>
              <a href=${papers.contentOf(one.id, version)} download=${file}
                aria-label="${t("paper.download")} – ${t("paper.version", { n: version })}">${t("paper.download")}</a>
            </li>`,
        )}
      </ul>
    </section>`;
}

/** @param {{one: papers.Paper, onClose: () => void, onStale: () => void}} props */
function DeleteDialog({ one, onClose, onStale }) {
  const act = async () => {
    await papers.deletePaper(one);
    announce(t("paper.deleted", { title: one.title }));
    go("/documents");
  };
  return html`
    <${Question} title=${t("paper.delete_title")} confirm=${t("delete.confirm")} danger keep=${t("delete.keep")}
      act=${act} onClose=${onClose} onStale=${onStale}>
      <p>${t("paper.delete_lead", { title: one.title })}</p>
    <//>`;
}

/** @param {{id: string}} props */
export function PaperView({ id }) {
  const [one, setOne] = useState(/** @type {papers.Paper | null} */ (null));
  const [doing, setDoing] = useState("");
  const [error, setError] = useState("");

  const load = () =>
    Promise.all([papers.paper(id), papers.loadKinds()]).then(
      ([answer]) => {
        setOne(answer);
        setError("");
      },
      (failed) => setError(inWords(failed)),
    );
  useEffect(() => {
    load();
  }, [id]);

  /** @param {File[]} files */
  const replace = async ([file]) => {
    if (!file || !one) return;
    setDoing("sending");
    try {
      await papers.addVersion(one, file, () => {});
      announce(t("paper.replaced"));
      await load();
    } catch (failed) {
      setError(inWords(failed));
    }
    setDoing("");
  };

  const back = html`<p><a href=${address("/documents")} onClick=${follow}>${t("paper.back")}</a></p>`;
  if (!one)
    return html`
      <h1 tabindex="-1">${t("papers.title")}</h1>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      ${back}`;
  return html`
    ${back}
    <h1 tabindex="-1">${one.title}</h1>
    <p><${Expiry} one=${one} /></p>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <${Known} one=${one} />
    <p class="actions">
      <a class="button" href=${papers.contentOf(one.id)} download=${one.file}>${t("paper.download")}</a>
      <button type="button" onClick=${() => setDoing("edit")}>${t("paper.edit")}</button>
      <${FilePick} label=${doing === "sending" ? t("paper.saving") : t("paper.replace")} onFiles=${replace} />
      <button type="button" class="danger" onClick=${() => setDoing("delete")}>${t("paper.delete")}</button>
    </p>
    <${Versions} one=${one} />
    ${doing === "edit" && html`<${PaperForm} file=${null} paper=${one} onClose=${() => setDoing("")} onDone=${load} />`}
    ${doing === "delete" && html`<${DeleteDialog} one=${one} onClose=${() => setDoing("")} onStale=${load} />`}`;
}
