// Packed lists as docs/PROTOCOL.md describes them. The decoder is slow and simple: it works on a string of zeros and ones.

/** Yields the gaps of packed ids, which mean the same as those of the array. */
export function* gaps([k, ...bytes]) {
  const bits = new Bits(bytes);
  while (!bits.done()) yield bits.rice(k);
}

export function column([k, ...bytes], count) {
  const bits = new Bits(bytes);
  if (k < 31) return Array.from({ length: count }, () => zigzag(bits.rice(k)));
  const [least, span] = [zigzag(bits.varint()), bits.varint()];
  const width = Math.floor(Math.log2(span + 1));
  const short = 2 ** (width + 1) - (span + 1);
  return Array.from({ length: count }, () => {
    const x = bits.number(width);
    return least + (x < short ? x : 2 * x + bits.number(1) - short);
  });
}

class Bits {
  #text;

  constructor(bytes) {
    this.#text = bytes.map((byte) => [...byte.toString(2).padStart(8, "0")].reverse().join("")).join("");
  }

  /** Reads a number of this many bits, the lowest bit first. */
  number(bits) {
    const digits = this.#text.slice(0, bits);
    this.#text = this.#text.slice(bits);
    return digits === "" ? 0 : parseInt([...digits].reverse().join(""), 2);
  }

  rice(k) {
    for (let q = 0; q < 16; q++) {
      if (this.number(1) === 1) return q * 2 ** k + this.number(k);
    }
    return this.number(32);
  }

  varint() {
    const byte = this.number(8);
    return byte < 128 ? byte : byte - 128 + 128 * this.varint();
  }

  done() {
    return this.#text.length < 8 && !this.#text.includes("1");
  }
}

function zigzag(z) {
  return z % 2 === 0 ? z / 2 : -(z + 1) / 2;
}
