// The rules of the game `feel` for the own avatar, as `loadtest/src/feel/game.rs` has them.

/** In units and units per second. */
export const SIZE = 48;
const WALK = 6.5;
const DIAGONAL = Math.SQRT1_2;
export const WAYS = {
  None: [0, 0],
  E: [1, 0],
  NE: [DIAGONAL, DIAGONAL],
  N: [0, 1],
  NW: [-DIAGONAL, DIAGONAL],
  W: [-1, 0],
  SW: [-DIAGONAL, -DIAGONAL],
  S: [0, -1],
  SE: [DIAGONAL, -DIAGONAL],
};

/** One tick: where an avatar that stands walks to. */
export function walk(at, dir, dt) {
  const [x, y] = WAYS[dir];
  at.x = Math.min(Math.max(at.x + x * WALK * dt, 0), SIZE);
  at.y = Math.min(Math.max(at.y + y * WALK * dt, 0), SIZE);
}
