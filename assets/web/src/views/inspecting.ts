// The inspector in a match.

import type { Room } from "@tickcast/client";
import type { Inspector } from "@tickcast/client/inspector";
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface Inspecting {
  /** Where the panel goes. */
  readonly place: RefObject<HTMLDivElement | null>;
  readonly isOpen: boolean;
  toggle(): void;
}

/**
 * The inspector, which a match does not need, and which is loaded when it is opened. `closed` is called when it closes. `isFirst` says
 * that it is open from the start.
 */
export function useInspector(room: Room, closed: () => void, isFirst = false): Inspecting {
  const place = useRef<HTMLDivElement>(null);
  const open = useRef<Inspector | "loading" | undefined>(undefined);
  const [isOpen, setOpen] = useState(false);
  const load = async (): Promise<void> => {
    open.current = "loading";
    try {
      const { inspect } = await import("@tickcast/client/inspector");
      if (!place.current) return;
      const onClose = (): void => {
        open.current = undefined;
        setOpen(false);
        closed();
      };
      open.current = inspect(room, { parent: place.current, onClose });
      setOpen(true);
    } catch (error) {
      open.current = undefined;
      console.error("the inspector could not be loaded", error);
    }
  };
  const close = (): void => {
    if (typeof open.current === "object") open.current.close();
  };
  useEffect(() => {
    if (isFirst) void load();
    return close;
  }, [room]);
  const toggle = (): void => {
    if (open.current) close();
    else void load();
  };
  return { place, isOpen, toggle };
}
