/* Consumption over a year, a month, a week or a day: the chart, its facts, the year before. The
 * address holds what is shown, so that back, forward and a bookmark lead to it. */
import { notes as loadNotes } from "../amend.js";
import { announce } from "../announce.js";
import { addDays, instantsOf, isDay, localOf, periodAt, shift } from "../calendar.js";
import { datasets, extent, filled, loadDatasets } from "../dataset.js";
import { bucketName, periodName, quantity, tickName } from "../format.js";
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { language, ours, t } from "../language.js";
import { Chart } from "../parts/chart.js";
import { Facts, inShort } from "../parts/facts.js";
import { Legend } from "../parts/legend.js";
import { Notes } from "../parts/notes.js";
import { PeriodBar } from "../parts/periodbar.js";
import { RawTable } from "../parts/rawtable.js";
import { Readout } from "../parts/readout.js";
import { beforeInWords, SeriesTable, stateInWords } from "../parts/seriestable.js";
import { inWords } from "../problem.js";
import { readPeriod, stepsFor } from "../reading.js";
import { address, follow, go, route } from "../router.js";
import { useSignal } from "../signal.js";

/** @typedef {import("../api.js").Dataset} Dataset */
/** @typedef {import("../calendar.js").Period} Period */
/** @typedef {import("../calendar.js").Kind} Kind */
/** @typedef {import("../reading.js").Reading} Reading */
/** @typedef {import("../amend.js").Note} Note */

/** Where a bar leads: the period inside the one shown. @type {Record<string, Kind>} */
const INSIDE = { P1Y: "year", P1M: "month", P1W: "week", P1D: "day", PT1H: "day" };

/** What the address asks for, in what the store has.
 * @param {URLSearchParams} query @param {Dataset[]} held */
function wanted(query, held) {
  const dataset =
    held.find((one) => one.name === query.get("of")) ??
    held.find((one) => one.name === "energy.electricity.consumption") ??
    held[0];
  const kinds = ["year", "month", "week", "day"];
  const kind = /** @type {Kind} */ (
    kinds.includes(query.get("by") ?? "") ? query.get("by") : "year"
  );
  const day = query.get("on") ?? "";
  const period = periodAt(kind, isDay(day) ? day : extent(dataset).last);
  const steps = stepsFor(dataset, kind);
  const step = steps.includes(query.get("step") ?? "") ? String(query.get("step")) : steps[0];
  return { dataset, period, steps, step };
}

/** Those that touch a bar. @param {Note[]} notes @param {import("../series.js").Slot} slot */
const notesOn = (notes, slot) =>
  notes.filter(
    ({ start, end }) =>
      Date.parse(start) < slot.end && Math.max(Date.parse(end), Date.parse(start) + 1) > slot.start,
  );

/** A bar in one sentence. @param {import("../series.js").Slot} slot @param {string} name
 * @param {Reading & {notes: Note[]}} reading */
function sentence(slot, name, { dataset, before, notes }) {
  const parts = [];
  if (slot.value !== null) parts.push(quantity(slot.value, dataset.unit));
  if (slot.state !== "full" || slot.estimated) parts.push(stateInWords(slot));
  if (slot.before !== null)
    parts.push(
      t("readout.before", {
        period: periodName(before),
        value: beforeInWords(slot, dataset.unit),
      }),
    );
  for (const note of notesOn(notes, slot)) parts.push(t("readout.note", { text: note.text }));
  return t("readout.bar", { name, rest: parts.join(t("readout.join")) });
}

/** @param {{steps: string[], step: string, onStep: (step: string) => void}} props */
function StepSwitch({ steps, step, onStep }) {
  if (steps.length < 2) return null;
  /** @type {Record<string, string>} */
  const names = { P1M: t("step.month"), P1D: t("step.day"), PT1H: t("step.hour") };
  return html`
    <div class="switch" role="group" aria-label=${t("step.label")}>
      ${steps.map(
        (one) => html`
          <button
            type="button"
            aria-pressed=${one === step ? "true" : "false"}
            onClick=${() => onStep(one)}
          >${names[one]}</button>`,
      )}
    </div>`;
}

/** @param {{reading: Reading, notes: Note[], steps: string[], onChange: () => void,
 *   onStep: (step: string) => void, onShift: (count: number) => void,
 *   onOpen: (kind: Kind, day: string) => void}} props */
function Picture({ reading, notes, steps, onChange, onStep, onShift, onOpen }) {
  const code = useSignal(language);
  const [hover, setHover] = useState(-1);
  const [chosen, setChosen] = useState(-1);
  const { dataset, period, before, step, slots } = reading;

  const named = useMemo(
    () =>
      slots.map((slot) => {
        const name = bucketName(slot, step);
        return {
          ...slot,
          name,
          tick: tickName(slot.start, step, period.kind),
          noted: notesOn(notes, slot).length > 0,
          words: sentence(slot, name, { ...reading, notes }),
        };
      }),
    [reading, notes, code],
  );

  // What was changed here has been told already: the same period is not read out again.
  const toldOf = useRef("");
  useEffect(() => {
    setHover(-1);
    setChosen(-1);
    const shown = [dataset.name, period.kind, period.start, step].join(" ");
    if (toldOf.current !== shown) announce(inShort(reading));
    toldOf.current = shown;
  }, [reading]);

  const kind = INSIDE[step];
  const leads = kind && kind !== period.kind;
  /** @param {number} index */
  const open = (index) => {
    if (leads && named[index]) onOpen(kind, localOf(named[index].start).day);
  };
  const looked = hover >= 0 ? hover : chosen;
  /** A mouse at rest on a bar does not hold back the keyboard. @param {number} index */
  const choose = (index) => {
    setHover(-1);
    setChosen(index);
  };
  const title = t("chart.title", { what: ours(dataset.title), period: periodName(period) });
  return html`
    <figure class="picture" aria-labelledby="picture-title">
      <figcaption class="unseen" id="picture-title">${title}</figcaption>
      <div class="above">
        <${Legend} slots=${slots} now=${periodName(period)} before=${periodName(before)}
          noted=${named.some((slot) => slot.noted)} />
        <${StepSwitch} steps=${steps} step=${step} onStep=${onStep} />
      </div>
      <${Chart} slots=${named} unit=${dataset.unit} label=${title} nothing=${t("chart.nothing")}
        selected=${looked} onHover=${setHover} onSelect=${choose} onOpen=${open}
        onStep=${onShift} />
      <${Readout} slot=${named[looked]} onOpen=${leads ? () => open(looked) : null} />
    </figure>
    <${Facts} reading=${reading} />
    <${SeriesTable} rows=${named} unit=${dataset.unit} caption=${title}
      what=${periodName(period)} before=${periodName(before)} />
    <${RawTable} dataset=${dataset} period=${period} onChange=${onChange}
      caption=${t("raw.caption", { what: ours(dataset.title), period: periodName(period) })} />
    <${Notes} dataset=${dataset.name} period=${period} notes=${notes} onChange=${onChange} />`;
}

/** @param {{held: Dataset[]}} props */
function Energy({ held }) {
  const { query } = useSignal(route);
  useSignal(language);
  const [reading, setReading] = useState(/** @type {Reading | null} */ (null));
  const [notes, setNotes] = useState(/** @type {Note[]} */ ([]));
  const [turn, setTurn] = useState(0); // counts what the owner changed here
  const [error, setError] = useState("");
  const { dataset, period, steps, step } = wanted(query, held);
  const { first, last } = extent(dataset);

  useEffect(() => {
    let current = true;
    const { start, end } = instantsOf(period.start, addDays(period.end, -1));
    Promise.all([readPeriod(dataset, period, step), loadNotes(dataset.name, start, end)]).then(
      ([answer, found]) => {
        if (!current) return;
        setReading(answer);
        setNotes(found);
        setError("");
      },
      (failed) => current && setError(inWords(failed)),
    );
    return () => {
      current = false;
    };
  }, [dataset.name, dataset.last, dataset.records, period.kind, period.start, step, turn]);

  const changed = () => {
    setTurn(turn + 1);
    loadDatasets().catch((failed) => setError(inWords(failed)));
  };

  /** @param {{kind?: Kind, day?: string, by?: string, of?: string}} change */
  const show = ({ kind = period.kind, day = period.start, by = "", of = dataset.name }) => {
    /** @type {Record<string, string>} */
    const next = { by: kind, on: day };
    if (by) next.step = by;
    if (of !== "energy.electricity.consumption") next.of = of;
    go("/energy", next);
  };

  /** The day that a narrower period opens on: inside the one shown, and where data is.
   * @param {Kind} kind */
  const changeKind = (kind) => {
    const ends = last < period.end && last >= period.start;
    const starts = first > period.start && first < period.end;
    show({ kind, day: ends ? last : starts ? first : period.start });
  };

  /** @param {number} count */
  const move = (count) => {
    const target = shift(period, count);
    if (count < 0 ? target.end > first : target.start <= last) {
      const usual = step === steps[0];
      show({ day: target.start, by: usual ? "" : step });
    }
  };

  return html`
    ${
      held.length > 1 &&
      html`
        <p class="choice">
          <label for="dataset">${t("energy.dataset")}</label>
          <select id="dataset" onChange=${(/** @type {any} */ event) => show({ of: event.target.value })}>
            ${held.map(
              (one) => html`
                <option value=${one.name} selected=${one.name === dataset.name}>${ours(one.title)}</option>`,
            )}
          </select>
        </p>`
    }
    <${PeriodBar} period=${period} hasBefore=${shift(period, -1).end > first}
      hasAfter=${shift(period, 1).start <= last} onKind=${changeKind} onStep=${move} />
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <div aria-busy=${reading?.period.start === period.start ? undefined : "true"} class="reading">
      ${
        reading &&
        html`
          <${Picture} reading=${reading} notes=${notes} steps=${steps} onShift=${move} onChange=${changed}
            onStep=${(/** @type {string} */ by) => show({ by })}
            onOpen=${(/** @type {Kind} */ kind, /** @type {string} */ day) => show({ kind, day })} />`
      }
    </div>`;
}

export function EnergyView() {
  const all = useSignal(datasets);
  const [error, setError] = useState("");
  useEffect(() => {
    loadDatasets().catch((failed) => setError(inWords(failed)));
  }, []);
  const held = filled(all).filter(({ name }) => /^(energy|water)\./.test(name));
  return html`
    <h1 tabindex="-1">${t("energy.title")}</h1>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    ${
      all &&
      !held.length &&
      html`
        <p class="lead">${t("energy.empty")}</p>
        <p><a class="button" href=${address("/")} onClick=${follow}>${t("imports.go")}</a></p>`
    }
    ${held.length > 0 && html`<${Energy} held=${held} />`}`;
}
