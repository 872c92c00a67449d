/* Documents as rows, with how they stand with their expiry. */
import { bytesInWords } from "../format.js";
import { html } from "../html.js";
import { t } from "../language.js";
import { expiry, kindName } from "../papers.js";
import { address, follow } from "../router.js";

/** @typedef {import("../papers.js").Paper} Paper */

/** @param {{one: Paper}} props */
export function Expiry({ one }) {
  const told = expiry(one);
  return told && html`<span class="badge ${told.state}">${told.words}</span>`;
}

/** @param {{papers: Paper[], onTag?: (tag: string) => void}} props */
export function PaperList({ papers, onTag }) {
  return html`
    <ul class="imports papers">
      ${papers.map(
        (one) => html`
          <li key=${one.id}>
            <div>
              <p class="file">
                <a href=${address("/documents", { id: one.id })} onClick=${follow}>${one.title}</a>
              </p>
              <p class="hint">${[kindName(one.kind), one.issuer, bytesInWords(one.size)].filter(Boolean).join(" · ")}</p>
              ${
                one.tags.length > 0 &&
                onTag &&
                html`
                  <p class="tags">
                    ${one.tags.map(
                      (tag) => html`
                        <button type="button" class="tag" aria-label=${t("papers.with_tag", { tag })}
                          onClick=${() => onTag(tag)}>${tag}</button>`,
                    )}
                  </p>`
              }
            </div>
            <${Expiry} one=${one} />
          </li>`,
      )}
    </ul>`;
}

/** What is running out, on the first view. @param {{papers: Paper[]}} props */
export function Reminders({ papers }) {
  return (
    papers.length > 0 &&
    html`
      <section class="reminders" aria-labelledby="reminders-title">
        <h2 id="reminders-title">${t("reminders.title")}</h2>
        <${PaperList} papers=${papers} />
      </section>`
  );
}
