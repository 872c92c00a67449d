/* Which view is shown, told by the address: `/`, `/energy?…`, `/imports`.
 *
 * The pages may be served under a prefix (`/@name/`): addresses are built from where this file is. */
import { Signal } from "./signal.js";

/** Ends with a slash. */
export const BASE = new URL("..", import.meta.url).pathname;

/** @typedef {{path: string, query: URLSearchParams}} Route */

/** @returns {Route} */
function read() {
  const rest = location.pathname.startsWith(BASE) ? location.pathname.slice(BASE.length) : "";
  return { path: `/${rest}`, query: new URLSearchParams(location.search) };
}

export const route = new Signal(read());

addEventListener("popstate", () => route.set(read()));

/** The address of a view, for a link.
 * @param {string} path @param {Record<string, string>} [query] */
export function address(path, query) {
  const search = query ? `?${new URLSearchParams(query)}` : "";
  return BASE + path.slice(1) + search;
}

/** Show a view. `replace` keeps the step out of the browser's history.
 * @param {string} path @param {Record<string, string>} [query] @param {boolean} [replace] */
export function go(path, query, replace = false) {
  const target = address(path, query);
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  route.set(read());
}

/** For a link's click: stay on the page unless the person asked for another tab.
 * @param {MouseEvent} event */
export function follow(event) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = /** @type {HTMLAnchorElement} */ (event.currentTarget);
  event.preventDefault();
  history.pushState(null, "", link.href);
  route.set(read());
}
