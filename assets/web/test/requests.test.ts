// Requests of the player while the server is asked for another name: a connection has one name, so the one before is closed.

import { beforeEach, expect, test, vi } from "vitest";

/** A connection that notes what is asked of it. */
class Connection {
  readonly asked: string[] = [];
  readonly status = "ready";
  readonly session = { user: "U1" };
  readonly lobby = {
    party: {
      load: async () => this.#ask("load"),
      join: async (code: string) => this.#ask(`join ${code}`),
    },
    chat: { say: async (channel: string, text: string) => this.#ask(`say ${channel} ${text}`) },
    block: async (user: string) => this.#ask(`block ${user}`),
  };
  readonly matchmaking = { enqueue: async (game: string) => this.#ask(`enqueue ${game}`) };
  onStatus(): void {}
  close(): void {
    this.asked.push("close");
  }
  #ask(what: string): void {
    this.asked.push(what);
  }
}

let opened: ((connection: Connection) => void)[];

beforeEach(() => {
  opened = [];
  vi.resetModules();
  vi.stubGlobal("location", new URL("http://localhost:3000/"));
  vi.stubGlobal("history", { state: null });
  vi.stubGlobal("window", { addEventListener: () => undefined });
  vi.stubGlobal("navigator", { onLine: true });
  vi.doMock("../src/game_views.ts", () => ({ gameView: () => undefined }));
  vi.doMock("@tickcast/client", () => ({
    connect: () => new Promise((resolve) => opened.push(resolve)),
    TickcastError: class extends Error {},
  }));
});

async function named(): Promise<[Connection, Connection]> {
  const { rename, start } = await import("../src/state/session.ts");
  const [first, second] = [new Connection(), new Connection()];
  const started = start();
  await vi.waitFor(() => expect(opened).toHaveLength(1));
  opened[0]?.(first);
  await started;
  rename("Bob");
  await vi.waitFor(() => expect(opened).toHaveLength(2));
  return [first, second];
}

async function loaded() {
  const [party, chat, queue] = await Promise.all([
    import("../src/state/party.ts"),
    import("../src/state/chat.ts"),
    import("../src/state/queue.ts"),
  ]);
  return { party, chat, queue };
}

type Loaded = Awaited<ReturnType<typeof loaded>>;

test.each([
  ["a link to a party", ({ party }: Loaded) => party.join("ABC"), ["load", "join ABC"]],
  ["a line of the chat", ({ chat }: Loaded) => chat.say("lobby", "hi"), ["say lobby hi"]],
  ["a mute", ({ chat }: Loaded) => chat.mute("U2", "Eve"), ["block U2"]],
  ["the queue", ({ queue }: Loaded) => queue.enqueue("arena", "2v2"), ["enqueue arena"]],
])("%s waits for the connection that has the new name", async (_, act, expected) => {
  const states = await loaded();
  const [first, second] = await named();
  const acted = Promise.resolve(act(states)).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve));
  opened[1]?.(second);
  await acted;
  expect(first.asked).toEqual(["close"]);
  expect(second.asked).toEqual(expected);
});
