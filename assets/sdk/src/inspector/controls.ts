// The sliders and profiles of the simulated line.

import type { Conditions } from "./conditions.js";
import { profiles } from "./conditions.js";
import { h } from "./elements.js";

const NONE: Conditions = { round_trip_ms: 0, jitter_ms: 0, loss: 0, blackout: null };
const BLACKOUT = profiles.find(({ blackout }) => blackout)?.blackout ?? null;

/** A slider: its label, its greatest value, its step, and how a value is said. */
const SLIDERS = [
  { key: "round_trip_ms", label: "Round trip", most: 500, step: 5, say: (value: number) => `${value} ms` },
  { key: "jitter_ms", label: "Jitter", most: 200, step: 1, say: (value: number) => `± ${value} ms` },
  { key: "loss", label: "Loss", most: 0.3, step: 0.002, say: (value: number) => `${(value * 100).toFixed(1)}%` },
] as const;

/** Lets a person choose the conditions. */
export class Controls {
  readonly node: HTMLElement;
  readonly #choose: (conditions: Conditions | null) => void;
  readonly #sliders = new Map<string, { input: HTMLInputElement; output: HTMLOutputElement }>();
  readonly #blackout = h("input", { type: "checkbox" });
  readonly #radios: HTMLInputElement[] = [];
  #conditions: Conditions = NONE;

  constructor(current: Conditions | null, choose: (conditions: Conditions | null) => void) {
    this.#choose = choose;
    const names = ["off", ...profiles.map(({ name }) => name), "own"];
    const choices = names.map((name) => this.#radio(name));
    const sliders = SLIDERS.map((slider) => this.#slider(slider));
    this.#blackout.addEventListener("change", () =>
      this.#adjust({ blackout: this.#blackout.checked ? BLACKOUT : null }),
    );
    const every = BLACKOUT ? `No line for ${BLACKOUT.for_s} s, every ${BLACKOUT.every_s} s` : "";
    this.node = h(
      "div",
      { class: "controls" },
      h("fieldset", { class: "profiles" }, h("legend", {}, "Simulated line"), ...choices),
      ...sliders,
      h("label", { class: "check" }, this.#blackout, every),
      h("p", { class: "soft" }, "Added to the real line, both ways. A lost segment stalls what follows it, as in TCP."),
    );
    this.#show(current);
  }

  #radio(name: string): HTMLElement {
    const input = h("input", { type: "radio", name: "profile", value: name });
    input.addEventListener("change", () => {
      const found = profiles.find((profile) => profile.name === name);
      if (name !== "own") this.#apply(found ?? null);
    });
    this.#radios.push(input);
    return h("label", {}, input, h("span", {}, name));
  }

  #slider({ key, label, most, step }: (typeof SLIDERS)[number]): HTMLElement {
    const input = h("input", { type: "range", min: "0", max: `${most}`, step: `${step}`, name: key });
    const output = h("output");
    this.#sliders.set(key, { input, output });
    input.addEventListener("input", () => this.#adjust({ [key]: input.valueAsNumber }));
    return h("label", { class: "slider" }, h("span", {}, label), input, output);
  }

  #adjust(change: Partial<Conditions>): void {
    const { round_trip_ms, jitter_ms, loss, blackout } = { ...this.#conditions, ...change };
    this.#apply({ round_trip_ms, jitter_ms, loss, blackout });
  }

  #apply(conditions: Conditions | null): void {
    this.#show(conditions);
    this.#choose(conditions);
  }

  #show(conditions: Conditions | null): void {
    this.#conditions = conditions ?? NONE;
    for (const { key, say } of SLIDERS) {
      const slider = this.#sliders.get(key);
      const value = this.#conditions[key];
      if (!slider) continue;
      slider.input.value = String(value);
      slider.input.setAttribute("aria-valuetext", say(value));
      slider.output.textContent = say(value);
    }
    this.#blackout.checked = this.#conditions.blackout !== null;
    const name = conditions ? nameOf(conditions) : "off";
    for (const radio of this.#radios) {
      radio.checked = radio.value === name;
      // Sliders make conditions of one's own, and nothing else does.
      if (radio.value === "own" && radio.parentElement) radio.parentElement.hidden = name !== "own";
    }
  }
}

/** The profile with these conditions, or `own`. */
export function nameOf(conditions: Conditions): string {
  const same = profiles.find(
    ({ round_trip_ms, jitter_ms, loss, blackout }) =>
      round_trip_ms === conditions.round_trip_ms &&
      jitter_ms === conditions.jitter_ms &&
      loss === conditions.loss &&
      (blackout === null) === (conditions.blackout === null),
  );
  return same?.name ?? "own";
}
