/* The owner's care for the store itself: check it, take it away, save it, change its passphrase, erase. */
import { announce } from "../announce.js";
import * as api from "../api.js";
import { datasets, filled, loadDatasets } from "../dataset.js";
import { html, useEffect, useState } from "../html.js";
import * as keeping from "../keeping.js";
import { ours, plural, t } from "../language.js";
import { SecretField } from "../parts/field.js";
import { SelectField, TextField } from "../parts/inputs.js";
import { PassphraseDialog } from "../parts/passphrase.js";
import { Question } from "../parts/question.js";
import { inWords } from "../problem.js";
import { save } from "../save.js";
import { damage } from "../session.js";
import { useSignal } from "../signal.js";
import { sourceName } from "../source.js";

/** @param {{id: string, title: string, children?: any}} props */
function Card({ id, title, children }) {
  return html`
    <section class="card" aria-labelledby=${id}>
      <h2 id=${id}>${title}</h2>
      ${children}
    </section>`;
}

function CheckCard() {
  const [report, setReport] = useState(/** @type {keeping.Check | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const run = async () => {
    if (busy) return;
    setBusy(true);
    setError("");
    try {
      const answer = await keeping.check();
      setReport(answer);
      if (!answer.ok) damage.set(damage.value ?? ""); // told on every page from now on
      announce(answer.ok ? t("check.fine") : plural("check.problems", answer.problems.length));
    } catch (failed) {
      setError(inWords(failed));
    }
    setBusy(false);
  };
  return html`
    <${Card} id="check-title" title=${t("check.title")}>
      <p>${t("check.lead")}</p>
      ${report?.ok && html`<p class="good">${t("check.fine")} ${plural("check.pages", report.pages)}</p>`}
      ${
        report &&
        !report.ok &&
        html`
          <div class="damage">
            <p><strong>${plural("check.problems", report.problems.length)}</strong></p>
            <ul lang="en">
              ${report.problems.slice(0, 20).map(({ where, what }) => html`<li>${where}${": "}${what}</li>`)}
            </ul>
            <p>${t("damage.todo")}</p>
          </div>`
      }
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <button type="button" aria-disabled=${busy ? "true" : undefined} onClick=${run}>
        ${busy ? t("check.running") : t("check.run")}
      </button>
    <//>`;
}

/** Ask for the passphrase again, then take a file.
 * @param {{title: string, lead: string, busy: string, confirm: string, done: string, name: string,
 *   take: (passphrase: string) => Promise<{name: string, bytes: Blob}>, onClose: () => void}} props */
function TakeDialog({ title, lead, busy, confirm, done, name, take, onClose }) {
  const [passphrase, setPassphrase] = useState("");
  const act = async () => {
    if (!passphrase) return t("unlock.empty");
    const taken = await take(passphrase);
    save(taken.bytes, taken.name || name);
    announce(done);
  };
  return html`
    <${Question} title=${title} confirm=${confirm} busy=${busy} act=${act} onClose=${onClose}>
      <p>${lead}</p>
      <${SecretField} id="again" label=${t("unlock.passphrase")} value=${passphrase}
        autocomplete="current-password" onInput=${setPassphrase} />
    <//>`;
}

function TakeCards() {
  const [taking, setTaking] = useState("");
  const day = new Date().toISOString().slice(0, 10);
  return html`
    <${Card} id="export-title" title=${t("export.title")}>
      <p>${t("export.lead")}</p>
      <button type="button" onClick=${() => setTaking("export")}>${t("export.make")}…</button>
    <//>
    <${Card} id="backup-title" title=${t("backup.title")}>
      <p>${t("backup.lead")}</p>
      <button type="button" onClick=${() => setTaking("backup")}>${t("backup.make")}…</button>
    <//>
    ${
      taking === "export" &&
      html`
        <${TakeDialog} title=${t("export.title")} lead=${t("export.warning")} confirm=${t("export.make")}
          busy=${t("take.busy")} done=${t("export.done")} name="traboule-export-${day}.zip"
          take=${keeping.exportAll} onClose=${() => setTaking("")} />`
    }
    ${
      taking === "backup" &&
      html`
        <${TakeDialog} title=${t("backup.title")} lead=${t("backup.how")} confirm=${t("backup.make")}
          busy=${t("take.busy")} done=${t("backup.done")} name="traboule-backup-${day}.age"
          take=${keeping.backup} onClose=${() => setTaking("")} />`
    }`;
}

/** @param {string} choice "all", "dataset name" or "source 3" @returns {keeping.Erasure} */
function erasureOf(choice) {
  const [kind, rest] = choice.split(" ");
  if (kind === "dataset") return { dataset: rest };
  return kind === "source" ? { source: Number(rest) } : { all: true };
}

/** @param {{sources: api.Source[], onClose: () => void, onDone: () => void}} props */
function EraseDialog({ sources, onClose, onDone }) {
  const [choice, setChoice] = useState("");
  const [typed, setTyped] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const held = filled(useSignal(datasets));
  const word = t("erase.word");
  const options = [
    { value: "", name: t("erase.choose") },
    ...held.map((one) => ({ value: `dataset ${one.name}`, name: ours(one.title) })),
    ...sources.map((one) => ({ value: `source ${one.id}`, name: sourceName(one) })),
    { value: "all", name: t("erase.all") },
  ];
  const act = async () => {
    if (!choice) return t("erase.no_choice");
    if (typed.trim().toLocaleLowerCase() !== word) return t("erase.not_typed", { word });
    if (!passphrase) return t("unlock.empty");
    try {
      const { records } = await keeping.erase(erasureOf(choice), passphrase);
      announce(plural("erase.done", records));
    } catch (failed) {
      const begun = failed instanceof api.Problem && (failed.is("busy") || failed.is("full"));
      if (!begun) throw failed;
      return t("erase.unfinished");
    }
    onDone();
  };
  return html`
    <${Question} title=${t("erase.title")} confirm=${t("erase.confirm")} busy=${t("erase.busy")} danger asks
      keep=${t("delete.keep")} act=${act} onClose=${onClose}>
      <p>${t("erase.warning")}</p>
      <${SelectField} id="erase-what" label=${t("erase.what")} value=${choice} options=${options}
        onInput=${setChoice} />
      <${TextField} id="erase-word" label=${t("erase.type", { word })} value=${typed} onInput=${setTyped} />
      <${SecretField} id="again" label=${t("unlock.passphrase")} value=${passphrase}
        autocomplete="current-password" onInput=${setPassphrase} />
    <//>`;
}

function EraseCard() {
  const [asking, setAsking] = useState(false);
  const [sources, setSources] = useState(/** @type {api.Source[]} */ ([]));
  const [error, setError] = useState("");
  const load = () =>
    Promise.all([api.sources(), loadDatasets()]).then(
      ([answer]) => setSources(answer.sources),
      (failed) => setError(inWords(failed)),
    );
  useEffect(() => {
    load();
  }, []);
  return html`
    <${Card} id="erase-title" title=${t("erase.title")}>
      <p>${t("erase.lead")}</p>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <button type="button" class="danger" onClick=${() => setAsking(true)}>${t("erase.make")}…</button>
      ${asking && html`<${EraseDialog} sources=${sources} onClose=${() => setAsking(false)} onDone=${load} />`}
    <//>`;
}

export function StoreView() {
  const [changing, setChanging] = useState(false);
  return html`
    <h1 tabindex="-1">${t("care.title")}</h1>
    <p class="lead">${t("care.lead")}</p>
    <div class="cards">
      <${CheckCard} />
      <${TakeCards} />
      <${Card} id="passphrase-title" title=${t("passphrase.title")}>
        <p>${t("care.passphrase")}</p>
        <button type="button" onClick=${() => setChanging(true)}>${t("menu.passphrase")}…</button>
      <//>
      <${EraseCard} />
    </div>
    ${changing && html`<${PassphraseDialog} onClose=${() => setChanging(false)} />`}`;
}
