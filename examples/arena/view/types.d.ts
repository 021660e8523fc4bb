// The types of the game arena, made by its server from the rules.

export interface Vec2 { x: number; y: number }
export interface Arena {
  components: {
    Seat: number;
    Pos: { at: Vec2 };
    Aim: number;
    Hp: number;
    Frags: number;
    Ammo: number;
    Shot: { from: Vec2; heading: number; born: number };
    Ground: "Courtyard" | "Cellar";
    Side: number;
    Shield: { until: number };
    Gun: { ready: number; fired: number };
  };
  events: {
    Hit: { at: Vec2; shooter: number; victim: number; down: boolean };
  };
  input: { dir: "None" | "E" | "NE" | "N" | "NW" | "W" | "SW" | "S" | "SE"; aim: number; fire: boolean; reload: boolean };
}
