/* The sign of the house: a passage seen from the street, one arch behind the other. */
import { html } from "../html.js";

export function Emblem() {
  return html`
    <svg class="emblem" viewBox="0 0 240 150" aria-hidden="true" focusable="false">
      <path class="wall" d="M0 0h240v150H0z" />
      <path class="course" d="M0 30h84M156 30h84M0 60h56M184 60h56M0 90h44M196 90h44M0 120h44M196 120h44M40 0v30M120 0v14M200 0v30M18 30v30M222 30v30M34 60v30M206 60v30M14 90v30M226 90v30M30 120v30M210 120v30" />
      <path class="arch-1" d="M50 150V96a70 70 0 0 1 140 0v54z" />
      <path class="arch-2" d="M66 150v-50a54 54 0 0 1 108 0v50z" />
      <path class="arch-3" d="M82 150v-44a38 38 0 0 1 76 0v44z" />
      <path class="arch-4" d="M98 150v-36a22 22 0 0 1 44 0v36z" />
      <path class="floor" d="M50 151v-1l48-13h44l48 13v1z" />
    </svg>`;
}
