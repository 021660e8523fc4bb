// The menu of a match: a link for friends, the players, the settings, and the full screen.

import { useSignal } from "@preact/signals";
import type { Room, SeatInfo } from "@tickcast/client";
import { useEffect } from "preact/hooks";

import { linkTo } from "../state/calls.ts";
import { refusal, say } from "../state/chat.ts";
import { party } from "../state/party.ts";
import { asks, menu, type Stay } from "../state/play.ts";
import { server } from "../state/session.ts";
import { count, sentence } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { Scores } from "./scoreboard.tsx";
import { Settings } from "./settings.tsx";
import { Share } from "./share.tsx";

export function Menu({ stay }: { stay: Stay }) {
  const { room } = stay;
  const close = (): void => void (menu.value = "closed");
  const leave = (): void => {
    close();
    asks.value = true;
  };
  const isInvite = menu.value === "invite";
  return (
    <Dialog
      title={isInvite ? "Invite friends" : "Menu"}
      onCancel={close}
      buttons={[
        { label: "Back to the match", isMain: true, act: close },
        ...(isInvite ? [] : [{ label: "Leave…", act: leave }]),
      ]}
    >
      {isInvite ? room.code && <Invite code={room.code} /> : <Scores />}
      <Players stay={stay} />
      {!isInvite && (
        <>
          <Settings games={[room.game]} />
          <p class="hint">
            Tab shows the scores while it is held. Enter opens the chat, V joins a vote, I opens the inspector.
          </p>
          <button type="button" onClick={toggleFullscreen}>
            Full screen (F)
          </button>
        </>
      )}
    </Dialog>
  );
}

/** Fills the screen with the page, or no longer. A browser may refuse it. */
export function toggleFullscreen(): void {
  const done = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen?.({ navigationUI: "hide" });
  done?.catch(() => undefined);
}

function Invite({ code }: { code: string }) {
  const link = linkTo(code);
  const told = useSignal("");
  const tell = async (): Promise<void> => {
    told.value = (await say("party", link)) ? "Your party has the link in its chat." : refusal.value;
  };
  return (
    <div class="part">
      <p>
        Friends join by this link, or with the code <b>{code}</b> in the lobby. They take the seats of bots.
      </p>
      <Share link={link} title="Play with me" />
      {party.value && (
        <button type="button" onClick={() => void tell()}>
          Send it to your party
        </button>
      )}
      <p class="hint" role="status">
        {told}
      </p>
    </div>
  );
}

/** The people in the room, and the way to remove somebody. */
function Players({ stay: { room, isOwner } }: { stay: Stay }) {
  const seats = useSignal(room.seats);
  const said = useSignal("");
  useEffect(() => room.onSeats((now) => void (seats.value = now)), [room]);
  const here = seats.value.filter(({ status }) => status !== "bot");
  const bots = seats.value.length - here.length;
  const act = async (what: Promise<void>, done: string): Promise<void> => {
    said.value = await what.then(() => done, sentence);
  };
  return (
    <div class="part">
      <h2>
        {count(here.length, "player")}, {count(bots, "bot")}
      </h2>
      <ul class="members" aria-label="Players">
        {here.map((info) => (
          <Player
            key={info.seat}
            room={room}
            info={info}
            isOwner={isOwner}
            vote={() => void act(room.voteKick(info.seat), `You have voted to remove ${info.name}.`)}
            remove={() => void act(kick(room, info), `${info.name} is removed.`)}
          />
        ))}
      </ul>
      <p class="hint" role="status">
        {said.value}
      </p>
    </div>
  );
}

interface PlayerProps {
  readonly room: Room;
  readonly info: SeatInfo;
  readonly isOwner: boolean;
  vote(): void;
  remove(): void;
}

function Player({ room, info: { seat, name, status }, isOwner, vote, remove }: PlayerProps) {
  const isMe = seat === room.seat;
  return (
    <li>
      <span class="who">
        {name}
        {isMe && " (you)"}
      </span>
      {status === "away" && <span class="tag">away</span>}
      {!isMe && !room.spectating && (
        <span class="acts">
          <button type="button" aria-label={`Vote to remove ${name}`} onClick={vote}>
            Vote to remove
          </button>
          {isOwner && (
            <button type="button" aria-label={`Remove ${name}`} onClick={remove}>
              Remove
            </button>
          )}
        </span>
      )}
    </li>
  );
}

async function kick(room: Room, { seat }: SeatInfo): Promise<void> {
  await server.peek()?.lobby.kick(room.id, seat);
}
