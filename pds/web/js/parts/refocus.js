/* Where the focus goes when what had it is gone: to the heading of the list it stood in. */
import { useEffect, useRef } from "../html.js";

/** A ref for the heading (tabindex -1). The focus comes to it when the list has fewer items than before and
 * nothing else has it. @param {number} count */
export function useRefocus(count) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const before = useRef(count);
  useEffect(() => {
    const nowhere = document.activeElement === document.body || !document.activeElement;
    if (count < before.current && nowhere) heading.current?.focus();
    before.current = count;
  }, [count]);
  return heading;
}
