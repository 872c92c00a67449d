/* The one place where the page's library is named: views and parts import from here.
 * Text put into a template reaches the page as text. */
import htm from "../vendor/htm.mjs";
import { h, render } from "../vendor/preact.mjs";

export {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "../vendor/preact-hooks.mjs";
export { render };

/** @typedef {import("preact").VNode<any>} VNode */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));
