// A room: the player's seat in a running match, with its state, inputs and events.

import { fromWire, toWire } from "./binary.js";
import { RoomCallbacks } from "./callbacks.js";
import type { Channel, SeatChannel } from "./channel.js";
import { request } from "./channel.js";
import { FrameError, isTemporary, refusal, TickcastError } from "./errors.js";
import { decodeEvents } from "./frame.js";
import { inflate, isDeflated } from "./inflate.js";
import { encodeInput, Inputs } from "./input.js";
import type { Unsubscribe } from "./listeners.js";
import type { Grant, Welcome } from "./messages.js";
import type { Entity } from "./mirror.js";
import { OrderedEvents } from "./ordered.js";
import { Playback } from "./playback.js";
import type { Schema } from "./schema.js";
import { Schemas } from "./schema.js";
import { Sync } from "./sync.js";
import type {
  AnyGame,
  ComponentName,
  ConfigOf,
  Desync,
  EntityOf,
  EventName,
  GameTypes,
  InputOf,
  Over,
  Refused,
  RoomStats,
  RoomStatus,
  SeatInfo,
  Viewed,
  Vote,
} from "./types.js";

/** The longest time and the most frames without an acknowledgement, by which the server bounds what is in flight. */
const KEEP_ALIVE_MS = 500;
const ACK_FRAMES = 4;
/** Seconds without a frame after which the transport counts as dead. The server sends at least one frame per second. */
const SILENT_S = 4;
const RETRY_MS = 1_000;
const LEAVE_MS = 2_000;

/**
 * The player's seat in a running match.
 *
 * `G` is the game's types, which the server prints with `--print-types <game>` and serves at `/schema/<game>.d.ts`.
 * Without them every name is accepted and every value is `any`.
 *
 * @example
 * ```ts
 * const room = await server.lobby.quick<Arena>("arena");
 * room.on("Hit", (hit) => flash(hit.at));
 * room.onOver(({ reason, winners }) => showResult(reason, winners.includes(room.seat)));
 * // For each picture:
 * room.input({ dir, aim, fire });
 * for (const { id, Pos, Hp } of room.view("Pos", "Hp")) sprite(id, Pos.at, Hp);
 * ```
 */
export class Room<G extends GameTypes = AnyGame> {
  /** The id of the room, by which others can join or spectate. */
  readonly id: string;
  /** The name of the game. */
  readonly game: string;
  /** The player's seat, from 1. Spectators have seat 0. */
  readonly seat: number;
  /** Ticks per second. */
  readonly hz: number;
  /** The components, events and input of the game. */
  readonly schema: Schema;
  /** The configuration of the match. */
  readonly config: ConfigOf<G>;
  /** The code of a private room that this client created or joined by code. */
  readonly code: string | undefined;
  /** The player's team, from 1, in a match of teams that the matchmaker formed. */
  readonly team: number | undefined;
  /** The mode of the match, if the matchmaker formed it. */
  readonly mode: string | undefined;
  /** How long the seat is kept after a lost connection, in seconds. */
  readonly grace: number;

  readonly #seatChannel: SeatChannel;
  readonly #channel: Channel;
  readonly #schemas: Schemas;
  readonly #sync: Sync;
  readonly #playback: Playback;
  readonly #inputs: Inputs;
  readonly #renew: (() => Promise<Grant>) | undefined;
  #attempt = 0;
  #seats: SeatInfo[];
  #status: RoomStatus = "playing";
  #resume: string;
  #sentAt = -Infinity;
  #unacked = 0;
  #frames = 0;
  #bytes = 0;
  #resyncs = 0;
  #silent = 0;
  readonly #silenceCheck: ReturnType<typeof setInterval>;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #callbacks: RoomCallbacks;
  readonly #ordered = new OrderedEvents();
  readonly #handlers: Record<string, (...args: never[]) => void>;

  /** The lobby and matchmaking create rooms. */
  constructor(seatChannel: SeatChannel, welcome: Welcome, { code, team, mode, renew }: Partial<Grant> = {}) {
    this.id = welcome.room;
    this.game = welcome.game;
    this.seat = welcome.seat;
    this.hz = welcome.hz;
    this.schema = welcome.schema;
    this.config = welcome.config as ConfigOf<G>;
    this.code = code;
    this.team = team;
    this.mode = mode;
    this.grace = welcome.grace;
    this.#renew = renew;
    this.#seats = welcome.seats;
    this.#resume = welcome.resume;
    this.#seatChannel = seatChannel;
    this.#channel = seatChannel.channel;
    this.#schemas = new Schemas(welcome.schema);
    this.#callbacks = new RoomCallbacks(this.#schemas);
    this.#playback = new Playback(this.#schemas, welcome.hz, { late: this.spectating });
    this.#sync = this.#newSync();
    this.#inputs = new Inputs(this.#schemas.input, welcome.hz, {
      now,
      aim: () => this.#playback.aim(now()),
      send: (seq, tick, row) => this.#send(encodeInput(this.tick, { seq, tick, row })),
    });
    this.#handlers = this.#makeHandlers();
    for (const [event, handler] of Object.entries(this.#handlers)) this.#channel.on(event, handler as () => void);
    this.#channel.auth = (give) => this.#authenticate(give);
    this.#silenceCheck = setInterval(() => this.#checkSilence(), 1_000);
    this.#begin(welcome);
    // The program gets the room in a microtask. Listeners that it adds before the next task miss nothing.
    setTimeout(() => this.#ordered.resume(), 0);
  }

  /** The tick of the newest known state; 0 before the first frame. */
  get tick(): number {
    return this.#sync.mirror.tick ?? 0;
  }

  /** The seats that are taken. */
  get seats(): readonly SeatInfo[] {
    return this.#seats;
  }

  /** Whether the player is a spectator, without a seat of their own. */
  get spectating(): boolean {
    return this.seat === 0;
  }

  /** `playing`, `reconnecting` after a lost connection, or `over`. */
  get status(): RoomStatus {
    return this.#status;
  }

  /** The estimated time of the server, in ticks. */
  get serverTick(): number {
    return this.#playback.serverTick(now());
  }

  /** Measurements of the connection. */
  get stats(): RoomStats {
    const { rtt, delay, lead } = this.#playback;
    return { rtt, delay, lead, frames: this.#frames, bytes: this.#bytes, resyncs: this.#resyncs };
  }

  /** The entities of the newest known state, not interpolated. */
  get entities(): IterableIterator<EntityOf<G>> {
    return this.#sync.mirror.entities.values() as unknown as IterableIterator<EntityOf<G>>;
  }

  /** An entity of the newest known state, not interpolated. */
  get(id: number): EntityOf<G> | undefined {
    return this.#sync.mirror.entities.get(id) as unknown as EntityOf<G> | undefined;
  }

  /**
   * The entities that have all of these components, as they should be drawn now. The picture is slightly in the past, so
   * that movement is smooth: floats, angles and vectors are interpolated, other values change at their tick. Throws a
   * `TypeError` for a component that the game does not have.
   *
   * @example
   * ```ts
   * for (const { id, Pos, Hp } of room.view("Pos", "Hp")) sprite(id, Pos.at, Hp);
   * ```
   */
  view<C extends ComponentName<G>>(...components: C[]): Viewed<G, C>[] {
    return this.#playback.view(now(), components) as unknown as Viewed<G, C>[];
  }

  /**
   * The player's own entity, interpolated like those of `view`: the avatar, to which the inputs go. If it does not have
   * these components, another entity that has them and whose `Seat` is this seat. `undefined` if there is none, for
   * example before a respawn.
   *
   * @example
   * ```ts
   * const me = room.me("Pos", "Ammo");
   * if (me) camera.follow(me.Pos.at);
   * ```
   */
  me<C extends ComponentName<G>>(...components: C[]): Viewed<G, C> | undefined {
    const { avatar } = this.#sync.mirror;
    return this.#playback.owned(now(), components, this.seat, avatar) as unknown as Viewed<G, C> | undefined;
  }

  /**
   * Sets the player's input. Call it as often as you like: it is sent when it changes, at most once per tick. Fields that
   * are omitted keep their value. A one-shot field that is set is sent exactly once, even if the next call comes before
   * it was sent. Throws a `TypeError` that names the field if a value does not fit. Does nothing for spectators.
   *
   * @example
   * ```ts
   * addEventListener("pointermove", (event) => room.input({ aim: angleTo(event) }));
   * addEventListener("pointerdown", () => room.input({ fire: true }));
   * ```
   */
  input(input: InputOf<G>): void {
    if (this.#status !== "over" && !this.spectating) this.#inputs.offer(input);
  }

  /**
   * Calls back with each game event of this name, and its tick.
   *
   * @example
   * ```ts
   * const stop = room.on("Hit", ({ at, victim }, tick) => flash(at, victim === room.seat));
   * ```
   */
  on<E extends EventName<G>>(event: E, callback: (value: G["events"][E], tick: number) => void): Unsubscribe {
    return this.#callbacks.event(event).add(callback as (value: unknown, tick: number) => void);
  }

  /** Calls back with each new entity, or one that comes into view. Its components are set by then. */
  onSpawn(callback: (entity: EntityOf<G>) => void): Unsubscribe {
    return this.#callbacks.spawn.add(callback as unknown as (entity: Entity) => void);
  }

  /** Calls back with the last state of each entity that is gone, or out of view. */
  onDespawn(callback: (entity: EntityOf<G>) => void): Unsubscribe {
    return this.#callbacks.despawn.add(callback as unknown as (entity: Entity) => void);
  }

  /** Calls back when an entity gets the component, also as a new entity, and when the value changes. */
  onChange<C extends ComponentName<G>>(
    component: C,
    callback: (entity: EntityOf<G>, value: G["components"][C]) => void,
  ): Unsubscribe {
    return this.#callbacks.change(component).add(callback as unknown as (entity: Entity, value: unknown) => void);
  }

  /** Calls back when an entity loses the component and continues to exist. */
  onRemove<C extends ComponentName<G>>(component: C, callback: (entity: EntityOf<G>) => void): Unsubscribe {
    return this.#callbacks.remove(component).add(callback as unknown as (entity: Entity) => void);
  }

  /** Calls back after each frame, when all other callbacks for it have run. */
  onFrame(callback: (tick: number) => void): Unsubscribe {
    return this.#callbacks.frame.add(callback);
  }

  /** Calls back with all taken seats when one of them changes. */
  onSeats(callback: (seats: readonly SeatInfo[]) => void): Unsubscribe {
    return this.#callbacks.seats.add(callback);
  }

  /**
   * Calls back on every change of `status`. With `over`, the second argument says how the room ended.
   *
   * @example
   * ```ts
   * room.onStatus((status, over) => {
   *   spinner.hidden = status !== "reconnecting";
   *   if (status === "over") showResult(over?.reason, over?.winners);
   * });
   * ```
   */
  onStatus(callback: (status: RoomStatus, over?: Over) => void): Unsubscribe {
    return this.#callbacks.status.add(callback);
  }

  /** Calls back when the server has refused inputs. */
  onRefused(callback: (refused: Refused) => void): Unsubscribe {
    return this.#callbacks.refused.add(callback);
  }

  /** Calls back when a vote to remove a player opens, gains votes, or ends. */
  onVote(callback: (vote: Vote) => void): Unsubscribe {
    return this.#callbacks.vote.add(callback);
  }

  /** Votes to remove another player. More than half of the other players have to do so within 30 s. */
  async voteKick(seat: number): Promise<void> {
    await request(this.#channel, RETRY_MS, "votekick", { seat });
  }

  /** Calls back once, when the room has ended for this player. */
  onOver(callback: (over: Over) => void): Unsubscribe {
    return this.#callbacks.over.add(callback);
  }

  /** Calls back when a checksum showed that the local state was wrong. It has been corrected by then. */
  onDesync(callback: (desync: Desync) => void): Unsubscribe {
    return this.#callbacks.desync.add(callback);
  }

  /** Calls back when bytes from the server could not be read. The room recovers by itself. */
  onFault(callback: (error: FrameError) => void): Unsubscribe {
    return this.#callbacks.fault.add(callback);
  }

  /**
   * Gives up the seat and ends the room for this player. Resolves once the server has confirmed it, or after 2 s.
   *
   * @example
   * ```ts
   * leaveButton.onclick = () => room.leave().then(showLobby);
   * ```
   */
  async leave(): Promise<void> {
    if (this.#status === "over") return;
    // Without an answer, the server gives up the seat after the grace time.
    if (this.#channel.connected) await request(this.#channel, LEAVE_MS, "leave").catch(() => undefined);
    this.#end({ reason: "left", message: "", winners: [] });
  }

  #newSync(): Sync {
    return new Sync(this.#schemas, {
      now,
      resync: (why) => {
        this.#resyncs += 1;
        // A failed request needs no handling: the next frame that does not fit asks again.
        request(this.#channel, RETRY_MS, "resync", why).catch(() => undefined);
      },
      desynced: (desync) => this.#callbacks.desync.notify(desync),
      fault: (error) => this.#callbacks.fault.notify(error),
    });
  }

  #makeHandlers(): Record<string, (...args: never[]) => void> {
    return {
      welcome: this.#ordered.wrap((welcome: Welcome) => this.#begin(welcome)),
      s: this.#ordered.wrap((binary: unknown) => this.#receiveFrame(binary)),
      e: this.#ordered.wrap((binary: unknown) => this.#receiveEvents(binary)),
      seats: this.#ordered.wrap((seats: SeatInfo[]) => {
        this.#seats = seats;
        this.#callbacks.seats.notify(seats);
      }),
      refused: this.#ordered.wrap((refused: Refused) => {
        // The server may have an older input than this client assumes.
        this.#inputs.repeat();
        this.#callbacks.refused.notify(refused);
      }),
      vote: this.#ordered.wrap((vote: Vote) => this.#callbacks.vote.notify(vote)),
      over: this.#ordered.wrap((over: Over) => this.#end(over)),
      disconnect: this.#ordered.wrap((reason: string) => this.#connectionLost(reason)),
      connect_error: (error: Error) => this.#connectionRefused(refusal(error)),
    };
  }

  /** Sends what a reconnection needs: the resume token of the seat, or for spectators a new ticket from the lobby. */
  #authenticate(give: (auth: object) => void): void {
    const attempt = ++this.#attempt;
    if (!this.spectating) {
      const { tick } = this.#sync.mirror;
      give(tick === undefined ? { resume: this.#resume } : { resume: this.#resume, tick });
    } else if (this.#renew) {
      this.#renew().then(
        // The connection may have dropped again, and another attempt may be under way.
        ({ ticket }) => attempt === this.#attempt && this.#status === "reconnecting" && give({ ticket }),
        (error: TickcastError) => attempt === this.#attempt && this.#connectionRefused(error),
      );
    } else {
      this.#connectionRefused(new TickcastError("ticket_used", "spectating again needs another ticket"));
    }
  }

  #begin(welcome: Welcome): void {
    this.#resume = welcome.resume;
    this.#seats = welcome.seats;
    this.#silent = 0;
    this.#sync.begin(welcome.state);
    this.#playback.restart(now(), welcome.tick);
    this.#setStatus("playing");
    this.#inputs.repeat();
    this.#askTime();
  }

  #receiveFrame(binary: unknown): void {
    if (this.#status === "over") return;
    this.#silent = 0;
    this.#frames += 1;
    const bytes = fromWire(binary) ?? new Uint8Array();
    this.#bytes += bytes.length;
    if (isDeflated(bytes)) this.#inflate(bytes);
    else this.#takeFrame(bytes);
  }

  /** Defers all later events: diffs need the snapshot, and game events come before the frame of their tick. */
  #inflate(bytes: Uint8Array): void {
    this.#ordered.pause();
    const done = (frame: Uint8Array | FrameError): void => {
      if (this.#status === "over") return;
      this.#takeFrame(frame);
      this.#ordered.resume();
    };
    void inflate(bytes).then(done, done);
  }

  #takeFrame(bytes: Uint8Array | FrameError): void {
    const took = this.#sync.take(bytes);
    if (took) this.#playback.arrived(now(), took.frame, this.#inputs.seq);
    if (took?.applied) {
      this.#playback.record(took.applied);
      this.#callbacks.notifyApplied(took.applied);
    }
    // Frames trigger periodic work, because browsers throttle the timers of hidden pages but not their sockets.
    this.#askTime();
    this.#unacked += 1;
    if (this.#unacked >= ACK_FRAMES || now() - this.#sentAt >= KEEP_ALIVE_MS) this.#send(encodeInput(this.tick));
  }

  #receiveEvents(binary: unknown): void {
    try {
      const { tick, events } = decodeEvents(fromWire(binary) ?? new Uint8Array(), this.#schemas);
      for (const { name, value } of events) this.#callbacks.notifyEvent(name, value, tick);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#callbacks.fault.notify(error);
    }
  }

  /** Sends an input or an acknowledgement. The server ignores those of spectators, so they send none. */
  #send(bytes: Uint8Array): boolean {
    if (this.spectating || !this.#channel.connected || this.#status !== "playing") return false;
    this.#channel.emit("i", toWire(bytes));
    this.#sentAt = now();
    this.#unacked = 0;
    return true;
  }

  #askTime(): void {
    const sent = now();
    if (!this.#channel.connected || !this.#playback.timeIsDue(sent)) return;
    request<{ tick: number }>(this.#channel, this.#seatChannel.timeout, "t").then(
      ({ tick }) => this.#playback.timeTold(sent, now(), tick, this.#inputs.seq),
      // The next request will do.
      () => undefined,
    );
  }

  #checkSilence(): void {
    if (this.#status !== "playing" || ++this.#silent < SILENT_S) return;
    this.#silent = 0;
    this.#seatChannel.cut();
  }

  #connectionLost(reason: string): void {
    if (this.#status === "over") return;
    this.#setStatus("reconnecting");
    // Socket.IO restores a lost transport, but not a namespace that the server has closed.
    if (reason === "io server disconnect") this.#reconnectSoon();
  }

  #connectionRefused(refused: TickcastError | undefined): void {
    if (!refused || this.#status === "over") return;
    if (isTemporary(refused)) this.#reconnectSoon();
    else this.#end({ reason: "expired", message: refused.message, winners: [] });
  }

  #reconnectSoon(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#channel.connect(), RETRY_MS);
  }

  #setStatus(status: RoomStatus, over?: Over): void {
    if (this.#status === status || this.#status === "over") return;
    this.#status = status;
    this.#callbacks.status.notify(status, over);
  }

  #end(over: Over): void {
    if (this.#status === "over") return;
    this.#setStatus("over", over);
    this.#ordered.stop();
    this.#inputs.stop();
    clearInterval(this.#silenceCheck);
    clearTimeout(this.#retry);
    for (const [event, handler] of Object.entries(this.#handlers)) this.#channel.off(event, handler as () => void);
    this.#seatChannel.release();
    this.#callbacks.over.notify(over);
  }
}

function now(): number {
  return performance.now();
}
