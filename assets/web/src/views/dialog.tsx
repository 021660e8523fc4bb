// A question over the page.

import "./dialog.css";

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

interface Props {
  readonly title: string;
  /** The player presses Escape. */
  onCancel(): void;
  /** How long the buttons do nothing, in milliseconds: the player may still be shooting. */
  readonly calm?: number;
  readonly children: ComponentChildren;
  /** The buttons. */
  readonly buttons?: readonly Choice[];
}

/** A button of a dialog. */
export interface Choice {
  readonly label: string;
  readonly isMain?: boolean;
  act(): void;
}

/** A modal dialog. Only keyup events leave it, so that a view below it learns which keys are up. */
export function Dialog({ title, onCancel, calm = 0, children, buttons = [] }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [isCalm, setCalm] = useState(calm > 0);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const { current } = dialog;
    current?.showModal();
    // A key that the player still holds must not press a button.
    current?.focus();
    const timer = window.setTimeout(() => setCalm(false), calm);
    return () => {
      window.clearTimeout(timer);
      // Nothing below an open dialog can have the focus.
      current?.close();
      // A match takes the keys again, whichever button has led here.
      const next = document.querySelector(".stage") ?? before;
      if (next instanceof HTMLElement && next.isConnected) next.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      tabIndex={-1}
      aria-labelledby={id}
      onKeyDown={(event) => event.stopPropagation()}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
      // Browsers close a dialog without asking if Escape comes twice.
      onClose={({ currentTarget }) => {
        if (!currentTarget.isConnected) return;
        onCancel();
        if (currentTarget.isConnected) currentTarget.showModal();
      }}
    >
      <h1 id={id}>{title}</h1>
      {children}
      <div class="row">
        {buttons.map(({ label, isMain, act }) => (
          <button key={label} type="button" class={isMain ? "primary" : ""} disabled={isCalm} onClick={act}>
            {label}
          </button>
        ))}
      </div>
    </dialog>
  );
}
