// Packed lists: bit streams that replace arrays of integers, in games whose schema enables them. Loaded in rooms of such games.

/** The first byte of a column with truncated binary codes. A smaller one is a Rice parameter. */
const SPREAD = 31;
/** The most leading zeros of a Rice code. A value that needs more is escaped. */
const MOST_ZEROS = 16;
const ESCAPED_BITS = 32;
const MOST_SPAN = 2 ** 31 - 1;
const VARINT_BYTES = 5;
const U32 = 0xffff_ffff;

/** Decodes a packed list of ascending ids. Throws a `RangeError`. */
export function unpackIds(packed: Uint8Array): number[] {
  const list = new PackedList(packed);
  const parameter = within(list.byte(), "form of packed ids", 0, SPREAD - 1);
  const ids: number[] = [];
  for (let next = 0; !list.isAtEnd(); next++) {
    next += list.rice(parameter);
    within(next, "id", 0, U32);
    ids.push(next);
  }
  return ids;
}

/** Decodes the `count` values of a packed column. Throws a `RangeError`. */
export function unpackColumn(packed: Uint8Array, count: number): number[] {
  const list = new PackedList(packed);
  const form = within(list.byte(), "form of a packed column", 0, SPREAD);
  const values: number[] = [];
  if (form === SPREAD) {
    const least = unzigzag(list.varint());
    const spread = new Spread(list.varint());
    while (values.length < count) values.push(least + spread.read(list));
  } else {
    while (values.length < count) values.push(unzigzag(list.rice(form)));
  }
  if (!list.isAtEnd()) throw new RangeError("a packed column has bytes after its end");
  return values;
}

/** Truncated binary codes of 0 to `span`: smaller numbers are one bit shorter. */
class Spread {
  readonly #width: number;
  readonly #short: number;

  constructor(span: number) {
    // With codes of zero bits, a few bytes could stand for any number of values.
    within(span, "span of a packed column", 1, MOST_SPAN);
    this.#width = 31 - Math.clz32(span + 1);
    this.#short = 2 ** (this.#width + 1) - (span + 1);
  }

  read(list: PackedList): number {
    const code = list.take(this.#width);
    return code < this.#short ? code : 2 * code + list.take(1) - this.#short;
  }
}

class PackedList {
  readonly #bytes: Uint8Array;
  /** The read position in bits. */
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.take(8);
  }

  /** Reads a varint: seven bits per byte, lowest first. The top bit means that another byte follows. */
  varint(): number {
    let value = 0;
    for (let k = 0; k < VARINT_BYTES; k++) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * k);
      if (byte < 0x80) return value;
    }
    throw new RangeError(`a packed list has a number of more than ${VARINT_BYTES} bytes`);
  }

  /** Reads `count` bits as a number, lowest first. */
  take(count: number): number {
    if (this.#at + count > 8 * this.#bytes.length) throw new RangeError("a packed list is cut off");
    let value = 0;
    for (let taken = 0; taken < count; ) {
      const offset = this.#at % 8;
      const bits = Math.min(8 - offset, count - taken);
      const part = ((this.#bytes[this.#at >>> 3] ?? 0) >> offset) & ((1 << bits) - 1);
      // `<<` cannot reach bits above the 31st.
      value += part * 2 ** taken;
      taken += bits;
      this.#at += bits;
    }
    return value;
  }

  rice(parameter: number): number {
    let zeros = 0;
    while (zeros < MOST_ZEROS && this.take(1) === 0) zeros++;
    return zeros === MOST_ZEROS ? this.take(ESCAPED_BITS) : zeros * 2 ** parameter + this.take(parameter);
  }

  /** Whether only the padding zeros of the last byte are left. */
  isAtEnd(): boolean {
    const left = 8 * this.#bytes.length - this.#at;
    return left === 0 || (left < 8 && (this.#bytes.at(-1) ?? 0) >> (8 - left) === 0);
  }
}

/** Maps 0, 1, 2, 3, 4 to 0, −1, 1, −2, 2. */
function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function within(value: number, what: string, least: number, most: number): number {
  if (value < least || value > most) throw new RangeError(`${what} ${value} is not within ${least} to ${most}`);
  return value;
}
