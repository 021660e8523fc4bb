/** The actions that have a key, which the player can change. */
export const ACTIONS = [
  { name: "up", label: "Go up", code: "KeyW" },
  { name: "left", label: "Go left", code: "KeyA" },
  { name: "down", label: "Go down", code: "KeyS" },
  { name: "right", label: "Go right", code: "KeyD" },
  { name: "split", label: "Split", code: "Space" },
] as const;

/** An action that a key has. */
export type Action = (typeof ACTIONS)[number]["name"];
