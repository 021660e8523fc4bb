// The page: starts what it follows, and shows it.

import "./style.css";

import type { Room, Server } from "@tickcast/client";
import { render } from "preact";

import { App } from "./app.tsx";
import { showSplit } from "./split.ts";
import { callParty } from "./state/calls.ts";
import { followChat } from "./state/chat.ts";
import { followMotion } from "./state/choices.ts";
import { followListing } from "./state/listing.ts";
import { followParty, leader } from "./state/party.ts";
import { followPeople } from "./state/people.ts";
import { begin, follow, mounted, stay } from "./state/play.ts";
import { followLeader, leaveForMatches } from "./state/queue.ts";
import { followRatings } from "./state/ratings.ts";
import { followRoute } from "./state/route.ts";
import { server } from "./state/session.ts";
import { followTitle } from "./state/title.ts";

declare global {
  interface Window {
    /** For tests, the split view, and the browser's console. */
    tickcast: {
      readonly server: Server | undefined;
      readonly room: Room | undefined;
      state(): Record<string, unknown> | undefined;
    };
  }
}

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
followMotion();
const split = new URLSearchParams(location.search).get("split");
if (split) {
  window.addEventListener("hashchange", () => location.reload());
  void showSplit(root, split);
} else {
  window.tickcast = {
    get server() {
      return server.peek();
    },
    get room() {
      return stay.peek()?.room;
    },
    state: () => mounted.peek()?.state(),
  };
  followRoute(() => void follow());
  followListing();
  followChat();
  followParty();
  followPeople();
  followRatings();
  followLeader(() => leader.value);
  leaveForMatches();
  callParty();
  followTitle();
  render(<App />, root);
  void begin();
}
