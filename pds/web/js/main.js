/* The page's start: language, then session, then the view that the address names. */
import { html, render } from "./html.js";
import { startLanguage } from "./language.js";
import { Shell } from "./parts/shell.js";
import { startSession } from "./session.js";

// A browser would leave the page to show a file that is let go where no view takes it. A view that does listens
// after this, and says so.
for (const name of /** @type {const} */ (["dragover", "drop"]))
  addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  });

await startLanguage();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
render(html`<${Shell} />`, root);
await startSession();
