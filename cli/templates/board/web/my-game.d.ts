// The types of the game my-game, made by its server from the rules.

export interface MyGame {
  components: {
    Seat: number;
    Board: { stones: number[] };
    Turn: { of: number; ends: number };
  };
  events: {
    Placed: { seat: number; column: number; row: number };
  };
  commands: {
    Place: { column: number };
  };
  input: {  };
}
