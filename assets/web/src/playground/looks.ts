// How somebody looks at a match: which component tells the places of entities, and what labels them.

import { computed, signal } from "@preact/signals";
import type { EntityOf, Schema } from "@tickcast/client";

import { type Place, placesOf } from "./places.ts";

/** The choice of no component: all entities are in tables. */
export const NO_PLACE = "none: tables";

export class Looks {
  readonly places: readonly Place[];
  /** The name of the place that is chosen. */
  readonly chosen;
  /** The component whose value labels the dots; empty for the name of the seat. */
  readonly label = signal("");
  /** Whether tables have the entities with a place, too. */
  readonly all = signal(false);
  readonly place;

  constructor({ components }: Schema) {
    this.places = placesOf(components);
    this.chosen = signal(this.places[0]?.name ?? NO_PLACE);
    this.place = computed(() => this.places.find(({ name }) => name === this.chosen.value));
  }

  /** Whether an entity has the place that is chosen. */
  isPlaced(entity: EntityOf<any>): boolean {
    const place = this.place.value;
    return place?.read(entity[place.component]) !== undefined;
  }
}
