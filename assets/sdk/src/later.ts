// Code that is loaded when it is first needed. Bundlers make a file of its own of what `import()` names.

/** Returns a function that loads code once. After a load that failed, its next call tries again. */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
