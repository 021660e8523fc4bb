// A room: the player's seat in a running match, with its state, inputs and events.

import { RoomCallbacks } from "./callbacks.js";
import type { Channel, SeatChannel } from "./channel.js";
import { listen, request } from "./channel.js";
import { unwrap16 } from "./clock.js";
import type { CommandLine } from "./commands.js";
import { type FrameError, PredictionError, refusal, TickcastError } from "./errors.js";
import type { Forecast } from "./forecast.js";
import { bytesOf, Inbox } from "./inbox.js";
import type { Inner } from "./inner.js";
import { keepInner } from "./inner.js";
import { encodeInput, Inputs } from "./input.js";
import { Lifeline } from "./lifeline.js";
import type { Unsubscribe } from "./listeners.js";
import type { Grant, Welcome } from "./messages.js";
import { OrderedEvents } from "./ordered.js";
import { Playback } from "./playback.js";
import type { PredictCode } from "./predict_later.js";
import { loadPredict, withPredict } from "./predict_later.js";
import type { Predictor } from "./predictor.js";
import type { Step } from "./rollback.js";
import { RoomCommands } from "./room_commands.js";
import { othersOf } from "./room_spawns.js";
import { type Schema, Schemas } from "./schema.js";
import type { Drawn, SpawnRule } from "./spawns.js";
import type { Took } from "./sync.js";
import { Sync } from "./sync.js";
import { TOOLS } from "./tools.js";
import type {
  AnyGame,
  ComponentName,
  ConfigOf,
  EntityOf,
  GameTypes,
  InputOf,
  Over,
  PredictOptions,
  Refused,
  RoomStats,
  RoomStatus,
  SeatInfo,
  StepOf,
  Viewed,
  Vote,
} from "./types.js";
import { Uplink } from "./uplink.js";
import { watchVisibility } from "./visibility.js";

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
export class Room<G extends GameTypes = AnyGame> extends RoomCommands<G> {
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
  readonly #uplink: Uplink;
  #predictor: Predictor | undefined;
  #avatar: number | undefined;
  readonly #renew: (() => Promise<Grant>) | undefined;
  #attempt = 0;
  #taken = 0;
  #seats: SeatInfo[];
  #status: RoomStatus = "playing";
  #welcome: Welcome;
  #resyncs = 0;
  readonly #lifeline: Lifeline;
  readonly #stopWatching: () => void;
  readonly #stopListening: () => void;
  readonly #ordered = new OrderedEvents();
  readonly #inbox = new Inbox(this.#ordered, (frame) => this.#takeFrame(frame));
  readonly #handlers: Record<string, (argument: any) => void>;
  readonly #inner: Inner;

  /** The lobby and matchmaking create rooms. */
  constructor(seatChannel: SeatChannel, welcome: Welcome, { code, team, mode, renew }: Partial<Grant> = {}) {
    const schemas = new Schemas(welcome.schema);
    super(new RoomCallbacks(schemas));
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
    this.#welcome = welcome;
    this.#seatChannel = seatChannel;
    this.#channel = seatChannel.channel;
    this.#schemas = schemas;
    this.#playback = new Playback(this.#schemas, welcome.hz, { late: this.spectating, seat: welcome.seat });
    this.#sync = this.#newSync();
    // The server ignores what spectators send, so they send nothing.
    this.#uplink = new Uplink(seatChannel, { now, isOpen: () => this.#status === "playing" && !this.spectating });
    this.#inputs = new Inputs(this.#schemas.input, welcome.hz, {
      now,
      aim: () => this.#playback.aim(now()),
      send: (seq, tick, row) => {
        const behind = this.#playback.behind(now(), tick, this.#predictor?.time);
        const sent = this.#uplink.send(encodeInput(this.tick, { seq, tick, row, behind }));
        if (sent) this.#predictor?.sent(seq, tick, row);
        return sent;
      },
    });
    this.#handlers = this.#makeHandlers();
    this.#stopListening = listen(this.#channel, this.#handlers);
    this.#inner = { channel: this.#channel, schemas, handlers: this.#handlers, draws: true };
    keepInner(this, this.#inner);
    this.#channel.auth = (give) => this.#authenticate(give);
    this.#lifeline = new Lifeline(seatChannel, {
      status: () => this.#status,
      // Each input is answered by a frame. Otherwise frames come as the game's schema says.
      flush: () => this.#inputs.flush(),
      isFrameDue: () => !schemas.schema.onInput || this.#inputs.seq !== this.#taken,
      expired: (message) => this.#end({ reason: "expired", message, winners: [] }),
      rtt: () => this.#playback.rtt,
      canMove: !this.spectating,
    });
    this.#stopWatching = watchVisibility((visible) => this.#seen(visible));
    this.#begin(welcome);
    // The program gets the room in a microtask. Listeners that it adds before the next task miss nothing.
    const failed = (error: FrameError): void => this.callbacks.fault.notify(error);
    setTimeout(() => void this.#inbox.open(welcome.schema, failed), 0);
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
    const { rtt, jitter, delay, lead, margin, underruns } = this.#playback;
    const { frames, bytes } = this.#inbox;
    const counts = { frames, bytes, resyncs: this.#resyncs, underruns };
    return { rtt, jitter, delay, lead, margin, ...counts, prediction: this.#predictor?.stats };
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
    const samples = this.#playback.view(now(), components);
    if (this.#inner.draws) this.#predictor?.draw(samples, components);
    return samples as unknown as Viewed<G, C>[];
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
    const sample = this.#playback.owned(now(), components, this.seat, avatar);
    if (sample && this.#inner.draws) this.#predictor?.draw([sample], components);
    return sample as unknown as Viewed<G, C> | undefined;
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
    if (this.#status === "over" || this.spectating) return;
    if (this.#predictor) this.#predictor.steer(() => this.#inputs.offer(input));
    else this.#inputs.offer(input);
  }

  /**
   * Draws the player's own avatar where it will be, so that it answers to the input at once. `step` makes one tick of the game's
   * rules with these components, and nothing else. `view` and `me` then have its values, and the server's state still decides:
   * where it differs, the picture slides there. A second call replaces the first. Returns a function that ends it. Throws a
   * `TypeError` for a component that the game does not have.
   *
   * @example
   * ```ts
   * room.predict(["Pos", "Aim"], (me, input, { dt }) => {
   *   me.Pos.at.x += SPEED * dt * DIRECTIONS[input.dir].x;
   *   me.Aim = input.aim;
   * }, { snap: 3 });
   * ```
   */
  predict<C extends ComponentName<G>>(
    components: C[],
    step: StepOf<G, C>,
    { snap = Infinity }: PredictOptions = {},
  ): Unsubscribe {
    for (const name of components) this.#schemas.id(name);
    return this.#draw(
      ({ Rollback }) => new Rollback(this.#schemas, components, step as unknown as Step, this.config),
      snap,
    );
  }

  /**
   * Predicts as `predict` does, with the game's own rules: the WebAssembly module that `tickcast::predictor!` builds. Without an
   * argument it is the one that the server has for this match; otherwise it comes from an address or from bytes. The match goes on
   * while it is loaded. Throws an `Error` if there is no such module, or if it is not one of this game and version.
   */
  async predictWith(module?: string | URL | BufferSource): Promise<Unsubscribe> {
    const { loadRules, RulesModule, rulesOf } = await loadPredict();
    const rules = await loadRules(module ?? this.#seatChannel.address(rulesOf(this.game, this.#welcome.rules)));
    if (this.#status === "over") return () => undefined;
    const match = { seat: this.seat, teams: this.#welcome.teams, config: this.config };
    const forecast = new RulesModule(rules, this.#schemas, match);
    return this.#draw(() => forecast, Infinity);
  }

  /** Votes to remove another player. More than half of the other players have to do so within 30 s. */
  async voteKick(seat: number): Promise<void> {
    await request(this.#channel, RETRY_MS, "votekick", { seat });
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

  protected spawned(rule: SpawnRule): readonly Drawn[] {
    const tick = this.#playback.moment(now());
    const others = othersOf(rule, this.#playback.view(now(), rule.components), tick);
    const own = this.#inner.draws ? this.#predictor : undefined;
    return own?.spawned(rule, others, tick) ?? others;
  }

  /** Draws a forecast once the code of prediction is loaded. */
  #draw(make: (code: PredictCode) => Forecast, snap: number): Unsubscribe {
    let stop: Unsubscribe | undefined;
    let wanted = true;
    const start = (code: PredictCode): void => {
      if (!wanted || this.#status === "over") return;
      this.#predictor?.stop();
      const [schemas, playback, inputs] = [this.#schemas, this.#playback, this.#inputs];
      const failed = (cause: unknown): void => this.#notPredicted("a step failed", cause);
      const parts = { now, seat: this.seat, schemas, mirror: this.#sync.mirror, playback, inputs, failed };
      const predictor = new code.Predictor(parts, make(code), snap);
      this.#predictor = predictor;
      stop = () => predictor.stop();
    };
    withPredict(start, (cause) => this.#notPredicted("prediction cannot be loaded", cause));
    return () => {
      wanted = false;
      stop?.();
    };
  }

  #notPredicted(what: string, cause: unknown): void {
    this.callbacks.fault.notify(new PredictionError(what, cause));
  }

  /** While nobody sees the page, the input rests. When it is seen again, old measurements mean nothing. */
  #seen(visible: boolean): void {
    if (visible) {
      this.#predictor?.suspend();
      this.#playback.renew(now(), this.tick);
    } else {
      this.#inputs.rest();
    }
  }

  #newSync(): Sync {
    return new Sync(this.#schemas, {
      now,
      resync: (why) => {
        this.#resyncs += 1;
        // A failed request needs no handling: the next frame that does not fit asks again.
        request(this.#channel, RETRY_MS, "resync", why).catch(() => undefined);
      },
      desynced: (desync) => this.callbacks.desync.notify(desync),
      fault: (error) => this.callbacks.fault.notify(error),
    });
  }

  #makeHandlers(): Record<string, (argument: any) => void> {
    return {
      welcome: this.#ordered.wrap((welcome: Welcome) => this.#begin(welcome)),
      s: this.#ordered.wrap((binary: unknown) => this.#receiveFrame(binary)),
      e: this.#ordered.wrap((binary: unknown) => this.callbacks.notifyEvents(bytesOf(binary))),
      seats: this.#ordered.wrap((seats: SeatInfo[]) => {
        this.#seats = seats;
        this.callbacks.seats.notify(seats);
      }),
      refused: this.#ordered.wrap((refused: Refused) => {
        // The server may have an older input than this client assumes.
        this.#inputs.repeat();
        this.callbacks.refused.notify(refused);
      }),
      vote: this.#ordered.wrap((vote: Vote) => this.callbacks.vote.notify(vote)),
      over: this.#ordered.wrap((over: Over) => this.#end(over)),
      disconnect: this.#ordered.wrap((reason: string) => this.#connectionLost(reason)),
      connect_error: (error: Error) => this.#lifeline.refused(refusal(error)),
    };
  }

  /** Sends what a reconnection needs: the resume token of the seat, or for spectators a new ticket from the lobby. */
  #authenticate(give: (auth: object) => void): void {
    const attempt = ++this.#attempt;
    if (!this.spectating) {
      const [{ resume }, { tick }] = [this.#welcome, this.#sync.mirror];
      give(tick === undefined ? { resume } : { resume, tick });
    } else if (this.#renew) {
      this.#renew().then(
        // The connection may have dropped again, and another attempt may be under way.
        ({ ticket }) => attempt === this.#attempt && this.#status === "reconnecting" && give({ ticket }),
        (error: TickcastError) => attempt === this.#attempt && this.#lifeline.refused(error),
      );
    } else {
      this.#lifeline.refused(new TickcastError("ticket_used", "spectating again needs another ticket"));
    }
  }

  #begin(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#seats = welcome.seats;
    this.#lifeline.heard();
    this.#sync.begin(welcome.state);
    this.#playback.restart(now(), welcome.tick);
    this.#predictor?.restart();
    this.#setStatus("playing");
    this.#inputs.repeat();
    this.#askTime();
  }

  #receiveFrame(binary: unknown): void {
    if (this.#status === "over") return;
    this.#lifeline.heard();
    this.#inbox.receive(binary);
  }

  #takeFrame(bytes: Uint8Array | FrameError): void {
    if (this.#status === "over") return;
    const took = this.#sync.take(bytes);
    if (took) this.#timed(took);
    if (took?.applied) this.callbacks.notifyApplied(took.applied);
    // Frames trigger periodic work, because browsers throttle the timers of hidden pages but not their sockets.
    this.#askTime();
    this.#inputs.flush();
    this.#uplink.took(this.tick);
  }

  #timed({ frame, applied }: Took): void {
    const { seq } = this.#inputs;
    const taken = (this.#taken = unwrap16(frame.ack, seq));
    this.#playback.arrived(now(), frame, { seq, taken, behind: this.#predictor?.behind(taken) ?? 0 });
    if (!applied) return;
    this.#playback.record(applied);
    this.#predictor?.take(frame, taken);
    const { avatar } = this.#sync.mirror;
    // A new avatar gets only inputs that come later.
    if (avatar !== undefined && avatar !== this.#avatar) this.#inputs.repeat();
    this.#avatar = avatar ?? this.#avatar;
  }

  protected override commandLine(): CommandLine {
    return { room: this, seatChannel: this.#seatChannel, newest: this.#welcome.commands ?? 0, tools: TOOLS };
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

  #connectionLost(reason: string): void {
    if (this.#status === "over") return;
    this.#predictor?.suspend();
    this.#setStatus("reconnecting");
    this.#lifeline.lost(reason);
  }

  #setStatus(status: RoomStatus, over?: Over): void {
    if (this.#status === status || this.#status === "over") return;
    this.#status = status;
    this.callbacks.status.notify(status, over);
  }

  #end(over: Over): void {
    if (this.#status === "over") return;
    this.#setStatus("over", over);
    this.#ordered.stop();
    this.#predictor?.stop();
    this.#inputs.stop();
    this.#stopWatching();
    this.#lifeline.stop();
    this.#stopListening();
    this.#seatChannel.release();
    this.callbacks.over.notify(over);
  }
}

const now = (): number => performance.now();
