// Tells whether anybody sees the page.

/** Calls back when the page is hidden or shown. Returns a function that stops it. Does nothing outside of browsers. */
export function watchVisibility(changed: (visible: boolean) => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  const listener = (): void => changed(document.visibilityState === "visible");
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}
