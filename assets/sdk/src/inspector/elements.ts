// Makes elements in one expression. Nothing sets an attribute `style`, which a page's Content-Security-Policy may refuse.

type Child = Node | string | null;

/** An element with attributes, such as `class`, and children. An attribute that is `undefined` is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A button. */
export function button(text: string, press: () => void, attributes: Record<string, string> = {}): HTMLButtonElement {
  const node = h("button", { type: "button", ...attributes }, text);
  node.addEventListener("click", press);
  return node;
}

/** Sets a text, unless it is there already: each change makes the browser lay the page out. */
export function tell(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A list of figures with names. */
export class Figures {
  readonly node = h("dl", { class: "figures" });
  readonly #values = new Map<string, HTMLElement>();

  /** Shows a figure under a name. `alarm` says what is wrong with it. */
  show(name: string, value: string, alarm?: string): void {
    const known = this.#values.get(name);
    const node = known ?? h("dd");
    if (!known) {
      this.#values.set(name, node);
      this.node.append(h("div", {}, h("dt", {}, name), node));
    }
    tell(node, alarm ? `${value} (${alarm})` : value);
    node.parentElement?.classList.toggle("alarm", alarm !== undefined);
  }
}

/** A number in about three digits. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return `${(value / 1000).toFixed(size >= 100_000 ? 0 : 1)}k`;
  return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : 2);
}

/** A value in short, such as `x 1.25 y 3`. */
export function text(value: unknown): string {
  if (typeof value === "number") return short(value);
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${typeof inner === "object" && inner ? `(${text(inner)})` : text(inner)}`)
    .join(" ");
}
