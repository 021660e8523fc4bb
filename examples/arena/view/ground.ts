// The walls of the maps, read from the same files as the rules read.

import cellar from "../../../assets/maps/cellar.json";
import courtyard from "../../../assets/maps/courtyard.json";

export interface Vec {
  readonly x: number;
  readonly y: number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Ground {
  readonly width: number;
  readonly height: number;
  readonly walls: readonly Rect[];
}

const maps: Record<string, { size: number[]; walls: number[][] }> = { courtyard, cellar };

/** The map of this name, or the courtyard if there is none. */
export function ground(name: string): Ground {
  const { size, walls } = (Object.hasOwn(maps, name) && maps[name]) || courtyard;
  const [width = 0, height = 0] = size;
  return { width, height, walls: walls.map(([x = 0, y = 0, w = 0, h = 0]) => ({ x, y, w, h })) };
}

/** The distance from `from` along `way`, which has length 1, to the first wall or the border. */
export function reach(ground: Ground, from: Vec, way: Vec): number {
  const inside = slab(from, way, { x: 0, y: 0, w: ground.width, h: ground.height });
  let nearest = inside ? inside[1] : 0;
  for (const wall of ground.walls) {
    const hit = slab(from, way, wall);
    if (hit && hit[1] > 0) nearest = Math.min(nearest, Math.max(0, hit[0]));
  }
  return nearest;
}

/** Where a ray enters and leaves a rectangle: it is inside while it is between both pairs of sides. */
function slab(from: Vec, way: Vec, { x, y, w, h }: Rect): [number, number] | undefined {
  const tiny = 1e-9;
  const dx = way.x || tiny;
  const dy = way.y || tiny;
  const [xa, xb] = [(x - from.x) / dx, (x + w - from.x) / dx];
  const [ya, yb] = [(y - from.y) / dy, (y + h - from.y) / dy];
  const enter = Math.max(Math.min(xa, xb), Math.min(ya, yb));
  const leave = Math.min(Math.max(xa, xb), Math.max(ya, yb));
  return enter <= leave ? [enter, leave] : undefined;
}
