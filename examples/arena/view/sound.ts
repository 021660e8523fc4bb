// The sounds of the match, made of oscillators and noise: there are no files to load.

import type { Vec } from "./ground.ts";
import { load, save } from "./stored.ts";

/** A part of a sound: a tone that slides, or filtered noise. */
interface Layer {
  readonly wave: OscillatorType | "noise";
  /** From and to, in Hz: the tone, or the filter of the noise. */
  readonly hz: readonly [number, number];
  readonly seconds: number;
  readonly gain: number;
  /** When it begins, in seconds. */
  readonly after?: number;
}

const SOUNDS = {
  shot: [
    { wave: "square", hz: [620, 140], seconds: 0.09, gain: 0.16 },
    { wave: "noise", hz: [4200, 900], seconds: 0.07, gain: 0.22 },
  ],
  wall: [{ wave: "noise", hz: [2600, 500], seconds: 0.06, gain: 0.1 }],
  /** An own shot has hit. */
  hit: [
    { wave: "triangle", hz: [1250, 1250], seconds: 0.05, gain: 0.3 },
    { wave: "triangle", hz: [1870, 1870], seconds: 0.07, gain: 0.22, after: 0.035 },
  ],
  /** The player was hit. */
  hurt: [
    { wave: "sawtooth", hz: [190, 70], seconds: 0.18, gain: 0.3 },
    { wave: "noise", hz: [900, 200], seconds: 0.14, gain: 0.3 },
  ],
  down: [
    { wave: "noise", hz: [1600, 90], seconds: 0.5, gain: 0.42 },
    { wave: "sine", hz: [150, 38], seconds: 0.55, gain: 0.5 },
  ],
  respawn: [
    { wave: "sine", hz: [330, 660], seconds: 0.22, gain: 0.22 },
    { wave: "sine", hz: [495, 990], seconds: 0.26, gain: 0.16, after: 0.08 },
  ],
  end: [
    { wave: "triangle", hz: [523, 523], seconds: 0.3, gain: 0.24 },
    { wave: "triangle", hz: [659, 659], seconds: 0.3, gain: 0.24, after: 0.14 },
    { wave: "triangle", hz: [784, 784], seconds: 0.6, gain: 0.26, after: 0.28 },
  ],
} as const satisfies Record<string, readonly Layer[]>;

export type SoundName = keyof typeof SOUNDS;

const STORED = "muted";
/** Layers that sound at once: more cannot be told apart. */
const MOST = 32;
/** In units: at this distance a sound has half of its strength; beyond the other it is not heard; so far aside it is on one side. */
const HALF = 7;
const SILENT = 26;
const ASIDE = 14;

/** Where the player hears a sound: from −1, left, to 1, and how loud, up to 1. */
export function heard(ear: Vec, at: Vec): { pan: number; gain: number } {
  const distance = Math.hypot(at.x - ear.x, at.y - ear.y);
  const gain = distance >= SILENT ? 0 : 1 / (1 + (distance / HALF) ** 2);
  return { pan: Math.max(-1, Math.min(1, (at.x - ear.x) / ASIDE)), gain };
}

/** Plays the sounds, from the first gesture on: browsers keep a page silent before. */
export class Sound {
  /** Where the player listens. */
  ear: Vec = { x: 0, y: 0 };
  /** How loud, from 0 to 1. */
  volume = 1;
  private context: AudioContext | undefined;
  private noise: AudioBuffer | undefined;
  private sounding = 0;
  private readonly ends = new AbortController();
  private silent = load(STORED) === "1";

  constructor() {
    const { signal } = this.ends;
    for (const gesture of ["pointerdown", "keydown"] as const)
      window.addEventListener(gesture, () => this.start(), { signal, capture: true });
    document.addEventListener("visibilitychange", () => this.settle(), { signal });
  }

  get muted(): boolean {
    return this.silent;
  }

  set muted(muted: boolean) {
    this.silent = muted;
    save(STORED, muted ? "1" : "0");
    this.settle();
  }

  /** For the console and for tests. */
  get state(): string {
    return this.context?.state ?? "none";
  }

  /** Plays a sound, at the player's ear or somewhere on the map. Returns whether it can be heard. */
  play(name: SoundName, at: Vec = this.ear): boolean {
    const { context } = this;
    const place = heard(this.ear, at);
    if (context?.state !== "running" || place.gain * this.volume === 0) return false;
    const out = context.createStereoPanner();
    out.pan.value = place.pan;
    out.connect(context.destination);
    for (const layer of SOUNDS[name])
      if (this.sounding < MOST) this.layer(context, out, layer, place.gain * this.volume);
    return true;
  }

  close(): void {
    this.ends.abort();
    void this.context?.close();
    this.context = undefined;
  }

  private start(): void {
    if (typeof AudioContext !== "function") return;
    this.context ??= new AudioContext({ latencyHint: "interactive" });
    this.settle();
  }

  /** Rests while nobody listens: a page that is hidden makes no sound, and costs nothing. */
  private settle(): void {
    const rests = this.silent || document.hidden;
    const { context } = this;
    if (context && context.state !== "closed")
      void (rests ? context.suspend() : context.resume()).catch(() => undefined);
  }

  private layer(
    context: AudioContext,
    out: AudioNode,
    { wave, hz, seconds, gain, after = 0 }: Layer,
    loud: number,
  ): void {
    const begin = context.currentTime + after;
    const end = begin + seconds;
    const volume = context.createGain();
    volume.gain.setValueAtTime(gain * loud, begin);
    volume.gain.exponentialRampToValueAtTime(0.0005, end);
    volume.connect(out);
    const source = wave === "noise" ? this.hiss(context, volume, hz, [begin, end]) : context.createOscillator();
    if (source instanceof OscillatorNode) {
      if (wave !== "noise") source.type = wave;
      slide(source.frequency, hz, [begin, end]);
      source.connect(volume);
    }
    this.sounding += 1;
    source.onended = () => {
      this.sounding -= 1;
      volume.disconnect();
    };
    source.start(begin);
    source.stop(end);
  }

  private hiss(context: AudioContext, to: AudioNode, hz: readonly [number, number], time: readonly [number, number]) {
    this.noise ??= whiteNoise(context);
    const source = context.createBufferSource();
    const filter = context.createBiquadFilter();
    source.buffer = this.noise;
    source.loop = true;
    filter.type = "lowpass";
    slide(filter.frequency, hz, time);
    source.connect(filter).connect(to);
    return source;
  }
}

function slide(
  value: AudioParam,
  [from, to]: readonly [number, number],
  [begin, end]: readonly [number, number],
): void {
  value.setValueAtTime(from, begin);
  value.exponentialRampToValueAtTime(to, end);
}

function whiteNoise(context: AudioContext): AudioBuffer {
  const buffer = context.createBuffer(1, context.sampleRate / 2, context.sampleRate);
  const samples = buffer.getChannelData(0);
  for (let k = 0; k < samples.length; k++) samples[k] = Math.random() * 2 - 1;
  return buffer;
}
