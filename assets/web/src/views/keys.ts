// Keys that the page takes in a match.

/** Whether a key was pressed alone, and not to type. */
export function isPlain({ ctrlKey, metaKey, altKey, repeat, target }: KeyboardEvent): boolean {
  const types = target instanceof HTMLElement && target.matches("input, textarea, select");
  return !ctrlKey && !metaKey && !altKey && !repeat && !types;
}

/** Whether a key was pressed where it presses nothing: on a button, Enter does. */
export function isFree(event: KeyboardEvent): boolean {
  const presses = event.target instanceof HTMLElement && event.target.matches("button, a, summary");
  return isPlain(event) && !presses;
}
