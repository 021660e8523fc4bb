// Copies text to the clipboard, as far as the browser allows it.

/** Copies a text. Resolves to whether it is in the clipboard now. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers have no `navigator.clipboard` on plain http, and may refuse it elsewhere.
    return copySelected(text);
  }
}

/** The old way, which works on plain http. Returns whether the browser has copied. */
function copySelected(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "hidden";
  document.body.append(field);
  field.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
  }
}
