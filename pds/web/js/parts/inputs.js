/* Labelled fields: a line of text, a date, a choice, a longer text. */
import { html } from "../html.js";

/** @typedef {{id: string, label: string, value: string, onInput: (value: string) => void, hint?: string,
 *   error?: string, input?: {current: any}}} FieldProps */

/** @param {FieldProps} props @param {any} control */
function labelled({ id, label, hint, error }, control) {
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
      ${control}
      ${error && html`<p class="error" id="${id}-error">${error}</p>`}
    </div>`;
}

/** @param {FieldProps} props */
const told = ({ id, hint, error }) =>
  [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;

/** @param {FieldProps & {type?: string, inputmode?: string, required?: boolean, list?: string,
 *   max?: number}} props */
export function TextField(props) {
  const { id, value, onInput, error, input, type = "text", inputmode, required, max = 512 } = props;
  return labelled(
    props,
    html`
      <input
        id=${id}
        ref=${input}
        type=${type}
        inputmode=${inputmode}
        required=${required}
        maxlength=${type === "text" ? max : undefined}
        autocomplete="off"
        list=${props.list}
        value=${value}
        aria-invalid=${error ? "true" : undefined}
        aria-describedby=${told(props)}
        onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
      />`,
  );
}

/** @param {FieldProps & {max?: number, rows?: number}} props */
export function TextArea(props) {
  const { id, value, onInput, error, input, max = 4096, rows = 3 } = props;
  return labelled(
    props,
    html`
      <textarea
        id=${id}
        ref=${input}
        rows=${rows}
        maxlength=${max}
        value=${value}
        aria-invalid=${error ? "true" : undefined}
        aria-describedby=${told(props)}
        onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
      ></textarea>`,
  );
}

/** @param {FieldProps & {options: {value: string, name: string}[]}} props */
export function SelectField(props) {
  const { id, value, onInput, options, input } = props;
  return labelled(
    props,
    html`
      <select
        id=${id}
        ref=${input}
        aria-describedby=${told(props)}
        onChange=${(/** @type {any} */ event) => onInput(event.target.value)}
      >
        ${options.map(
          (one) =>
            html`<option value=${one.value} selected=${one.value === value}>${one.name}</option>`,
        )}
      </select>`,
  );
}
