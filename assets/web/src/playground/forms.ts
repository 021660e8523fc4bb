// The form of a command, told by the schema alone, and the value that its fields make.

import type { Field, Type } from "@tickcast/client";

import { words } from "./inputs.ts";

/** A field of a form. A vector has one for each coordinate. */
export interface FormField {
  /** The name within the form: the field's, and the coordinate if it is one of a vector. */
  readonly name: string;
  readonly label: string;
  readonly kind: "check" | "number" | "degrees" | "select" | "text" | "bytes" | "list";
  /** The bounds of a number, in the program's unit. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly isWhole?: boolean;
  /** The choices of a select. */
  readonly values?: readonly string[];
  /** The most bytes of a text or of bytes. */
  readonly most?: number;
  /** The number of elements of a list, and what each of them consists of: one field, or one for each coordinate. */
  readonly length?: number;
  readonly parts?: readonly FormField[];
}

/** What somebody has entered into a form, by the fields' names: a text, whether a box is checked, or the bytes of a file. */
export type Entered = Readonly<Record<string, string | boolean | Uint8Array | undefined>>;

/** The value of a form, or what is wrong, by the fields' names. */
export type Read = { readonly value: unknown } | { readonly wrong: Readonly<Record<string, string>> };

const TEXT = new TextEncoder();
const AXES = { vec2: ["x", "y"], vec3: ["x", "y", "z"] } as const;

/** The fields of a command's form, in order. */
export function formOf({ name, shape, fields }: Type): FormField[] {
  return fields.flatMap((field) => fieldsOf(field, shape === "value" ? words(name) : words(field.name)));
}

/** The value of a command, from what was entered into its form. */
export function readForm(type: Type, entered: Entered): Read {
  const wrong: Record<string, string> = {};
  const read = (field: FormField): unknown => {
    const value = entryOf(field, entered[field.name]);
    if (value instanceof Error) wrong[field.name] = value.message;
    return value;
  };
  const value = Object.fromEntries(
    type.fields.map((field) => {
      const parts = fieldsOf(field, "").map((part) => [part.name.slice(field.name.length + 1), read(part)] as const);
      const isVector = field.type === "vec2" || field.type === "vec3";
      return [field.name, isVector ? Object.fromEntries(parts) : parts[0]?.[1]];
    }),
  );
  if (Object.keys(wrong).length > 0) return { wrong };
  if (type.shape === "unit") return { value: true };
  return { value: type.shape === "value" ? Object.values(value)[0] : value };
}

/** The fields of a form for one of the schema, under a label. */
export function fieldsOf(field: Field, label: string): FormField[] {
  const { name, min, max } = field;
  switch (field.type) {
    case "bool":
      return [{ name, label, kind: "check" }];
    case "choice":
      return [{ name, label, kind: "select", values: field.values ?? [] }];
    case "angle":
      return [{ name, label, kind: "degrees", min: 0, max: 360 }];
    case "vec2":
    case "vec3":
      return AXES[field.type].map((axis) => ({
        ...{ name: `${name}.${axis}`, label: `${label} ${axis}`, kind: "number" as const },
        ...{ min, max },
      }));
    case "text":
    case "bytes":
      return [{ name, label, kind: field.type, most: max ?? 0 }];
    case "list": {
      const parts = fieldsOf({ ...field, ...field.of, type: field.of?.type ?? "int" }, "");
      return [{ name, label, kind: "list", length: field.length ?? 0, parts }];
    }
    default:
      return [{ name, label, kind: "number", min, max, isWhole: field.type === "int" }];
  }
}

/** The value of a field, or an error with what is wrong. */
export function entryOf(field: FormField, entered: Entered[string]): unknown {
  switch (field.kind) {
    case "check":
      return entered === true;
    case "select":
      return field.values?.includes(String(entered)) ? entered : new Error("Choose one.");
    case "text":
      return within(field, String(entered ?? ""), TEXT.encode(String(entered ?? "")).length);
    case "bytes": {
      const bytes = entered instanceof Uint8Array ? entered : bytesOf(String(entered ?? ""));
      return bytes instanceof Error ? bytes : within(field, bytes, bytes.length);
    }
    case "list":
      return listOf(field, String(entered ?? ""));
    case "degrees": {
      const degrees = numberOf(field, entered);
      return degrees instanceof Error ? degrees : (degrees * Math.PI) / 180;
    }
    default:
      return numberOf(field, entered);
  }
}

/** Reads the elements of a list, which commas divide. The coordinates of a vector are divided by spaces. */
function listOf({ length = 0, parts = [] }: FormField, text: string): unknown {
  const elements = text.trim() === "" ? [] : text.split(",").map((element) => element.trim());
  if (elements.length !== length) return new Error(`Enter ${length} values with commas between them.`);
  const values = elements.map((element) => {
    const [only, ...others] = parts;
    if (others.length === 0)
      return only && entryOf(only, only.kind === "check" ? /^(1|true|yes)$/i.test(element) : element);
    const words = element.split(/\s+/);
    if (words.length !== parts.length)
      return new Error(`Enter ${parts.length} numbers for each value, with spaces between them.`);
    const axes = parts.map((part, k) => [part.name.slice(-1), entryOf(part, words[k])] as const);
    return axes.find(([, value]) => value instanceof Error)?.[1] ?? Object.fromEntries(axes);
  });
  return values.find((value) => value instanceof Error) ?? values;
}

function numberOf({ min = -Infinity, max = Infinity, isWhole = false }: FormField, entered: Entered[string]) {
  const text = String(entered ?? "").trim();
  const number = Number(text);
  if (text === "" || !Number.isFinite(number)) return new Error("Enter a number.");
  if (isWhole && !Number.isInteger(number)) return new Error("Enter a whole number.");
  if (number < min || number > max) {
    return new Error(`Enter a number ${bounds(min, max)}.`);
  }
  return number;
}

/** What a field takes, in words. */
export function takesOf({ kind, min, max, isWhole, most, length, parts = [] }: FormField): string {
  if (kind === "text") return `At most ${most} bytes.`;
  if (kind === "bytes") return `At most ${most} bytes: hexadecimal digits, or a file.`;
  if (kind === "list") {
    const each = parts.length > 1 ? ` Each is ${parts.length} numbers with spaces between them.` : "";
    return `${length} values with commas between them.${each}`;
  }
  if (kind === "degrees") return "In degrees, from 0 to 360.";
  if (kind !== "number") return "";
  const within = bounds(min, max);
  return `A ${isWhole ? "whole number" : "number"}${within && ` ${within}`}.`;
}

/** The bounds of a number in words: `from 1 to 5`, `of at least 1`. */
function bounds(min = -Infinity, max = Infinity): string {
  if (min === -Infinity && max === Infinity) return "";
  if (max === Infinity) return `of at least ${min}`;
  return min === -Infinity ? `of at most ${max}` : `from ${min} to ${max}`;
}

/** Reads bytes in hexadecimal, like `0a ff` or `0x0aff`. */
function bytesOf(text: string): Uint8Array | Error {
  const digits = text.replace(/^\s*0x/i, "").replace(/[\s,:]+/g, "");
  if (!/^([\da-f]{2})*$/i.test(digits)) return new Error("Enter pairs of hexadecimal digits, like 0a ff.");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function within<T>({ most = 0 }: FormField, value: T, bytes: number): T | Error {
  return bytes <= most ? value : new Error(`This has ${bytes} bytes, and ${most} is the most.`);
}
