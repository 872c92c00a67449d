/* French or English. */
import { html } from "../html.js";
import { chooseLanguage, language, t } from "../language.js";
import { useSignal } from "../signal.js";

const NAMES = [
  { code: "fr", name: "Français", short: "FR" },
  { code: "en", name: "English", short: "EN" },
];

export function LanguageSwitch() {
  const shown = useSignal(language);
  return html`
    <div class="switch" role="group" aria-label=${t("language.label")}>
      ${NAMES.map(
        ({ code, name, short }) => html`
          <button
            type="button"
            lang=${code}
            title=${name}
            aria-label="${short} – ${name}"
            aria-pressed=${code === shown ? "true" : "false"}
            onClick=${() => chooseLanguage(code)}
          >${short}</button>`,
      )}
    </div>`;
}
