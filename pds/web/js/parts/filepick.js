/* Files let go anywhere on the page, or chosen. */
import { html, useEffect, useRef, useState } from "../html.js";

/** Whether a file hangs over the page; what is let go is told to `onFiles`. @param {(files: File[]) => void} onFiles */
export function useFileDrop(onFiles) {
  const [over, setOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;
  useEffect(() => {
    /** @param {DragEvent} event */
    const drag = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      setOver(true);
    };
    /** @param {DragEvent} event */
    const leave = (event) => {
      if (event.relatedTarget === null) setOver(false);
    };
    /** @param {DragEvent} event */
    const drop = (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      take.current([...event.dataTransfer.files]);
    };
    addEventListener("dragover", drag);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", drag);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return over;
}

/** A button that opens the browser's choice of files.
 * @param {{label: string, main?: boolean, multiple?: boolean, onFiles: (files: File[]) => void}} props */
export function FilePick({ label, main, multiple, onFiles }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  return html`
    <button type="button" class=${main ? "main" : ""} onClick=${() => input.current?.click()}>${label}</button>
    <input
      type="file"
      multiple=${multiple}
      hidden
      ref=${input}
      aria-label=${label}
      onChange=${(/** @type {any} */ event) => {
        onFiles([...event.target.files]);
        event.target.value = "";
      }}
    />`;
}
