// The parser of Socket.IO packets, held against `socket.io-msgpack-parser`, the official one.

import * as official from "socket.io-msgpack-parser";
import { describe, expect, test } from "vitest";

import type { Packet } from "../src/parser.js";
import { Decoder, Encoder, protocol } from "../src/parser.js";

interface AnyParser {
  Encoder: new () => { encode(packet: Packet): unknown };
  Decoder: new () => {
    on(event: "decoded", listener: (packet: Packet) => void): void;
    off(event: "decoded", listener: (packet: Packet) => void): void;
    add(message: Uint8Array): void;
  };
}

const theirs = official as unknown as AnyParser;
const ours: AnyParser = { Encoder, Decoder };

const encoded = ({ Encoder }: AnyParser, packet: Packet): Uint8Array =>
  Uint8Array.from((new Encoder().encode(packet) as [Uint8Array])[0]);

/** The packet in a message. */
function decoded({ Decoder }: AnyParser, message: Uint8Array): Packet {
  const packets: Packet[] = [];
  const decoder = new Decoder();
  decoder.on("decoded", (packet) => packets.push(packet));
  // The official parser reads binaries from buffers only.
  decoder.add(Buffer.from(message));
  expect(packets).toHaveLength(1);
  return packets[0] as Packet;
}

const [CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR] = [0, 1, 2, 3, 4];
const binary = Buffer.from([1, 2, 200]);
const nsp = "/gameplay";

const packets: Packet[] = [
  { type: CONNECT, nsp },
  { type: CONNECT, nsp, data: { sid: "abc" } },
  { type: DISCONNECT, nsp: "/" },
  { type: EVENT, nsp, data: ["i", binary] },
  { type: EVENT, nsp, data: ["s", binary, { a: [null, true, -5, 0.1, "é".repeat(40)] }] },
  { type: EVENT, data: ["quick", { game: "arena" }], id: 12, nsp: "/lobby" },
  { type: ACK, id: 70_000, data: [{ ok: true, seq: 2 ** 40 }], nsp: "/lobby" },
  { type: CONNECT_ERROR, nsp, data: { message: "bad_ticket: it is forged" } },
  { type: CONNECT_ERROR, nsp, data: "no" },
];

/** Binaries are `Buffer`s in the official parser. */
const plain = (packet: Packet): unknown =>
  Array.isArray(packet.data)
    ? { ...packet, data: packet.data.map((part) => (part instanceof Uint8Array ? [...part] : part)) }
    : packet;

test.each(packets)("%j has the same bytes in both parsers, and each reads the other's", (packet) => {
  expect([...encoded(ours, packet)]).toEqual([...encoded(theirs, packet)]);
  expect(plain(decoded(ours, encoded(theirs, packet)))).toEqual(plain(packet));
  expect(plain(decoded(theirs, encoded(ours, packet)))).toEqual(plain(packet));
});

test("the version is the official one", () => expect(protocol).toBe(official.protocol));

test("what the official parser sends as undefined is undefined", () => {
  const packet = { type: CONNECT, nsp, data: { sid: "abc", pid: undefined } };
  expect(decoded(ours, encoded(theirs, packet))).toStrictEqual(packet);
  expect(decoded(theirs, encoded(ours, packet))).toStrictEqual({ type: CONNECT, nsp, data: { sid: "abc" } });
});

test("the options of a packet are not sent", () => {
  const packet = { type: EVENT, nsp, data: ["i", binary] };
  const sent = { ...packet, options: { compress: true } };
  expect(encoded(ours, sent)).toEqual(encoded(theirs, packet));
  expect(sent.options).toEqual({ compress: true });
});

describe("both parsers refuse", () => {
  const wrong: [what: string, packet: object][] = [
    ["no type", { nsp }],
    ["a type that does not exist", { type: 5, nsp, data: [] }],
    ["a negative type", { type: -1, nsp, data: [] }],
    ["a type that is no integer", { type: 2.5, nsp, data: [] }],
    ["no namespace", { type: EVENT, data: ["e"] }],
    ["a namespace that is no text", { type: EVENT, nsp: 1, data: ["e"] }],
    ["a connection with an array", { type: CONNECT, nsp, data: [] }],
    ["a connection with a binary", { type: CONNECT, nsp, data: binary }],
    ["a connection with nil", { type: CONNECT, nsp, data: null }],
    ["a disconnection with data", { type: DISCONNECT, nsp, data: [] }],
    ["a refusal without a reason", { type: CONNECT_ERROR, nsp }],
    ["a refusal with an array", { type: CONNECT_ERROR, nsp, data: [] }],
    ["an event without arguments", { type: EVENT, nsp }],
    ["an event with an object", { type: EVENT, nsp, data: {} }],
    ["an acknowledgement of no integer", { type: ACK, nsp, data: [], id: "1" }],
    ["an array", [EVENT, nsp]],
  ];
  test.each(wrong)("%s", (_, packet) => {
    const message = encoded(ours, packet as Packet);
    for (const parser of [ours, theirs])
      expect(() => decoded(parser, Array.isArray(packet) ? Uint8Array.of(0x91, 2) : message)).toThrow(Error);
  });

  test.each([
    ["nothing", []],
    ["no value", [0xc1]],
    ["a packet that is cut off", [0x83, 0xa4]],
    ["a number", [0x05]],
  ])("%s", (_, message) => {
    for (const parser of [ours, theirs]) expect(() => decoded(parser, Uint8Array.from(message))).toThrow(Error);
  });
});

test("a listener that was removed hears nothing", () => {
  const decoder = new Decoder();
  const heard: Packet[] = [];
  const listener = (packet: Packet): void => void heard.push(packet);
  decoder.on("decoded", listener);
  decoder.off("decoded", listener);
  decoder.add(encoded(theirs, { type: EVENT, nsp, data: [] }));
  expect(heard).toEqual([]);
});
