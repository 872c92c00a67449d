/* The owner's documents: found, added, grouped. The address names the one that is looked at. */
import { html, useCallback, useEffect, useState } from "../html.js";
import { plural, t } from "../language.js";
import * as papers from "../papers.js";
import { Bundles } from "../parts/bundles.js";
import { FilePick, useFileDrop } from "../parts/filepick.js";
import { SelectField, TextField } from "../parts/inputs.js";
import { PaperForm } from "../parts/paperform.js";
import { PaperList } from "../parts/papers.js";
import { PaperView } from "../parts/paperview.js";
import { inWords } from "../problem.js";
import { route } from "../router.js";
import { useSignal } from "../signal.js";

const TYPING_MS = 250; // a search begins when the person stops typing

/** @typedef {{q: string, kind: string, tag: string, bundle: papers.Bundle | null}} Wanted */

/** @type {Wanted} */
const ALL = { q: "", kind: "", tag: "", bundle: null };

/** @param {Wanted} wanted @param {string} [cursor] */
const ask = ({ q, kind, tag, bundle }, cursor = "") =>
  papers.papers({ q: q.trim(), kind, tag, bundle: bundle?.id ?? "", cursor });

/** @param {{wanted: Wanted, onChange: (change: Partial<Wanted>) => void}} props */
function Search({ wanted, onChange }) {
  const kinds = useSignal(papers.kinds);
  const options = [
    { value: "", name: t("papers.all_kinds") },
    ...kinds.map(({ name }) => ({ value: name, name: papers.kindName(name) })),
  ];
  return html`
    <form class="filter" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${TextField} id="papers-q" type="search" label=${t("papers.search")} value=${wanted.q}
        onInput=${(/** @type {string} */ q) => onChange({ q })} />
      <${SelectField} id="papers-kind" label=${t("paper.kind")} value=${wanted.kind} options=${options}
        onInput=${(/** @type {string} */ kind) => onChange({ kind })} />
    </form>
    <p class="tags" hidden=${!wanted.tag && !wanted.bundle}>
      ${
        wanted.tag &&
        html`
          <button type="button" class="tag" aria-label=${t("papers.without", { name: wanted.tag })}
            onClick=${() => onChange({ tag: "" })}>${wanted.tag}${" ×"}</button>`
      }
      ${
        wanted.bundle &&
        html`
          <button type="button" class="tag" aria-label=${t("papers.without", { name: wanted.bundle.title })}
            onClick=${() => onChange({ bundle: null })}>${wanted.bundle.title}${" ×"}</button>`
      }
    </p>`;
}

/** @param {{onAdded: () => void}} props */
function Add({ onAdded }) {
  const [waiting, setWaiting] = useState(/** @type {File[]} */ ([]));
  const [served, setServed] = useState(0); // each file has a form of its own, whatever comes in meanwhile
  /** @param {File[]} files */
  const take = (files) => setWaiting((before) => [...before, ...files]);
  const over = useFileDrop(take);
  const [file] = waiting;
  const next = () => {
    setWaiting((before) => before.slice(1));
    setServed((before) => before + 1);
  };
  return html`
    <section class="drop ${over ? "over" : ""}" aria-labelledby="add-title">
      <h2 id="add-title">${t("paper.add")}</h2>
      <p>${t("papers.drop")}</p>
      <${FilePick} main multiple label=${t("drop.choose")} onFiles=${take} />
    </section>
    ${
      file &&
      html`
        <${PaperForm} key=${served} file=${file} paper=${null} onClose=${next}
          onDone=${onAdded} />`
    }`;
}

function List() {
  const [wanted, setWanted] = useState(ALL);
  const [list, setList] = useState(/** @type {papers.Paper[] | null} */ (null));
  const [next, setNext] = useState("");
  const [error, setError] = useState("");
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    papers.loadKinds().catch((failed) => setError(inWords(failed)));
  }, []);

  useEffect(() => {
    let current = true;
    const wait = setTimeout(
      () => {
        ask(wanted).then(
          (answer) => {
            if (!current) return;
            setList(answer.documents);
            setNext(answer.next ?? "");
            setError("");
          },
          (failed) => current && setError(inWords(failed)),
        );
      },
      wanted.q ? TYPING_MS : 0,
    );
    return () => {
      current = false;
      clearTimeout(wait);
    };
  }, [wanted, turn]);

  const change = useCallback(
    (/** @type {Partial<Wanted>} */ part) => setWanted((before) => ({ ...before, ...part })),
    [],
  );
  const more = async () => {
    try {
      const answer = await ask(wanted, next);
      setList([...(list ?? []), ...answer.documents]);
      setNext(answer.next ?? "");
    } catch (failed) {
      setError(inWords(failed));
    }
  };
  const filtered = Boolean(wanted.q || wanted.kind || wanted.tag || wanted.bundle);
  return html`
    <h1 tabindex="-1">${t("papers.title")}</h1>
    <p class="lead">${t("papers.lead")}</p>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <${Add} onAdded=${() => setTurn((before) => before + 1)} />
    <section aria-labelledby="papers-title">
      <h2 id="papers-title">${t("papers.all")}</h2>
      <${Search} wanted=${wanted} onChange=${change} />
      <p class="unseen" role="status">${filtered && list ? plural("papers.found", list.length) : ""}</p>
      ${list && !list.length && html`<p>${filtered ? t("papers.none_found") : t("papers.none")}</p>`}
      ${
        list &&
        list.length > 0 &&
        html`<${PaperList} papers=${list} onTag=${(/** @type {string} */ tag) => change({ tag })} />`
      }
      ${next && html`<button type="button" onClick=${more}>${t("imports.more")}</button>`}
    </section>
    <${Bundles} onOpen=${(/** @type {papers.Bundle} */ bundle) => change({ ...ALL, bundle })} />`;
}

export function DocumentsView() {
  const { query } = useSignal(route);
  const id = query.get("id");
  return id ? html`<${PaperView} key=${id} id=${id} />` : html`<${List} />`;
}
