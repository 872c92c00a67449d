/* What stands around every view: the name, the way about, the languages, what is wrong if anything. */
import { announce, said } from "../announce.js";
import { html, useEffect, useRef } from "../html.js";
import { language, t } from "../language.js";
import { address, follow, route } from "../router.js";
import { damage, presence } from "../session.js";
import { useSignal } from "../signal.js";
import { DocumentsView } from "../views/documents.js";
import { EnergyView } from "../views/energy.js";
import { HomeView } from "../views/home.js";
import { ImportsView } from "../views/imports.js";
import { StoreView } from "../views/store.js";
import { TrailView } from "../views/trail.js";
import { UnlockView } from "../views/unlock.js";
import { LanguageSwitch } from "./languageswitch.js";
import { OwnerMenu } from "./ownermenu.js";

/** Path, the view, its name in the navigation and in the window's title; `aside`: reached by the owner's menu. */
const PLACES = [
  { path: "/", view: HomeView, name: () => t("nav.home") },
  { path: "/energy", view: EnergyView, name: () => t("nav.energy") },
  { path: "/documents", view: DocumentsView, name: () => t("nav.documents") },
  { path: "/imports", view: ImportsView, name: () => t("nav.imports") },
  { path: "/trail", view: TrailView, name: () => t("nav.trail") },
  { path: "/store", view: StoreView, name: () => t("care.title"), aside: true },
];

/** @param {{path: string}} props */
function Navigation({ path }) {
  return html`
    <nav class="places" aria-label=${t("nav.label")}>
      ${PLACES.filter(({ aside }) => !aside).map(
        (place) => html`
          <a
            href=${address(place.path)}
            aria-current=${place.path === path ? "page" : undefined}
            onClick=${follow}
          >${place.name()}</a>`,
      )}
    </nav>`;
}

function Brand() {
  return html`
    <a class="brand" href=${address("/")} onClick=${follow}>
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <path class="outer" d="M4 29V15a12 12 0 0 1 24 0v14h-5V15.500a7 7 0 0 0-14 0V29z" />
        <path class="inner" d="M13 29V16a3 3 0 0 1 6 0v13z" />
      </svg>
      Traboule
    </a>`;
}

/** @param {{state: string}} props */
function Damage({ state }) {
  const text = useSignal(damage);
  return (
    text !== null &&
    html`
      <div class="damage" role="alert">
        <p><strong>${t("damage.title")}</strong></p>
        ${text && html`<p class="hint" lang="en">${text}</p>`}
        <p>${t("damage.todo")}</p>
        ${state === "in" && html`<p><a href=${address("/store")} onClick=${follow}>${t("damage.check")}</a></p>`}
      </div>`
  );
}

export function Shell() {
  const code = useSignal(language);
  const { path, query } = useSignal(route);
  const one = query.get("id") ?? "";
  const { state } = useSignal(presence);
  const words = useSignal(said);
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useRef("");

  const place = PLACES.find((one) => one.path === path) ?? PLACES[0];
  const title = state === "in" ? place.name() : t("unlock.title");

  useEffect(() => {
    document.title = `${title} – Traboule`;
  }, [title, code]);

  // A new view is read from its heading on. The unlock view puts the focus into its field itself.
  useEffect(() => {
    const here = state + path + one;
    if (shown.current && shown.current !== here && state === "in") {
      main.current?.querySelector("h1")?.focus();
      scrollTo(0, 0);
    }
    if (state !== "unknown") shown.current = here;
  }, [state, path, one]);

  return html`
    <a class="skip" href="#content" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      main.current?.focus();
    }}>${t("nav.skip")}</a>
    <header class="top">
      <div class="page">
        <${Brand} />
        ${state === "in" && html`<${Navigation} path=${place.path} />`}
        <div class="tools">
          <${LanguageSwitch} />
          ${state === "in" && html`<${OwnerMenu} />`}
        </div>
      </div>
    </header>
    <main class="page" id="content" tabindex="-1" ref=${main}>
      <${Damage} state=${state} />
      ${state === "out" && html`<${UnlockView} />`}
      ${state === "in" && html`<${place.view} />`}
    </main>
    <footer class="page foot"><p>${t("foot.promise")}</p></footer>
    <div class="unseen" role="status" aria-live="polite">${words}</div>`;
}

presence.watch(({ state, why }) => {
  if (state === "out" && why === "expired") announce(t("unlock.expired"));
});
