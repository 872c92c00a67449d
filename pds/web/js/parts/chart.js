/* Bars over a period, the year before behind them. The only file that knows uPlot.
 *
 * A hole is hatched from top to bottom and has no bar: it cannot be taken for zero. A bar that data
 * covers partly is hatched. With the keyboard it is a slider from bar to bar. */
import uPlot from "../../vendor/uplot.mjs";
import { number, shownUnit } from "../format.js";
import { html, useEffect, useLayoutEffect, useRef } from "../html.js";

/** @typedef {import("../series.js").Slot} Slot */
/** `tick` is the mark under the axis ("" for none), `words` the whole of it, to be read aloud, `noted`
 * whether the owner wrote something beside it.
 * @typedef {Slot & {tick: string, words: string, noted: boolean}} NamedSlot */
/** @typedef {{slots: NamedSlot[], unit: string, label: string, selected: number,
 *   onHover: (index: number) => void, onSelect: (index: number) => void,
 *   onOpen: (index: number) => void, onStep: (count: number) => void,
 *   nothing: string}} ChartProps */

const FONT_PX = 14;
const HEIGHT_PX = 320;

/** The colours of the page, as it is now. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    bar: of("--bar"),
    chosen: of("--bar-chosen"),
    before: of("--before"),
    beforeEdge: of("--before-edge"),
    hole: of("--hole"),
    note: of("--focus"),
    paper: of("--paper"),
    grid: of("--line"),
    text: of("--ink-soft"),
    font: `${FONT_PX}px ${of("--font")}`,
  };
}

/** @param {string} colour @param {number} gap @param {number} width in canvas pixels */
function hatch(colour, gap, width) {
  const size = Math.round(gap);
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const pen = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift - 1, size + 1);
    pen.lineTo(shift + size + 1, -1);
  }
  pen.stroke();
  return pen.createPattern(tile, "repeat") ?? colour;
}

/** Ticks that fit: the first of every `n`. @param {NamedSlot[]} slots @param {number} width */
function ticksThatFit(slots, width) {
  const at = slots.flatMap((slot, index) => (slot.tick ? [index] : []));
  const widest = Math.max(1, ...at.map((index) => slots[index].tick.length));
  const room = Math.max(1, Math.floor(width / (widest * FONT_PX * 0.58 + 14)));
  const every = Math.ceil(at.length / room);
  return at.filter((_, place) => place % every === 0);
}

/** @param {uPlot} plot @param {NamedSlot[]} slots @param {ReturnType<typeof palette>} ink */
function drawHoles(plot, slots, ink) {
  const { ctx, bbox } = plot;
  const pattern = hatch(ink.hole, 9 * devicePixelRatio, devicePixelRatio);
  ctx.save();
  ctx.fillStyle = pattern;
  for (const [index, slot] of slots.entries()) {
    if (slot.state !== "hole") continue;
    const left = Math.round(plot.valToPos(index - 0.5, "x", true));
    const right = Math.round(plot.valToPos(index + 0.5, "x", true));
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

/** @param {uPlot} plot @param {NamedSlot[]} slots @param {ReturnType<typeof palette>} ink
 * @param {number} factor @param {number} selected */
function drawBars(plot, slots, ink, factor, selected) {
  const { ctx } = plot;
  const slotPx = plot.valToPos(1, "x", true) - plot.valToPos(0, "x", true);
  const floor = plot.valToPos(0, "y", true);
  const partly = hatch(ink.bar, 6 * devicePixelRatio, 1.8 * devicePixelRatio);
  const edge = Math.max(1, devicePixelRatio);
  const narrow = slotPx < 6 * devicePixelRatio; // no room for an outline or a hatch

  /** @param {number} index @param {number} value @param {number} share of the slot's width */
  const shape = (index, value, share) => {
    const width = Math.max(1, slotPx * share);
    const left = plot.valToPos(index, "x", true) - width / 2;
    const top = Math.min(plot.valToPos(value * factor, "y", true), floor - 1);
    const radius = Math.min(width / 4, 4 * devicePixelRatio, floor - top);
    ctx.beginPath();
    ctx.roundRect(left, top, width, floor - top, [radius, radius, 0, 0]);
  };

  ctx.save();
  ctx.lineWidth = edge;
  for (const [index, slot] of slots.entries()) {
    if (slot.before === null) continue;
    shape(index, slot.before, narrow ? 1 : 0.88);
    ctx.fillStyle = ink.before;
    ctx.fill();
    if (narrow) continue;
    ctx.strokeStyle = ink.beforeEdge;
    ctx.stroke();
  }
  for (const [index, slot] of slots.entries()) {
    if (slot.value === null) continue;
    shape(index, slot.value, narrow ? 0.8 : 0.56);
    ctx.fillStyle = slot.state === "part" ? ink.paper : index === selected ? ink.chosen : ink.bar;
    ctx.fill();
    if (slot.state !== "part") continue;
    ctx.fillStyle = narrow ? ink.bar : partly;
    ctx.globalAlpha = narrow ? 0.4 : 1;
    ctx.fill();
    ctx.globalAlpha = 1;
    if (narrow) continue;
    ctx.strokeStyle = index === selected ? ink.chosen : ink.bar;
    ctx.stroke();
  }
  if (selected >= 0 && selected < slots.length) {
    ctx.fillStyle = ink.chosen;
    const left = plot.valToPos(selected - 0.5, "x", true);
    ctx.fillRect(left, floor, Math.max(2, slotPx), 3 * devicePixelRatio);
  }
  ctx.restore();
}

/** A line over what the owner wrote something beside.
 * @param {uPlot} plot @param {NamedSlot[]} slots @param {ReturnType<typeof palette>} ink */
function drawNotes(plot, slots, ink) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = ink.note;
  for (const [index, slot] of slots.entries()) {
    if (!slot.noted) continue;
    const left = Math.round(plot.valToPos(index - 0.5, "x", true));
    const right = Math.round(plot.valToPos(index + 0.5, "x", true));
    ctx.fillRect(left, bbox.top - 5 * devicePixelRatio, right - left, 5 * devicePixelRatio);
  }
  ctx.restore();
}

/** @param {HTMLElement} box @param {{current: ChartProps}} props */
function build(box, props) {
  const { slots, unit } = props.current;
  const { factor, name } = shownUnit(unit);
  const ink = palette();
  /** @param {number | null} value */
  const scaled = (value) => (value === null ? null : value * factor);
  const plot = new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      padding: [24, 4, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [-0.5, slots.length - 0.5] },
        y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.06 : 1] },
      },
      axes: [
        {
          stroke: ink.text,
          font: ink.font,
          size: 30,
          gap: 8,
          grid: { show: false },
          ticks: { show: false },
          border: { show: true, stroke: ink.grid, width: 1 },
          splits: (self) => ticksThatFit(slots, self.width),
          values: (_plot, splits) => splits.map((index) => slots[index]?.tick ?? ""),
        },
        {
          stroke: ink.text,
          font: ink.font,
          size: (_plot, values) =>
            16 + Math.max(0, ...(values ?? []).map((text) => text.length)) * FONT_PX * 0.56,
          gap: 6,
          space: 56,
          grid: { stroke: ink.grid, width: 1 },
          ticks: { show: false },
          values: (_plot, splits) =>
            splits.map((value) => number(value, { maximumFractionDigits: 3 })),
        },
      ],
      series: [
        {},
        { paths: () => null, points: { show: false } },
        { paths: () => null, points: { show: false } },
      ],
      hooks: {
        drawClear: [(self) => drawHoles(self, slots, ink)],
        draw: [
          (self) => {
            drawBars(self, slots, ink, factor, props.current.selected);
            drawNotes(self, slots, ink);
            self.ctx.save();
            self.ctx.font = `${FONT_PX * devicePixelRatio}px ${getComputedStyle(box).fontFamily}`;
            self.ctx.fillStyle = ink.text;
            self.ctx.textAlign = "left";
            self.ctx.textBaseline = "top";
            self.ctx.fillText(name, 0, 0);
            self.ctx.restore();
          },
        ],
      },
    },
    [
      slots.map((_, index) => index),
      slots.map((slot) => scaled(slot.value)),
      slots.map((slot) => scaled(slot.before)),
    ],
    box,
  );

  /** @param {PointerEvent | MouseEvent} event */
  const under = (event) => {
    const { left } = plot.over.getBoundingClientRect();
    const index = Math.round(plot.posToVal(event.clientX - left, "x"));
    return Math.min(slots.length - 1, Math.max(0, index));
  };
  plot.over.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") props.current.onHover(under(event));
  });
  plot.over.addEventListener("pointerleave", () => props.current.onHover(-1));
  plot.over.addEventListener("click", (event) => props.current.onSelect(under(event)));
  plot.over.addEventListener("dblclick", (event) => props.current.onOpen(under(event)));
  return plot;
}

/** @param {ChartProps} props */
export function Chart(props) {
  const { slots, unit, label, selected, nothing } = props;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {uPlot | null} */ (null));
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (box.current);
    const rebuild = () => {
      plot.current?.destroy();
      plot.current = build(element, latest);
    };
    rebuild();
    const resized = new ResizeObserver(() => {
      if (plot.current && plot.current.width !== element.clientWidth)
        plot.current.setSize({ width: element.clientWidth, height: HEIGHT_PX });
    });
    resized.observe(element);
    // The canvas does not follow the page's colours by itself; paper is always light.
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const toPaper = () => {
      document.documentElement.dataset.paper = "yes";
      rebuild();
    };
    const toScreen = () => {
      delete document.documentElement.dataset.paper;
      rebuild();
    };
    dark.addEventListener("change", rebuild);
    addEventListener("beforeprint", toPaper);
    addEventListener("afterprint", toScreen);
    document.fonts.addEventListener("loadingdone", rebuild);
    return () => {
      resized.disconnect();
      dark.removeEventListener("change", rebuild);
      removeEventListener("beforeprint", toPaper);
      removeEventListener("afterprint", toScreen);
      document.fonts.removeEventListener("loadingdone", rebuild);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [slots, unit]);

  useEffect(() => {
    plot.current?.redraw(false);
  }, [selected]);

  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = slots.length - 1;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowRight: () => props.onSelect(Math.min(last, selected + 1)),
      ArrowUp: () => props.onSelect(Math.min(last, selected + 1)),
      ArrowLeft: () => props.onSelect(Math.max(0, selected - 1)),
      ArrowDown: () => props.onSelect(Math.max(0, selected - 1)),
      Home: () => props.onSelect(0),
      End: () => props.onSelect(last),
      PageUp: () => props.onStep(-1),
      PageDown: () => props.onStep(1),
      Escape: () => props.onSelect(-1),
      Enter: () => selected >= 0 && props.onOpen(selected),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  return html`
    <div
      class="chart"
      ref=${box}
      role="slider"
      tabindex="0"
      aria-label=${label}
      aria-valuemin="0"
      aria-valuemax=${slots.length}
      aria-valuenow=${selected + 1}
      aria-valuetext=${selected >= 0 && slots[selected] ? slots[selected].words : nothing}
      onKeyDown=${press}
    ></div>`;
}
