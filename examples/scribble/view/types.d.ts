// The types of the game scribble, made by its server from the rules.

export interface Scribble {
  components: {
    Seat: number;
    Board: { phase: "Waiting" | "Choosing" | "Drawing" | "Reveal"; ending: "None" | "AllFound" | "TimeUp" | "Idle" | "Left"; drawer: number; turn: number; round: number; ends: number; missing: number };
    Hint: { letters: number[] };
    Ink: { stroke: number; part: number; color: number; width: number; x: number; y: number; count: number; steps: number[] };
    Score: { points: number; gained: number; found: number };
    Offer: { words: number[] };
    Secret: { letters: number[] };
  };
  events: {
    Said: { seat: number; is_secret: boolean; text: string };
    Found: { seat: number; rank: number; points: number };
    Near: { text: string };
    Refused: { why: "NotDrawing" | "BadInk" | "SheetFull" | "NotOffered" | "NoText" | "TooFast" | "MustChoose" };
  };
  commands: {
    Draw: { ink: Uint8Array };
    Choose: { word: number };
    Guess: { text: string };
  };
  input: {  };
}
