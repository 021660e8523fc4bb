// The types of the game swarm, made by its server from the rules.

export interface Vec2 { x: number; y: number }
export interface Swarm {
  components: {
    Seat: number;
    Pos: { at: Vec2 };
    Mass: number;
    Crumb: true;
    Standing: { mass: number; best: number; eaten: number };
  };
  events: {
    Swallowed: { by: number; whom: number };
  };
  input: { aim: number; pace: number; split: boolean };
}
