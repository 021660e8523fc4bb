// The page: a match, the lobby, or why there is neither.

import { message, stay } from "./state/play.ts";
import { failure, server } from "./state/session.ts";
import { Lobby } from "./views/lobby.tsx";
import { Match } from "./views/match.tsx";
import { Notice } from "./views/notice.tsx";
import { ReadyQuestion } from "./views/queue.tsx";

export function App() {
  return (
    <>
      <Shown />
      <ReadyQuestion />
    </>
  );
}

function Shown() {
  const match = stay.value;
  if (match) return <Match key={match.id} stay={match} />;
  if (failure.value) return <Notice title="No connection" text={failure.value} retries />;
  if (!server.value) return <Notice title="Connecting…" text={message.value} />;
  return <Lobby />;
}
