/** The actions that have a key, which the player can change. */
export const ACTIONS = [
  { name: "up", label: "Walk up", code: "KeyW" },
  { name: "left", label: "Walk left", code: "KeyA" },
  { name: "down", label: "Walk down", code: "KeyS" },
  { name: "right", label: "Walk right", code: "KeyD" },
  { name: "fire", label: "Shoot", code: "Space" },
  { name: "reload", label: "Reload", code: "KeyR" },
] as const;

/** An action that a key has. */
export type Action = (typeof ACTIONS)[number]["name"];
