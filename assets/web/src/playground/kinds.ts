// The kinds of entities: those with the same components.

import type { EntityOf, Schema } from "@tickcast/client";

/** The components of an entity, in the order of the schema. */
export function componentsOf({ components }: Schema, entity: EntityOf<any>): string[] {
  return components.map(({ name }) => name).filter((name) => entity[name] !== undefined);
}

/** The name of an entity's kind. */
export function kindOf(schema: Schema, entity: EntityOf<any>): string {
  return componentsOf(schema, entity).join(", ") || "No component";
}

/** The colour of an entity: by its seat, or by its kind. `own` is the player's seat. */
export function colourOf(schema: Schema, entity: EntityOf<any>, own: number): string {
  const seat = entity.Seat as number | undefined;
  if (seat !== undefined) return seat === own ? "#56e0c8" : `hsl(${(seat * 137 + 200) % 360} 75% 65%)`;
  const letters = [...kindOf(schema, entity)];
  const sum = letters.reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 3_600, 7);
  return `hsl(${sum % 360} 45% 62%)`;
}
