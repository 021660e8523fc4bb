// The controls of a game's input on the screen, with the keys that do the same.

import type { ReadonlySignal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";

import { keyLabel } from "../state/choices.ts";
import { entryOf, fieldsOf, takesOf } from "./forms.ts";
import type { Button, Compass, Control, Dial, List, NumberInput, Select, Stick } from "./inputs.ts";
import type { Steering } from "./steering.ts";
import { textOf } from "./words.ts";

interface Props {
  readonly steering: Steering;
  /** Changes whenever the controls are to be drawn anew. */
  readonly beat: ReadonlySignal<number>;
}

export function Controls({ steering, beat }: Props) {
  void beat.value;
  const { controls } = steering;
  return (
    <section class="pg-part" aria-labelledby="pg-input">
      <h2 id="pg-input">Input</h2>
      {controls.length === 0 && <p class="pg-hint">This game takes no input.</p>}
      <div class="pg-controls">
        {controls.map((control) => (
          <One key={`${control.kind} ${control.label}`} control={control} steering={steering} />
        ))}
      </div>
    </section>
  );
}

function One({ control, steering }: { control: Control; steering: Steering }) {
  switch (control.kind) {
    case "button":
      return <Hold control={control} steering={steering} />;
    case "stick":
    case "compass":
      return <Tilt control={control} steering={steering} />;
    case "select":
      return <Choose control={control} steering={steering} />;
    case "list":
      return <Several control={control} steering={steering} />;
    case "dial":
      return <Turn control={control} steering={steering} />;
    default:
      return <Count control={control} steering={steering} />;
  }
}

/** A button that acts while it is held, by the pointer or by the keyboard. */
function Hold({ control, steering }: { control: Button; steering: Steering }) {
  const hold = (isHeld: boolean): void => steering.hold(control, isHeld);
  const press = (event: KeyboardEvent, isHeld: boolean): void => {
    if (event.code !== "Space" && event.code !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    hold(isHeld);
  };
  return (
    <button
      type="button"
      class="pg-button"
      aria-pressed={steering.isHeld(control)}
      // The keyboard stays with the match.
      onMouseDown={(event) => event.preventDefault()}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        hold(true);
      }}
      onPointerUp={() => hold(false)}
      onPointerCancel={() => hold(false)}
      onKeyDown={(event) => press(event, true)}
      onKeyUp={(event) => press(event, false)}
      onBlur={() => hold(false)}
      onContextMenu={(event) => event.preventDefault()}
    >
      {control.label}
      {control.key && <kbd>{keyLabel(control.key)}</kbd>}
    </button>
  );
}

/** A stick: it is tilted by the pointer, or by its keys. */
function Tilt({ control, steering }: { control: Stick | Compass; steering: Steering }) {
  const pad = useRef<HTMLDivElement>(null);
  const { x, y } = steering.tiltOf(control);
  const move = ({ clientX, clientY }: PointerEvent): void => {
    if (!pad.current) return;
    const { left, top, width, height } = pad.current.getBoundingClientRect();
    const [across, up] = [((clientX - left) / width) * 2 - 1, 1 - ((clientY - top) / height) * 2];
    const length = Math.max(1, Math.hypot(across, up));
    steering.tilt(control, across / length, up / length);
  };
  const rest = (): void => steering.tilt(control, 0, 0);
  const keys = [...control.ways.up, ...control.ways.left, ...control.ways.down, ...control.ways.right];
  const names = keys.length > 4 ? "W A S D or arrows" : keys[0] === "KeyW" ? "W A S D" : keys[0] ? "arrows" : "pointer";
  const values = control.kind === "stick" ? [control.x.field, control.y.field] : [control.field];
  const said = [...new Set(values)].map((field) => textOf(steering.values[field])).join(", ");
  return (
    <div class="pg-stick">
      <div
        ref={pad}
        class="pg-pad"
        aria-hidden="true"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          move(event);
        }}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && move(event)}
        onPointerUp={rest}
        onPointerCancel={rest}
      >
        <i style={{ left: `${50 + x * 34}%`, top: `${50 - y * 34}%` }} />
      </div>
      <p>
        <b>{control.label}</b>
        <span>{said}</span>
        <kbd>{names}</kbd>
      </p>
    </div>
  );
}

/** The id of a control that is no button and no stick. */
const idOf = (field: string, axis = ""): string => `pg-input-${field}${axis && `-${axis}`}`;

function Choose({ control, steering }: { control: Select; steering: Steering }) {
  const { label, field, values } = control;
  return (
    <div class="pg-field">
      <label for={idOf(field)}>{label}</label>
      <select
        id={idOf(field)}
        value={String(steering.values[field])}
        onChange={({ currentTarget }) => steering.set(field, currentTarget.value)}
      >
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </div>
  );
}

/** The most steps of a slider; more are entered as a number. */
const MOST_STEPS = 2_000;

function Count({ control, steering }: { control: NumberInput; steering: Steering }) {
  const { label, field, axis, min, max, step } = control;
  const whole = steering.values[field];
  const value = axis ? (whole as Record<string, number>)[axis] : (whole as number);
  const isSlider = min !== undefined && max !== undefined && (max - min) / step <= MOST_STEPS;
  const set = (text: string): void => {
    const next = Number(text);
    if (text === "" || !Number.isFinite(next)) return;
    steering.set(field, axis ? { ...(steering.values[field] as object), [axis]: next } : next);
  };
  return (
    <div class="pg-field">
      <label for={idOf(field, axis)}>
        {label} {isSlider && <b>{textOf(value)}</b>}
      </label>
      <input
        id={idOf(field, axis)}
        type={isSlider ? "range" : "number"}
        min={min}
        max={max}
        step={isSlider ? step : "any"}
        value={value}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
    </div>
  );
}

/** The angle is also that of the pointer over the world. */
function Turn({ control: { label, field }, steering }: { control: Dial; steering: Steering }) {
  const degrees = Math.round((Number(steering.values[field]) * 180) / Math.PI + 360) % 360;
  return (
    <div class="pg-field">
      <label for={idOf(field)}>
        {label} <b>{degrees}°</b> <small>or point at the world</small>
      </label>
      <input
        id={idOf(field)}
        type="range"
        min={0}
        max={359}
        value={degrees}
        onInput={({ currentTarget }) => steering.set(field, (Number(currentTarget.value) * Math.PI) / 180)}
      />
    </div>
  );
}

function Several({ control: { label, field, of }, steering }: { control: List; steering: Steering }) {
  const [wrong, setWrong] = useState("");
  const [entry] = fieldsOf(of, label);
  const set = (text: string): void => {
    const values = entry && entryOf(entry, text);
    setWrong(values instanceof Error ? values.message : "");
    if (!(values instanceof Error)) steering.set(field, values);
  };
  return (
    <div class="pg-field">
      <label for={idOf(field)}>{label}</label>
      <input
        id={idOf(field)}
        type="text"
        autocomplete="off"
        aria-describedby={`${idOf(field)}-about`}
        aria-invalid={wrong ? true : undefined}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
      <p id={`${idOf(field)}-about`} class={wrong ? "pg-hint pg-bad" : "pg-hint"}>
        {wrong || (entry && takesOf(entry))}
      </p>
    </div>
  );
}
