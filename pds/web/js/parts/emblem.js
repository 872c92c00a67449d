/* The sign of the house: a passage seen from the street, one arch behind the other. */
import { html } from "../html.js";

export function Emblem() {
  return html`
    <svg class="emblem" viewBox="0 0 240 150" aria-hidden="true" focusable="false">
      <path class="wall" d="M0 150V40a12 12 0 0 1 12-12h216a12 12 0 0 1 12 12v110z" />
      <path class="course" d="M0 62h52M188 62h52M0 92h44M196 92h44M0 122h44M196 122h44M26 28v34M214 28v34M18 62v30M222 62v30M30 92v30M210 92v30" />
      <path class="arch-1" d="M50 150V96a70 70 0 0 1 140 0v54z" />
      <path class="arch-2" d="M66 150v-50a54 54 0 0 1 108 0v50z" />
      <path class="arch-3" d="M82 150v-44a38 38 0 0 1 76 0v44z" />
      <path class="arch-4" d="M98 150v-36a22 22 0 0 1 44 0v36z" />
      <path class="floor" d="M50 150l48-14h44l48 14z" />
    </svg>`;
}
