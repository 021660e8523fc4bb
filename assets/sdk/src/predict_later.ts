// Loads the code of prediction, once for all rooms.

import { later } from "./later.js";

/** The code of prediction. */
export type PredictCode = typeof import("./predict.js");

let code: PredictCode | undefined;

/** Loads the code. Rejects if its file cannot be loaded; the next call tries again. */
export const loadPredict = later(async () => (code = await import("./predict.js")));

/** Calls `use` with the code: at once if it has been loaded, else then, in the order of the calls. */
export function withPredict(use: (code: PredictCode) => void, failed: (error: unknown) => void): void {
  if (code) use(code);
  else loadPredict().then(use).catch(failed);
}
