/* A value that several parts look at: whoever watches is told when it changes. */
import { useEffect, useState } from "./html.js";

/** @template T */
export class Signal {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<(value: T) => void>} */
    this.watchers = new Set();
  }

  /** @param {T} value */
  set(value) {
    this.value = value;
    for (const watcher of this.watchers) watcher(value);
  }

  /** @param {(value: T) => void} watcher @returns {() => void} stops watching */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }
}

/** The signal's value; the part is drawn again at each change.
 * @template T
 * @param {Signal<T>} signal
 * @returns {T} */
export function useSignal(signal) {
  const [value, setValue] = useState(() => signal.value);
  useEffect(() => {
    setValue(() => signal.value);
    return signal.watch((next) => setValue(() => next));
  }, [signal]);
  return value;
}
