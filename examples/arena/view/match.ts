// A match of Arena in the browser: draws the state of the room, and sends the player's input.

import type { Room, Spawned } from "@tickcast/client";
import type { Choices, Mounted, Stage } from "@tickcast/web/view";
import { type Avatar, drawAvatar, drawLabel, type Look } from "./avatars.ts";
import { Camera } from "./camera.ts";
import { tellApart } from "./colours.ts";
import { Flights, type Hit } from "./flights.ts";
import { type Ground, ground, type Vec } from "./ground.ts";
import { Hint } from "./hint.ts";
import { Hud, type Score, type TeamScore, table } from "./hud.ts";
import { drawArrows, Markers } from "./markers.ts";
import { Mute } from "./mute.ts";
import { drawMinimap, drawReticle, drawThumbs } from "./overlay.ts";
import { Pad } from "./pad.ts";
import { Scenery } from "./scenery.ts";
import { burst, drawShots, end, isVisible, muzzle } from "./shots.ts";
import { Sound } from "./sound.ts";
import { Sparks } from "./sparks.ts";
import { STEPPED, stepOn } from "./step.ts";
import type { Arena as Types } from "./types.d.ts";

/** The generated types, with the configuration. */
interface Arena extends Types {
  config: { frag_limit: number; minutes: number; map: string };
}

/** In seconds, as in the rules. */
const RESPAWN = 2.5;
/** The distance of the reticle from the avatar, in units, where the player does not point at a place. */
const AHEAD = 4.5;
/** Errors of prediction beyond this are drawn at once, in units: nobody walks that far in a round trip. */
const SNAP = 3;
const FLASH = 0.12;
/** A shot that is first seen so far from its gun, in units, was fired where nobody looked. */
const FIRED_ELSEWHERE = 4;

export class ArenaView implements Mounted {
  private readonly room: Room<Arena>;
  private readonly pen: CanvasRenderingContext2D;
  private readonly ground: Ground;
  private readonly camera: Camera;
  private readonly scenery: Scenery;
  /** The shots to draw, the player's own included. */
  private readonly shots: () => readonly Spawned<Arena["components"]["Shot"]>[];
  private readonly flights: Flights;
  private readonly sparks: Sparks;
  private readonly markers: Markers;
  private readonly sound = new Sound();
  private readonly mute: Mute;
  private readonly hint: Hint;
  private readonly hud: Hud;
  private readonly pad: Pad;
  private readonly subscriptions: (() => void)[];
  private readonly seconds: number;
  private readonly predicts: boolean;
  private readonly hurt = new Map<number, number>();
  private readonly standing = new Map<number, boolean>();
  /** The sides of the seats, in a match with teams. */
  private readonly sides = new Map<number, number>();
  /** The ticks until which the seats are protected, and those in which that was first seen. */
  private readonly shields = new Map<number, { readonly until: number; readonly from: number }>();
  private me: Avatar | undefined;
  /** The avatar that the camera follows for a spectator. */
  private watched: Avatar | undefined;
  private ammo: number | undefined;
  /** The direction that the player aims in; `undefined` if the view shows only what the server tells. */
  private aimed: number | undefined;
  /** Where the avatars of all seats were seen last. */
  private readonly seen = new Map<number, Vec>();
  private fires = false;
  /** The shots of the player that were drawn. */
  private fired = 0;
  /** The tick that is drawn. It never decreases. */
  private tick = 0;
  private fallen = { at: 0, to: "" };
  private frame = 0;
  private last = performance.now();
  private fps = 0;

  constructor(stage: Stage) {
    this.room = stage.room as unknown as Room<Arena>;
    const pen = stage.canvas.getContext("2d", { alpha: false });
    if (!pen) throw new Error("this browser has no 2D canvas");
    this.pen = pen;
    const { config } = this.room;
    this.seconds = config.minutes * 60;
    this.ground = ground(config.map);
    this.camera = new Camera(stage.canvas, stage.choices.calm);
    this.scenery = new Scenery(this.ground);
    this.sparks = new Sparks(stage.choices.calm);
    this.markers = new Markers(stage.choices.calm);
    this.mute = new Mute(stage.tools, this.sound);
    this.hint = new Hint(stage.hud);
    this.shots = this.room.spawns("Shot", {
      from: ["Pos", "Aim", "Gun"],
      spawn: ({ Pos, Aim, Gun }, tick) => (Gun.fired === tick ? [{ from: Pos.at, heading: Aim, born: tick }] : []),
      born: (shot) => shot.born,
    });
    this.flights = new Flights(this.ground, this.room.hz);
    this.hud = new Hud(stage.hud, config.frag_limit);
    this.pad = new Pad(stage.canvas, () => this.steer());
    this.choose(stage.choices);
    this.predicts = stage.predict;
    if (stage.predict) this.predict();
    this.subscriptions = [
      this.room.on("Hit", (hit, tick) => this.flights.hit(hit, tick)),
      this.room.onOver(({ reason }) => reason === "finished" && this.sound.play("end")),
    ];
    this.frame = requestAnimationFrame(this.draw);
  }

  /** Predicts with the step at once, and with the game's own rules as soon as they are there, if the server has them. */
  private predict(): void {
    this.room.predict([...STEPPED], stepOn(this.ground), { snap: SNAP });
    this.room.predictWith().catch((reason: Error) => console.info(`without the game's own rules: ${reason.message}`));
  }

  choose({ volume, apart, calm, keys }: Choices): void {
    this.sound.volume = volume;
    tellApart(apart);
    for (const part of [this.camera, this.sparks, this.markers]) part.calm = calm;
    this.pad.bind(keys);
  }

  unmount(): void {
    cancelAnimationFrame(this.frame);
    for (const unsubscribe of this.subscriptions) unsubscribe();
    this.pad.close();
    this.mute.close();
    this.sound.close();
  }

  state(): Record<string, unknown> {
    const { seat, tick, status } = this.room;
    const entities = [...this.room.entities];
    const mine = entities.find((entity) => entity.Seat === seat && entity.Pos);
    const me = mine?.Pos && { id: mine.id, x: mine.Pos.at.x, y: mine.Pos.at.y, hp: mine.Hp, frags: mine.Frags };
    const drawn = this.me && { x: this.me.x, y: this.me.y };
    const { fired, sound } = this;
    const counts = { fired, entities: entities.length, fps: Math.round(this.fps) };
    return { seat, tick, me, drawn, ...counts, status, sound: sound.state };
  }

  /** The scores of the newest state. The picture is older, and the last frag is missing there. */
  result(): HTMLElement {
    const scores = [...this.room.entities].flatMap(({ Seat: seat, Frags: frags }) =>
      seat === undefined || frags === undefined ? [] : { seat, frags },
    );
    return table(this.ranked(scores));
  }

  private readonly draw = (now: number): void => {
    this.frame = requestAnimationFrame(this.draw);
    const seconds = Math.min(0.1, Math.max(0.001, (now - this.last) / 1000));
    this.last = now;
    this.fps += (1 / seconds - this.fps) * 0.05;
    this.steer();
    const avatars = this.read(now);
    this.fly(avatars, seconds);
    this.camera.fit();
    this.camera.follow(this.target(), this.ground, seconds);
    this.paint(avatars, seconds);
    this.report(avatars, now);
  };

  /** Reads the avatars at the tick that is drawn. */
  private read(now: number): Avatar[] {
    this.tick = Math.max(this.tick, this.room.serverTick - this.room.stats.delay);
    const avatars: Avatar[] = [];
    for (const { Seat: seat, Side: side } of this.room.view("Seat", "Side")) this.sides.set(seat, side);
    for (const { Seat: seat, Shield } of this.room.view("Seat", "Shield")) this.shield(seat, Shield.until);
    for (const { id, Seat: seat, Pos, Aim, Hp: hp, Frags: frags } of this.room.view(
      "Seat",
      "Pos",
      "Aim",
      "Hp",
      "Frags",
    )) {
      const aim = seat === this.room.seat && hp > 0 ? (this.aimed ?? Aim) : Aim;
      const avatar = { id, seat, tint: this.tint(seat), x: Pos.at.x, y: Pos.at.y, aim, hp, frags };
      avatars.push(avatar);
      this.seen.set(seat, Pos.at);
      if (hp > 0 && this.standing.get(seat) === false) {
        this.sparks.appear(avatar, avatar.tint);
        this.sound.play("respawn", avatar);
      }
      this.standing.set(seat, hp > 0);
    }
    this.ammo = this.room.me("Ammo")?.Ammo;
    const before = this.me;
    this.me = avatars.find((avatar) => avatar.seat === this.room.seat);
    if (this.room.spectating) this.watched = watchable(avatars, this.watched?.seat);
    if (before && before.hp > 0 && this.me?.hp === 0) this.fallen.at = now;
    this.sound.ear = this.me ?? this.camera;
    return avatars;
  }

  /** Lets the shots fly on, and shows where they start and end. */
  private fly(avatars: readonly Avatar[], seconds: number): void {
    const targets = avatars.filter(({ seat, hp }) => hp > 0 && !this.isFriend(seat) && this.shieldedFor(seat) === 0);
    const { ended, hits } = this.flights.fly(this.shots(), targets, this.tick, seconds);
    for (const flight of [...this.flights.all, ...ended]) {
      if (flight.flashed || !isVisible(flight)) continue;
      flight.flashed = true;
      if (flight.flown > FIRED_ELSEWHERE) continue;
      if (flight.seat === this.room.seat) this.fired += 1;
      muzzle(this.sparks, { ...flight, tint: this.tint(flight.seat) });
      this.sound.play("shot", flight.from);
    }
    for (const flight of ended) {
      burst(this.sparks, flight, this.tint(flight.seat));
      if (!flight.hit) this.sound.play("wall", end(flight));
    }
    for (const hit of hits) this.landed(hit);
  }

  /** The camera shifts slightly towards the pointer. */
  private target(): { x: number; y: number } {
    if (this.room.spectating && this.watched) return this.watched;
    if (!this.me) return { x: this.ground.width / 2, y: this.ground.height / 2 };
    const pointer = this.pad.pointer();
    if (!pointer || this.me.hp === 0) return this.me;
    const share = 0.14 / this.camera.scale;
    const { width, height } = this.camera;
    return { x: this.me.x + (pointer.x - width / 2) * share, y: this.me.y - (pointer.y - height / 2) * share };
  }

  private paint(avatars: readonly Avatar[], seconds: number): void {
    const { pen, camera, me } = this;
    const standing = avatars.filter((avatar) => avatar.hp > 0);
    this.scenery.drawFloor(pen, camera);
    for (const avatar of standing) drawAvatar(pen, camera, avatar, this.look(avatar, seconds));
    drawShots(
      pen,
      camera,
      [...this.flights.all].map((flight) => ({ ...flight, tint: this.tint(flight.seat) })),
    );
    this.scenery.drawWalls(pen, camera);
    this.sparks.draw(pen, camera, seconds);
    for (const avatar of standing) drawLabel(pen, camera, avatar, this.look(avatar, 0));
    this.markers.draw(pen, camera, me, seconds);
    const others = standing.filter(({ seat }) => seat !== this.room.seat);
    const marked = others.map((avatar) => ({ avatar, isFriend: this.isFriend(avatar.seat) }));
    drawArrows(pen, camera, { me: me ?? camera, others: marked, boxes: this.hud.boxes });
    drawMinimap(pen, camera, { ground: this.ground, avatars: standing, seat: this.room.seat });
    drawThumbs(pen, this.pad.thumbs(), this.fires);
    const pointer = this.reticle();
    if (pointer) drawReticle(pen, pointer, this.ammo === 0);
  }

  /** The pixel that the player aims at; `undefined` for who is down or only watches. */
  private reticle(): Vec | undefined {
    const { me } = this;
    if (!me || me.hp === 0) return undefined;
    if (this.pad.aiming === "mouse") return this.pad.pointer();
    return this.camera.at(me.x + Math.cos(me.aim) * AHEAD, me.y + Math.sin(me.aim) * AHEAD);
  }

  private look({ seat, id }: Avatar, seconds: number): Look {
    const hurt = Math.max(0, (this.hurt.get(seat) ?? 0) - seconds);
    this.hurt.set(seat, hurt);
    const info = this.room.seats.find((info) => info.seat === seat);
    return {
      name: info?.name ?? `#${id}`,
      mine: seat === this.room.seat,
      away: info?.status === "away",
      shield: this.shieldLeft(seat),
      hurt: hurt / FLASH,
    };
  }

  /** A shot has hit an avatar on the screen. */
  private landed({ at, shooter, victim, down }: Hit): void {
    this.hurt.set(victim, FLASH);
    const mine = victim === this.room.seat;
    if (shooter === this.room.seat) {
      this.markers.mark(at, down);
      this.sound.play("hit");
    }
    if (down) this.sound.play("down", at);
    if (mine) {
      const from = this.seen.get(shooter);
      if (from) this.markers.feel(from);
      this.sound.play("hurt");
      this.hud.flinch();
      this.camera.bump(down ? 0.6 : 0.22);
    }
    if (!down) return;
    this.sparks.blast(at, this.tint(victim));
    this.hud.tell(this.score(shooter, 0), this.score(victim, 0));
    if (mine) this.fallen.to = this.score(shooter, 0).name;
  }

  private steer(): void {
    if (this.room.status !== "playing") return;
    const me = this.me ?? { x: this.camera.x, y: this.camera.y };
    const input = this.pad.read(this.camera.at(me.x, me.y));
    if (this.predicts) this.aimed = input.aim;
    this.fires = input.fire;
    const thumbs = this.pad.aiming === "touch";
    this.hint.done(thumbs && input.dir !== "None", thumbs && input.fire);
    this.room.input(input);
  }

  private report(avatars: readonly Avatar[], now: number): void {
    const down = this.me?.hp === 0;
    this.hud.show({
      hp: this.me?.hp ?? 0,
      shieldedFor: down ? 0 : this.shieldedFor(this.room.seat),
      ammo: this.ammo,
      secondsLeft: this.seconds - this.tick / this.room.hz,
      scores: this.ranked(avatars),
      teams: this.teams(avatars),
      downFor: down ? Math.max(0.01, RESPAWN - (now - this.fallen.at) / 1000) : 0,
      fallenTo: this.fallen.to,
    });
  }

  private ranked(avatars: readonly { seat: number; frags: number }[]): Score[] {
    const scores = avatars.map(({ seat, frags }) => this.score(seat, frags));
    return scores.sort((a, b) => b.frags - a.frags || a.seat - b.seat);
  }

  /** The sums of the teams, by the number of each; none in a match without teams. */
  private teams(avatars: readonly Avatar[]): TeamScore[] {
    const sums = new Map<number, number>();
    for (const { seat, frags } of avatars) {
      const side = this.sides.get(seat);
      if (side !== undefined) sums.set(side, (sums.get(side) ?? 0) + frags);
    }
    const mine = this.sides.get(this.room.seat);
    return [...sums].sort(([a], [b]) => a - b).map(([side, frags]) => ({ tint: side, frags, mine: side === mine }));
  }

  private score(seat: number, frags: number): Score {
    const info = this.room.seats.find((info) => info.seat === seat);
    const note = info?.status === "bot" || info?.status === "away" ? info.status : "";
    const name = info?.name ?? `Seat ${seat}`;
    return { seat, tint: this.tint(seat), name, frags, mine: seat === this.room.seat, note };
  }

  /** The index of a seat's colour: its side in a match with teams, else the seat itself. */
  private tint(seat: number): number {
    return this.sides.get(seat) ?? seat;
  }

  /** Whether own shots pass through a seat's avatar. */
  private isFriend(seat: number): boolean {
    const { seat: mine } = this.room;
    return seat === mine || (this.sides.has(seat) && this.sides.get(seat) === this.sides.get(mine));
  }

  /** The seconds for which shots still pass through a seat's avatar. */
  private shieldedFor(seat: number): number {
    return Math.max(0, ((this.shields.get(seat)?.until ?? 0) - this.tick) / this.room.hz);
  }

  /** The part of that time that is left. */
  private shieldLeft(seat: number): number {
    const { until = 0, from = 0 } = this.shields.get(seat) ?? {};
    return until > from ? Math.max(0, Math.min(1, (until - this.tick) / (until - from))) : 0;
  }

  private shield(seat: number, until: number): void {
    if (this.shields.get(seat)?.until !== until) this.shields.set(seat, { until, from: this.tick });
  }
}

/** The avatar that a spectator follows: the same one until it is down, and then the one with the most frags. */
function watchable(avatars: readonly Avatar[], seat: number | undefined): Avatar | undefined {
  const standing = avatars.filter(({ hp }) => hp > 0);
  const [best] = [...standing].sort((a, b) => b.frags - a.frags || a.seat - b.seat);
  return standing.find((avatar) => avatar.seat === seat) ?? best;
}
