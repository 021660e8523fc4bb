// Chat, presence and a party. Two people use the SDK, and one of them loses the connection; a third uses the official client.

import assert from "node:assert/strict";

import { bundled } from "./bundled.mjs";
import { client } from "./flow.mjs";
import { answer, main, next, say, until, url } from "./support.mjs";
import { Wire } from "./wire.mjs";

main(async () => {
  const { connect } = await bundled();
  const wire = await Wire.to(new URL(url));
  const ada = await connect(url, { name: "Ada" });
  const bob = await connect(wire.url, { name: "Bob" });
  const seen = [];
  await ada.lobby.presence.subscribe([bob.session.user], ({ status }) => seen.push(status));
  await gather(ada.lobby.party, bob);

  const heard = [];
  await bob.lobby.chat.listen("lobby", ({ text }) => heard.push(text));
  await bob.lobby.chat.listen("party", ({ text }) => heard.push(text));
  await bob.lobby.chat.listen("private", ({ text }) => heard.push(text));
  await ada.lobby.chat.say("lobby", "hello");
  await until("Bob hears Ada", () => heard.length === 1);
  wire.cut();
  await until("Bob is away", () => seen.at(-1) === "away");
  await ada.lobby.chat.say("lobby", "anybody?");
  await ada.lobby.chat.say("party", "where are you?");
  await ada.lobby.chat.tell(bob.session.user, "call me");
  await until("Bob gets the messages that he missed", () => heard.length === 4);
  assert.deepEqual(heard.toSorted(), ["anybody?", "call me", "hello", "where are you?"]);
  await until("Bob is back", () => seen.at(-1) === "online");
  await until("Ada may send again", () => spoken(ada.lobby.chat.say("party", "there you are")));
  await until("Bob gets later messages", () => heard.at(-1) === "there you are");
  say("missed messages come once, after the interruption");

  const room = await bob.lobby.create("arena", { private: true });
  await until("Bob plays", () => seen.at(-1) === "match");
  await room.leave();
  await until("Bob has left", () => seen.at(-1) === "online");
  assert.deepEqual(seen, ["online", "away", "online", "match", "online"]);
  say("friends see a person's status");

  await stock(ada, bob);
});

/** Returns whether a message was accepted. Waits a second after a `rate_limited`. */
async function spoken(saying) {
  try {
    await saying;
    return true;
  } catch ({ code }) {
    assert.equal(code, "rate_limited");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return false;
  }
}

async function gather(party, bob) {
  const invited = new Promise((resolve) => bob.lobby.party.onInvite(resolve));
  await party.create();
  await party.invite(bob.session.user);
  await bob.lobby.party.join((await invited).code);
  await until("both are in the party", () => party.info?.members.length === 2);
  await bob.lobby.party.ready();
  await until("Bob is ready", () => party.info.members[1].ready);
  say("a party is gathered");
}

/** Sends the same requests without the SDK. */
async function stock(ada, bob) {
  const eve = client()("/lobby", { name: "Eve" });
  const { user } = await next(eve, "session");
  assert.equal((await answer(eve, "listen", { channel: "lobby" })).messages.length, 2);
  const invite = next(eve, "party_invite");
  await until("Ada may invite", () => spoken(ada.lobby.party.invite(user)));
  const { party } = await answer(eve, "party_join", { code: (await invite).code });
  assert.equal(party.members.length, 3);
  const [said] = await Promise.all([next(eve, "chat"), bob.lobby.chat.say("party", "welcome")]);
  assert.deepEqual([said.channel, said.name, said.text], ["party", "Bob", "welcome"]);
  const left = next(eve, "party_left");
  await ada.lobby.party.kick(user);
  assert.deepEqual(await left, { party: party.party, reason: "kicked" });
  ada.close();
  await until("Ada is away", () => bob.lobby.party.info.members[0].status === "away");
  await bob.lobby.party.leave();
  await until("the party is over", () => bob.lobby.party.info === undefined);
  say("the official client takes part");
}
