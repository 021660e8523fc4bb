// The pens: colours that people with any colour vision can tell apart (after Okabe and Ito), each with a name, and widths.

export interface Pen {
  readonly name: string;
  readonly css: string;
}

/** By the numbers of the rules. */
export const COLORS: readonly Pen[] = [
  { name: "Black", css: "#101010" },
  { name: "Grey", css: "#8c8c8c" },
  { name: "White", css: "#ffffff" },
  { name: "Brown", css: "#6b4226" },
  { name: "Red", css: "#d55e00" },
  { name: "Orange", css: "#e69f00" },
  { name: "Yellow", css: "#f0e442" },
  { name: "Green", css: "#009e73" },
  { name: "Sky blue", css: "#56b4e9" },
  { name: "Blue", css: "#0072b2" },
  { name: "Pink", css: "#cc79a7" },
];

/** By the numbers of the rules, in units of the sheet. */
export const WIDTHS: readonly { readonly name: string; readonly units: number }[] = [
  { name: "Fine", units: 4 },
  { name: "Medium", units: 9 },
  { name: "Thick", units: 18 },
  { name: "Broad", units: 36 },
];
