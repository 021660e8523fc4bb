// The hosted games, each on a card.

import type { GameInfo } from "@tickcast/client";
import { useEffect, useRef } from "preact/hooks";

import { anyView, gameView } from "../game_views.ts";
import { games, rooms } from "../state/listing.ts";
import { play } from "../state/play.ts";
import { to } from "../state/route.ts";
import type { GameView } from "../view.ts";
import { Modes } from "./queue.tsx";

export function Games() {
  return (
    <div class="cards">
      {games.value.map((game) => (
        <Card key={game.name} game={game} />
      ))}
    </div>
  );
}

function Card({ game: { name, seats } }: { game: GameInfo }) {
  const view = anyView(name);
  const isOwn = gameView(name) !== undefined;
  const playing = rooms.value.reduce((sum, room) => sum + (room.game === name ? room.players : 0), 0);
  return (
    <article class="card" data-game={name}>
      <div class="poster" aria-hidden="true">
        <Poster view={view} />
      </div>
      <div class="about">
        <h1>{view.title}</h1>
        <p>{view.tagline}</p>
        <p class="keys">
          {view.controls} · {seats[0] === seats[1] ? seats[0] : `${seats[0]}–${seats[1]}`} players
        </p>
        <div class="row">
          {isOwn ? (
            <button type="button" class="primary" onClick={() => void play({ game: name })}>
              Play
            </button>
          ) : (
            <a class="button primary" href={to("play", name)}>
              Playground
            </a>
          )}
          {isOwn && <SplitLink game={name} />}
          <p class="count" aria-live="polite">
            {playing > 0 ? `${playing} playing now` : "Bots are ready"}
          </p>
        </div>
        <Modes game={name} />
      </div>
    </article>
  );
}

function Poster({ view }: { view: GameView }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const { current } = canvas;
    if (!current) return;
    const resized = new ResizeObserver(() => view.poster(current));
    resized.observe(current);
    return () => resized.disconnect();
  }, [view]);
  return <canvas ref={canvas} />;
}

/** Leads to two players of one match, side by side. */
function SplitLink({ game }: { game: string }) {
  return (
    <a
      class="split-link"
      href={`?split=${encodeURIComponent(game)}`}
      title="Two players of one match side by side, each with a line of its own"
    >
      Split view
    </a>
  );
}
