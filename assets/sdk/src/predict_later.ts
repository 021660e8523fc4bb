// Loads the code of prediction, once for all rooms. Bundlers make a file of its own of what `import()` names.

/** The code of prediction. */
export type PredictCode = typeof import("./predict.js");

let code: PredictCode | undefined;
let loading: Promise<PredictCode> | undefined;

/** Loads the code. Rejects if its file cannot be loaded; the next call tries again. */
export function loadPredict(): Promise<PredictCode> {
  loading ??= import("./predict.js");
  return loading.then(
    (loaded) => (code = loaded),
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
}

/** Calls `use` with the code: at once if it has been loaded, else then, in the order of the calls. */
export function withPredict(use: (code: PredictCode) => void, failed: (error: unknown) => void): void {
  if (code) use(code);
  else loadPredict().then(use).catch(failed);
}
