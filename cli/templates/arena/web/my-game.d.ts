// The types of the game my-game, made by its server from the rules.

export interface Vec2 { x: number; y: number }
export interface MyGame {
  components: {
    Seat: number;
    Pos: { at: Vec2 };
    Hp: number;
    Score: number;
    Ready: number;
  };
  events: {
    Hit: { at: Vec2; victim: number };
  };
  input: { dir: "None" | "E" | "NE" | "N" | "NW" | "W" | "SW" | "S" | "SE"; strike: boolean };
}
