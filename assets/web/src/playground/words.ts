// Values of a game as text.

/** The most bytes that are shown. */
const BYTES = 16;

/** A value in one line: `(1.5, 2)`, `dir N, fire true`. */
export function textOf(value: unknown): string {
  if (typeof value === "number") return String(Math.round(value * 1_000) / 1_000 + 0);
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  const parts = Object.entries(value);
  if (parts.length > 1 && parts.every(([name]) => ["x", "y", "z"].includes(name))) {
    return `(${parts.map(([, part]) => textOf(part)).join(", ")})`;
  }
  return parts.map(([name, part]) => `${name} ${textOf(part)}`).join(", ");
}

function hex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, BYTES), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > BYTES ? `${shown} … (${bytes.length} bytes)` : shown;
}
