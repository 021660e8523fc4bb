// The types of the game my-game, made by its server from the rules.

export interface MyGame {
  components: {
    Seat: number;
    Round: { letter: number; holder: number; ends: number };
    Score: number;
  };
  events: {
    Said: { seat: number; word: string; good: boolean };
  };
  commands: {
    Say: { word: string };
  };
  input: { buzz: boolean };
}
