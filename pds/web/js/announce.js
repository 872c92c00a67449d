/* Say an outcome to those who hear the page: the text goes to its live region. */
import { Signal } from "./signal.js";

export const said = new Signal("");

/** @param {string} text */
export function announce(text) {
  // The same words twice in a row would not be read again: a no-break space makes them new.
  said.set(text === said.value ? `${text}\u00a0` : text);
}
