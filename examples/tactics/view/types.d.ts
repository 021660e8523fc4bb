// The types of the game tactics, made by its server from the rules.

export interface Tactics {
  components: {
    Seat: number;
    Ground: number[];
    Table: { turn: number; round: number; began: number; left: number[]; offer: number; end: "None" | "Captain" | "Time" | "Resigned" | "Left" | "Agreed" | "Rounds" };
    Unit: { number: number; kind: "Captain" | "Guard" | "Archer" | "Scout"; hp: number; q: number; r: number; moves: number; ready: boolean; exposed: boolean };
    Figure: { side: number; number: number; kind: "Captain" | "Guard" | "Archer" | "Scout"; hp: number; q: number; r: number };
    Undoable: number;
  };
  events: {
    Stepped: { side: number; number: number; q: number; r: number };
    Struck: { side: number; number: number; target: number; damage: number; fell: boolean; back: boolean };
    Refused: { why: "NotPlaying" | "NotYourTurn" | "NoSuchUnit" | "OutOfReach" | "Spent" | "NotSeen" | "OutOfRange" | "NothingToUndo" };
  };
  commands: {
    Move: { unit: number; q: number; r: number };
    Strike: { unit: number; target: number };
    Undo: true;
    EndTurn: true;
    OfferDraw: true;
    Resign: true;
  };
  input: {  };
}
