import { decode } from "@msgpack/msgpack";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { encodeInput, Inputs } from "../src/input.js";
import { schemas } from "./support.js";

const codec = schemas.input;

describe("an input's columns", () => {
  const cases: [value: object, row: number[]][] = [
    [{ dir: "N", aim: 0, speed: 0, fire: false }, [2, 0, 0, 0]],
    [{ dir: "None", aim: Math.PI, speed: 0.5, fire: true }, [0, 128, 2, 1]],
    [{ dir: "E", aim: -Math.PI / 2, speed: -0.5, fire: false }, [1, 192, -2, 0]],
    [{ aim: 2 * Math.PI - 0.001 }, [0, 0, 0, 0]],
    [{ aim: -Math.PI / 256 }, [0, 0, 0, 0]],
    [{ speed: 99 }, [0, 0, 4, 0]],
    [{ speed: -0.125 }, [0, 0, -1, 0]],
    [{ speed: 0.01 }, [0, 0, 0, 0]],
  ];
  test.each(cases)("%j", (value, row) => expect(codec.write(value, codec.blank())).toEqual(row));

  test("keep omitted fields, except for one-shots", () => {
    expect(codec.write({ dir: "E" }, [2, 7, 3, 1])).toEqual([1, 7, 3, 0]);
  });

  const wrong: [value: object, message: string][] = [
    [{ dir: "W" }, "Pad.dir: W is not one of None, E, N"],
    [{ aim: NaN }, "Pad.aim: NaN is not a finite number"],
    [{ speed: "1" }, "Pad.speed: 1 is not a finite number"],
  ];
  test.each(wrong)("are refused for %j", (value, message) => {
    expect(() => codec.write(value, codec.blank())).toThrow(new TypeError(message));
  });
});

test("an input and an acknowledgement have the documented bytes", () => {
  expect(decode(encodeInput(0x1_0005))).toEqual([5]);
  expect(decode(encodeInput(7, { seq: 70_000, tick: 12, row: [2, 0, -3, 1] }))).toEqual([7, 70_000, 12, 2, 0, -3, 1]);
  const behind = encodeInput(7, { seq: 1, tick: 12, row: [2, 0, -3, 1], behind: 45 });
  expect(decode(behind)).toEqual([7, 1, 12, 2, 0, -3, 1, 45]);
});

describe("sending", () => {
  let connected = true;
  let aim = 100;
  let sent: { seq: number; tick: number; row: number[] }[] = [];
  let inputs: Inputs;

  beforeEach(() => {
    vi.useFakeTimers();
    connected = true;
    aim = 100;
    sent = [];
    inputs = new Inputs(codec, 20, {
      now: () => performance.now(),
      aim: () => aim,
      send: (seq, tick, row) => {
        if (connected) sent.push({ seq, tick, row: [...row] });
        return connected;
      },
    });
  });
  afterEach(() => void vi.useRealTimers());

  const rows = (): number[][] => sent.map(({ row }) => row);

  test("happens at once, and only on a change", () => {
    inputs.offer({ dir: "E" });
    expect(sent).toEqual([{ seq: 1, tick: 100, row: [1, 0, 0, 0] }]);
    vi.advanceTimersByTime(500);
    inputs.offer({ dir: "E" });
    vi.advanceTimersByTime(500);
    expect(sent).toHaveLength(1);
  });

  test("happens at most once per tick, with the newest value", () => {
    for (const dir of ["E", "N", "E", "N"]) inputs.offer({ dir });
    expect(rows()).toEqual([[1, 0, 0, 0]]);
    vi.advanceTimersByTime(60);
    expect(rows()).toEqual([
      [1, 0, 0, 0],
      [2, 0, 0, 0],
    ]);
  });

  test("does not lose a one-shot that was cleared before it was sent", () => {
    inputs.offer({ dir: "E" });
    inputs.offer({ dir: "E", fire: true });
    inputs.offer({ dir: "E", fire: false });
    vi.advanceTimersByTime(60);
    expect(rows()).toEqual([
      [1, 0, 0, 0],
      [1, 0, 0, 1],
    ]);
    vi.advanceTimersByTime(500);
    expect(sent).toHaveLength(2);
  });

  test("repeats a one-shot that is set again", () => {
    for (let n = 0; n < 3; n++) {
      inputs.offer({ fire: true });
      vi.advanceTimersByTime(50);
    }
    expect(rows()).toEqual([
      [0, 0, 0, 1],
      [0, 0, 0, 1],
      [0, 0, 0, 1],
    ]);
  });

  test("gives each input a tick of its own", () => {
    inputs.offer({ fire: true });
    vi.advanceTimersByTime(50);
    inputs.offer({ fire: true });
    expect(sent.map(({ tick }) => tick)).toEqual([100, 101]);
  });

  test("follows the clock back after a large correction", () => {
    inputs.offer({ fire: true });
    vi.advanceTimersByTime(50);
    aim = 40;
    inputs.offer({ fire: true });
    expect(sent.map(({ tick }) => tick)).toEqual([100, 40]);
  });

  test("waits for a connection, then sends the current input", () => {
    connected = false;
    inputs.offer({ dir: "E", fire: true });
    connected = true;
    inputs.repeat();
    expect(sent).toEqual([{ seq: 1, tick: 100, row: [1, 0, 0, 1] }]);
    vi.advanceTimersByTime(50);
    inputs.repeat();
    expect(sent[1]).toEqual({ seq: 2, tick: 101, row: [1, 0, 0, 0] });
  });

  test("sends nothing before the first input", () => {
    inputs.repeat();
    vi.advanceTimersByTime(500);
    expect(sent).toEqual([]);
  });
});
