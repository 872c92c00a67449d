/* Everything that came in, and from which meters. */
import * as api from "../api.js";
import { span } from "../format.js";
import { html, useCallback, useEffect, useState } from "../html.js";
import { plural, t } from "../language.js";
import { ImportList } from "../parts/importlist.js";
import { inWords } from "../problem.js";
import { address, follow } from "../router.js";
import { providerName } from "../source.js";

/** @param {{sources: api.Source[]}} props */
function Sources({ sources }) {
  return html`
    <section aria-labelledby="sources-title">
      <h2 id="sources-title">${t("sources.title")}</h2>
      <ul class="sources">
        ${sources.map(
          (source) => html`
            <li key=${source.id}>
              <div>
              <p class="file">${providerName(source.provider)}</p>
              <p class="hint">
                ${source.reference && html`${t("sources.reference", { reference: source.reference })}<br />`}
                ${plural("sources.records", source.records)}
                ${source.first && source.last && html`, ${span(source.first, source.last)}`}
              </p>
              </div>
            </li>`,
        )}
      </ul>
    </section>`;
}

export function ImportsView() {
  const [imports, setImports] = useState(/** @type {api.Import[] | null} */ (null));
  const [sources, setSources] = useState(/** @type {api.Source[]} */ ([]));
  const [next, setNext] = useState("");
  const [error, setError] = useState("");

  /** @param {() => Promise<void>} action */
  const attempt = async (action) => {
    try {
      await action();
      setError("");
    } catch (failed) {
      setError(inWords(failed));
    }
  };

  const load = useCallback(
    () =>
      attempt(async () => {
        const [list, origins] = await Promise.all([api.imports(), api.sources()]);
        setImports(list.imports);
        setNext(list.next ?? "");
        setSources(origins.sources);
      }),
    [],
  );

  const loadMore = () =>
    attempt(async () => {
      const list = await api.imports(next);
      setImports([...(imports ?? []), ...list.imports]);
      setNext(list.next ?? "");
    });

  useEffect(() => {
    load();
  }, []);

  return html`
    <h1 tabindex="-1">${t("imports.title")}</h1>
    <p class="lead">${t("imports.lead")}</p>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    ${
      imports &&
      !imports.length &&
      html`
        <p>${t("imports.none")}</p>
        <p><a class="button" href=${address("/")} onClick=${follow}>${t("imports.go")}</a></p>`
    }
    ${imports && imports.length > 0 && html`<${ImportList} imports=${imports} onChange=${load} />`}
    ${next && html`<button type="button" onClick=${loadMore}>${t("imports.more")}</button>`}
    ${sources.length > 0 && html`<${Sources} sources=${sources} />`}`;
}
