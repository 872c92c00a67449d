/* The page's start: language, then session, then the view that the address names. */
import { html, render } from "./html.js";
import { startLanguage } from "./language.js";
import { Shell } from "./parts/shell.js";
import { startSession } from "./session.js";

await startLanguage();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
render(html`<${Shell} />`, root);
await startSession();
