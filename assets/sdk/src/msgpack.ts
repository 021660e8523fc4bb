// MessagePack: all of its types but extensions, of which it reads one. https://github.com/msgpack/msgpack/blob/master/spec.md

/** Values that are nested deeper are refused, so that no message exhausts the stack. */
const MAX_DEPTH = 100;

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
/** The first of the types whose size follows: in 1, 2 or 4 bytes, or in 2 or 4 for arrays and maps. */
const BIN = 0xc4;
const STR = 0xd9;
const ARRAY = 0xdc;
const MAP = 0xde;
const F32 = 0xca;
const F64 = 0xcb;
/** The first of the four integers of 1, 2, 4 and 8 bytes. */
const UINT = 0xcc;
const INT = 0xd0;
/** Types that contain their size. */
const SHORT_MAP = 0x80;
const SHORT_ARRAY = 0x90;
const SHORT_STR = 0xa0;
const LEAST_NEGATIVE = 0xe0;
/** An extension of one byte. With two zeros behind it, it is `undefined` in the words of `socket.io-msgpack-parser`. */
const EXTENSION_1 = 0xd4;

const utf8 = new TextEncoder();
/** A byte order mark at the start of a text belongs to it. */
const fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes one value. Binaries become copies, and integers beyond 2^53 lose precision. Throws an `Error` if the bytes are not exactly
 * one value: if they end too early or too late, have another extension, texts that are not UTF-8, or more than 100 levels.
 */
export function decode(bytes: ArrayBuffer | Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.left > 0) throw new Error(`${reader.left} bytes follow the value`);
  return value;
}

/**
 * Encodes a value as JSON would have it: an object's fields that are `undefined` or functions are left out, other `undefined` is
 * nil, and `toJSON` decides for objects that have it. Beyond JSON, numbers may be infinite or NaN, and `Uint8Array` and `ArrayBuffer`
 * are binaries. Throws a `TypeError` for anything else, or for more than 100 levels.
 */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writer.value(value, 0);
  return Uint8Array.from(writer.bytes);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: ArrayBuffer | Uint8Array) {
    // The slices of a `Buffer` would be views of its memory.
    const { buffer, byteOffset, byteLength } = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    this.#bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  value(depth: number): unknown {
    const type = this.#view.getUint8(this.#at++);
    if (type < SHORT_MAP) return type;
    if (type >= LEAST_NEGATIVE) return type - 0x100;
    if (type >= UINT && type < INT) return this.#uint(type - UINT);
    if (type >= INT && type < INT + 4) return this.#int(type - INT);
    if (type >= SHORT_STR && type < NIL) return this.#text(type - SHORT_STR);
    if (type < SHORT_ARRAY) return this.#map(type - SHORT_MAP, depth);
    if (type < SHORT_STR) return this.#array(type - SHORT_ARRAY, depth);
    if (type >= MAP) return this.#map(this.#uint(type - MAP + 1), depth);
    if (type >= ARRAY) return this.#array(this.#uint(type - ARRAY + 1), depth);
    if (type >= STR) return this.#text(this.#uint(type - STR));
    if (type >= BIN && type < BIN + 3) return this.#take(this.#uint(type - BIN)).slice();
    if (type === F64) return this.#view.getFloat64(this.#skip(8));
    if (type === F32) return this.#view.getFloat32(this.#skip(4));
    if (type === NIL) return null;
    if (type === FALSE || type === TRUE) return type === TRUE;
    if (type === EXTENSION_1 && this.#uint(1) === 0) return undefined;
    throw new Error(`the type 0x${type.toString(16)} is an extension or unknown`);
  }

  #array(length: number, depth: number): unknown[] {
    checkDepth(depth);
    const array: unknown[] = [];
    for (let k = 0; k < length; k++) array.push(this.value(depth + 1));
    return array;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    checkDepth(depth);
    const map: Record<string, unknown> = {};
    for (let k = 0; k < length; k++) {
      const key = this.value(depth + 1);
      if ((typeof key !== "string" && typeof key !== "number") || key === "__proto__")
        throw new Error(`${String(key)} is no key of an object`);
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  #text(length: number): string {
    const end = this.#at + length;
    // The platform's decoder takes several times longer for a short text.
    let text = "";
    for (let at = this.#at; at < end; at++) {
      const byte = this.#bytes[at] ?? 0x80;
      if (byte > 0x7f || length > 32) return fromUtf8.decode(this.#take(length));
      text += String.fromCharCode(byte);
    }
    this.#at = end;
    return text;
  }

  /** Reads an unsigned integer of 2 ** `width` bytes. */
  #uint(width: number): number {
    let value = 0;
    for (let left = 1 << width; left > 0; left--) value = value * 0x100 + this.#view.getUint8(this.#at++);
    return value;
  }

  #int(width: number): number {
    if (width === 3) return this.#int(2) * 2 ** 32 + this.#uint(2);
    const unused = 32 - (8 << width);
    return (this.#uint(width) << unused) >> unused;
  }

  #take(length: number): Uint8Array {
    if (length > this.left) throw new RangeError(`${length} bytes are not there`);
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Moves over bytes, and returns where they begin. Reading there is a `RangeError` if they do not exist. */
  #skip(length: number): number {
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

class Writer {
  readonly bytes: number[] = [];

  value(value: unknown, depth: number): void {
    if (value === undefined || value === null) this.#uint(0, NIL);
    else if (typeof value === "boolean") this.#uint(0, value ? TRUE : FALSE);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#text(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else if (value instanceof ArrayBuffer) this.#binary(new Uint8Array(value));
    else if (typeof value === "object") this.#object(value, depth);
    else throw new TypeError(`a ${typeof value} has no MessagePack`);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.#uint(0, F64);
      const view = new DataView(new ArrayBuffer(8));
      view.setFloat64(0, value);
      this.#put(new Uint8Array(view.buffer));
    } else if (value >= -32 && value < SHORT_MAP) {
      this.#uint(0, value);
    } else {
      const width = widthOf(value < 0 ? -2 * (value + 1) : value);
      this.#uint(0, (value < 0 ? INT : UINT) + width);
      this.#uint(width, value);
    }
  }

  #text(value: string): void {
    const bytes = utf8.encode(value);
    if (bytes.length < 32) this.#uint(0, SHORT_STR + bytes.length);
    else this.#size(bytes.length, STR);
    this.#put(bytes);
  }

  #binary(bytes: Uint8Array): void {
    this.#size(bytes.length, BIN);
    this.#put(bytes);
  }

  #object(value: object & { toJSON?: unknown }, depth: number): void {
    checkDepth(depth);
    if (Array.isArray(value)) this.#array(value, depth + 1);
    else if (typeof value.toJSON === "function") this.value(value.toJSON(), depth + 1);
    else this.#map(value, depth + 1);
  }

  #array(values: readonly unknown[], depth: number): void {
    this.#count(values.length, SHORT_ARRAY, ARRAY);
    for (const value of values) this.value(value, depth);
  }

  #map(map: object, depth: number): void {
    const fields = Object.entries(map).filter(([, value]) => value !== undefined && typeof value !== "function");
    this.#count(fields.length, SHORT_MAP, MAP);
    for (const [key, value] of fields) {
      this.#text(key);
      this.value(value, depth);
    }
  }

  /** Writes how many elements or fields follow: in a short type, or behind the first of the types of 2 and 4 bytes. */
  #count(count: number, short: number, type: number): void {
    if (count < 16) this.#uint(0, short + count);
    else this.#size(count, type, 1);
  }

  /** Writes a size behind its type. `type` is the first of these types, for a size of 2 ** `least` bytes. */
  #size(size: number, type: number, least = 0): void {
    const width = Math.max(widthOf(size), least);
    this.#uint(0, type + width - least);
    this.#uint(width, size);
  }

  /** Writes an integer of 2 ** `width` bytes: unsigned, or negative as its two's complement. */
  #uint(width: number, value: number): void {
    for (let k = (1 << width) - 1; k >= 0; k--) this.bytes.push(Math.floor(value / 0x100 ** k) & 0xff);
  }

  #put(bytes: Uint8Array): void {
    for (const byte of bytes) this.bytes.push(byte);
  }
}

/** Refuses an array or a map that is inside of so many others. */
function checkDepth(depth: number): void {
  if (depth === MAX_DEPTH) throw new TypeError(`the value has more than ${MAX_DEPTH} levels`);
}

/** The exponent of the number of bytes that a natural number takes: 1, 2, 4 or 8. */
function widthOf(value: number): number {
  if (value < 0x100) return 0;
  if (value < 0x10000) return 1;
  return value < 2 ** 32 ? 2 : 3;
}
