// Friends: the player's party, and the people whom they have met.

import "./friends.css";

import type { PartyInfo, PartyMember, UserPresence } from "@tickcast/client";
import { useRef } from "preact/hooks";

import { mute, muted, unmute } from "../state/chat.ts";
import { games } from "../state/listing.ts";
import { create, invite, join, kick, leads, leave, party, promote, ready, refusal } from "../state/party.ts";
import { people } from "../state/people.ts";
import { to } from "../state/route.ts";
import { server } from "../state/session.ts";
import { OpenRoom } from "./private.tsx";
import { Modes } from "./queue.tsx";
import { Share } from "./share.tsx";

export function Friends() {
  return (
    <div class="columns">
      <section aria-labelledby="party-title">
        <h2 id="party-title">Party</h2>
        <p class="say" role="status">
          {refusal.value}
        </p>
        {party.value ? <Party party={party.value} /> : <NoParty />}
      </section>
      <People />
    </div>
  );
}

function NoParty() {
  const code = useRef<HTMLInputElement>(null);
  return (
    <form
      class="code"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.current) void join(code.current.value.trim());
      }}
    >
      <p>Friends in a party queue together, and play in one team.</p>
      <button type="button" class="primary" onClick={() => void create()}>
        Create a party
      </button>
      <div class="row">
        <label for="party-code" class="hidden">
          Code of a party
        </label>
        <input ref={code} id="party-code" maxLength={16} placeholder="Code" required autocomplete="off" />
        <button type="submit">Join</button>
      </div>
    </form>
  );
}

function Party({ party: { code, members, leader } }: { party: PartyInfo }) {
  const me = server.value?.session.user;
  const mine = members.find(({ user }) => user === me);
  return (
    <div class="code">
      <ul class="members" aria-label="Members of your party">
        {members.map((member) => (
          <Member key={member.user} member={member} isLeader={member.user === leader} isMe={member.user === me} />
        ))}
      </ul>
      <div class="row">
        <button type="button" aria-pressed={mine?.ready === true} onClick={() => void ready(!mine?.ready)}>
          {mine?.ready ? "You are ready ✓" : "I am ready"}
        </button>
        <button type="button" onClick={() => void leave()}>
          Leave the party
        </button>
      </div>
      {games.value.map(({ name }) => (
        <Modes key={name} game={name} />
      ))}
      {members.length > 1 && leads(me) && (
        <details>
          <summary>Or open a private room for the party</summary>
          <OpenRoom />
        </details>
      )}
      <h3>Invite friends · code {code}</h3>
      <Share link={`${new URL(".", location.href).href}${to("party", code)}`} title="Join my party" />
    </div>
  );
}

interface MemberProps {
  readonly member: PartyMember;
  readonly isLeader: boolean;
  readonly isMe: boolean;
}

function Member({ member: { user, name, status, ready }, isLeader, isMe }: MemberProps) {
  const called = name ?? "Somebody";
  return (
    <li>
      <Status status={status} />
      <span class="who">
        {called}
        {isMe && " (you)"}
      </span>
      {isLeader && <span class="tag">leader</span>}
      {ready && <span class="tag good">ready</span>}
      {!isMe && leads(server.value?.session.user) && (
        <span class="acts">
          <button type="button" aria-label={`Make ${called} the leader`} onClick={() => void promote(user)}>
            Lead
          </button>
          <button type="button" aria-label={`Remove ${called} from the party`} onClick={() => void kick(user)}>
            Remove
          </button>
        </span>
      )}
    </li>
  );
}

/** The people whom the player has met. A server does not list everybody. */
function People() {
  const known = people.value.filter(({ user }) => !(user in muted.value));
  const silent = Object.entries(muted.value);
  return (
    <section aria-labelledby="people-title">
      <h2 id="people-title">People you have met</h2>
      {known.length === 0 && <p class="empty">Say hello in the chat, and you find who answers here.</p>}
      <ul class="people">
        {known.map((person) => (
          <Person key={person.user} person={person} />
        ))}
      </ul>
      {silent.length > 0 && (
        <>
          <h3>Muted</h3>
          <ul class="people">
            {silent.map(([user, name]) => (
              <li key={user}>
                <span class="who">{name}</span>
                <span class="acts">
                  <button type="button" aria-label={`Unmute ${name}`} onClick={() => void unmute(user)}>
                    Unmute
                  </button>
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Person({ person: { user, name, status } }: { person: UserPresence }) {
  const called = name ?? "Somebody";
  const isMember = party.value?.members.some((member) => member.user === user) === true;
  const ask = async (): Promise<void> => {
    if (party.value || (await create())) await invite(user);
  };
  return (
    <li>
      <Status status={status} />
      <span class="who">{called}</span>
      <span class="acts">
        <a class="button" href={to("chat", `@${user}`)} aria-label={`Message ${called}`}>
          Message
        </a>
        {!isMember && (
          <button
            type="button"
            disabled={status === "offline"}
            aria-label={`Invite ${called} to your party`}
            onClick={() => void ask()}
          >
            Invite
          </button>
        )}
        <button type="button" aria-label={`Mute ${called}`} onClick={() => void mute(user, called)}>
          Mute
        </button>
      </span>
    </li>
  );
}

const DOING: Record<UserPresence["status"], string> = {
  online: "online",
  queue: "in the queue",
  match: "plays",
  away: "away",
  offline: "offline",
};

function Status({ status }: { status: UserPresence["status"] }) {
  return <span class={`doing is-${status}`}>{DOING[status]}</span>;
}
