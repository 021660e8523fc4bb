// Guests with the official client, who queue alone or in parties.

import { answer, ask, next, packages, until, url } from "./support.mjs";

const { io } = packages.sdk("socket.io-client");

/** Connects a guest to `/lobby` and `/matchmaking`, and records the events of `/matchmaking`. */
export async function guest(name) {
  const lobby = io(`${url}/lobby`, { forceNew: true, auth: { name } });
  const { user, token } = await next(lobby, "session");
  const socket = io(`${url}/matchmaking`, { forceNew: true, auth: { token } });
  const heard = [];
  socket.onAny((event, argument) => heard.push({ event, argument }));
  await next(socket, "session");
  const hears = (event) =>
    until(`${name} hears ${event}`, () => {
      const at = heard.findIndex((news) => news.event === event);
      return at >= 0 && heard.splice(at, 1)[0].argument;
    });
  const go = () => [lobby, socket].forEach((one) => void one.disconnect());
  return { name, user, lobby, socket, hears, go, ask: (event, argument) => ask(socket, event, argument) };
}

/** Makes a party: the first creates it, and the others join by its code. */
export async function party(...names) {
  const [leader, ...others] = await Promise.all(names.map(guest));
  const { party } = await answer(leader.lobby, "party_create");
  for (const { lobby } of others) await answer(lobby, "party_join", { code: party.code });
  return [leader, ...others];
}
