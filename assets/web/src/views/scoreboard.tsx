// The scores over a running match, while Tab is held.

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { mounted } from "../state/play.ts";
import { Embedded } from "./over.tsx";

/** How often the scores are read, in milliseconds. */
const READ = 500;
/** A key that was held for so long, in milliseconds, was not pressed to move the focus. */
const HELD = 250;

/**
 * Whether Tab is held. A short press moves the focus as everywhere. `isFree` says whether the match has the keys, and `back` gives it
 * the focus again after Tab was held.
 */
export function useHeldTab(isFree: () => boolean, back: () => void): boolean {
  const [isHeld, setHeld] = useState(false);
  useLayoutEffect(() => {
    let since = 0;
    const down = (event: KeyboardEvent): void => {
      if (event.code !== "Tab" || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
      // A key that is held must not run through all buttons.
      if (event.repeat && since > 0) event.preventDefault();
      if (event.repeat || !isFree()) return;
      since = performance.now();
      setHeld(true);
    };
    const release = (): void => {
      if (since > 0 && performance.now() - since > HELD) back();
      since = 0;
      setHeld(false);
    };
    const up = ({ code }: KeyboardEvent): void => {
      if (code === "Tab") release();
    };
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    window.addEventListener("blur", release);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      window.removeEventListener("blur", release);
    };
  }, []);
  return isHeld;
}

export function Scoreboard() {
  return (
    <section class="scoreboard" aria-label="Scoreboard">
      <Scores isStill />
    </section>
  );
}

/** The scores of now. What is only looked at, while a key is held, takes no focus. */
export function Scores({ isStill = false }: { isStill?: boolean }) {
  const [node, setNode] = useState<HTMLElement>();
  useEffect(() => {
    const read = (): void => {
      const scores = mounted.peek()?.result();
      scores?.setAttribute("aria-label", "Scores");
      if (isStill) scores?.removeAttribute("tabindex");
      setNode(scores);
    };
    read();
    const timer = window.setInterval(read, READ);
    return () => window.clearInterval(timer);
  }, []);
  return node ? <Embedded node={node} /> : null;
}
