/* The first view: what the store holds, where to drop a file, what came in last. */
import * as api from "../api.js";
import { datasets, extent, filled, loadDatasets } from "../dataset.js";
import { dayName } from "../format.js";
import { html, useCallback, useEffect, useState } from "../html.js";
import { ours, plural, t } from "../language.js";
import { expiring, loadKinds } from "../papers.js";
import { DropZone } from "../parts/dropzone.js";
import { Glance } from "../parts/glance.js";
import { ImportList } from "../parts/importlist.js";
import { Outcomes } from "../parts/outcome.js";
import { Reminders } from "../parts/papers.js";
import { inWords } from "../problem.js";
import { address, follow } from "../router.js";
import { useSignal } from "../signal.js";
import { upload } from "../upload.js";

const SHOWN = 3; // the latest imports; the others have their view

/** What the days are of: "electricity" reads better in a sentence than a dataset's title. */
/** @type {Record<string, string>} */
const NOUN = {
  "energy.electricity.consumption": "home.of_electricity",
  "energy.electricity.production": "home.of_production",
  "energy.gas.consumption": "home.of_gas",
  "water.consumption": "home.of_water",
};

/** @param {import("../api.js").Dataset} dataset */
function holding(dataset) {
  const { first, last, days } = extent(dataset);
  const noun = NOUN[dataset.name]
    ? t(NOUN[dataset.name])
    : t("home.of_other", { title: ours(dataset.title) });
  return plural("home.holds", days, { noun, from: dayName(first), to: dayName(last) });
}

/** @param {{held: import("../api.js").Dataset[]}} props */
function Holdings({ held }) {
  if (!held.length) return html`<p class="lead">${t("home.empty")}</p>`;
  const shown = held.find(({ aggregate, steps }) => aggregate === "sum" && steps.includes("P1M"));
  return html`
    <div>
      ${held.map((dataset) => html`<p class="lead" key=${dataset.name}>${holding(dataset)}</p>`)}
      <p>
        <a class="button" href=${address("/energy")} onClick=${follow}>${t("home.see")}</a>
      </p>
    </div>
    ${shown && html`<${Glance} dataset=${shown} />`}`;
}

function Help() {
  return html`
    <details class="help">
      <summary>${t("help.title")}</summary>
      <ol>
        <li>${t("help.step_1")}</li>
        <li>${t("help.step_2")}</li>
        <li>${t("help.step_3")}</li>
        <li>${t("help.step_4")}</li>
      </ol>
      <p class="hint">${t("help.note")}</p>
    </details>`;
}

export function HomeView() {
  const all = useSignal(datasets);
  const { state } = useSignal(upload);
  const [imports, setImports] = useState(/** @type {import("../api.js").Import[]} */ ([]));
  const [ending, setEnding] = useState(/** @type {import("../papers.js").Paper[]} */ ([]));
  const [more, setMore] = useState(false);
  const [error, setError] = useState("");

  const load = useCallback(async () => {
    try {
      const [answer, soon] = await Promise.all([
        api.imports("", String(SHOWN)),
        expiring(),
        loadKinds(),
        loadDatasets(),
      ]);
      setEnding(soon);
      setImports(answer.imports.slice(0, SHOWN));
      setMore(answer.imports.length > SHOWN || Boolean(answer.next));
      setError("");
    } catch (failed) {
      setError(inWords(failed));
    }
  }, []);

  useEffect(() => {
    if (state !== "sending") load();
  }, [state]);

  const held = filled(all);
  return html`
    <h1 tabindex="-1">${t("home.title")}</h1>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <${Reminders} papers=${ending} />
    <div class="hold">${all && html`<${Holdings} held=${held} />`}</div>
    <${DropZone} />
    <${Outcomes} />
    ${all && !held.length && html`<${Help} />`}
    ${
      imports.length > 0 &&
      html`
        <section aria-labelledby="last-title">
          <h2 id="last-title">${t("home.last")}</h2>
          <${ImportList} imports=${imports} onChange=${load} />
          ${more && html`<p><a href=${address("/imports")} onClick=${follow}>${t("home.all")}</a></p>`}
        </section>`
    }
    ${held.length > 0 && html`<${Help} />`}`;
}
