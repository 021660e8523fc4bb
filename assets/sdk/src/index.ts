export type { PredictionStats, StepSource } from "./accuracy.js";
export type { Channel } from "./channel.js";
export type { Chat } from "./chat.js";
export type { ConnectOptions, Server } from "./connect.js";
export { connect } from "./connect.js";
export type { ErrorCode } from "./errors.js";
export { FrameError, PredictionError, TickcastError } from "./errors.js";
export type { GuestStorage, Session, TokenSource } from "./identity.js";
export type { Unsubscribe } from "./listeners.js";
export type { Lobby } from "./lobby.js";
export type { EnqueueOptions, Matchmaking } from "./matchmaking.js";
export type { Party } from "./party.js";
export type { Presence } from "./presence.js";
export type { StepContext } from "./rollback.js";
export type { Room } from "./room.js";
export type { Field, Schema, Type } from "./schema.js";
export type { ServerStatus, ServerStatusListener } from "./status.js";
export type {
  AnyGame,
  ChatChannel,
  ChatMessage,
  CommandName,
  CommandOf,
  ComponentName,
  ConfigOf,
  Desync,
  EntityOf,
  GameInfo,
  GameTypes,
  InputOf,
  Leader,
  Over,
  PartyInfo,
  PartyInvite,
  PartyMember,
  PredictOptions,
  QueueStatus,
  Rating,
  ReadyCheck,
  ReadyCount,
  Refused,
  RoomInfo,
  RoomSearch,
  RoomStats,
  RoomStatus,
  SeatInfo,
  Spawned,
  SpawnOptions,
  StepOf,
  Strength,
  Typing,
  Unready,
  UserPresence,
  Vec2,
  Vec3,
  Viewed,
  Vote,
} from "./types.js";
export type { QueueOptions } from "./wait.js";
