// The players with the highest ratings, a table for each rated mode.

import "./ranks.css";

import { useEffect } from "preact/hooks";

import { fetchLeaders, leaders, type RankedMode, rankedModes } from "../state/leaders.ts";
import { rated, ratings } from "../state/ratings.ts";
import { server } from "../state/session.ts";

export function Ranks() {
  const modes = rankedModes();
  return (
    <div class="columns">
      {modes.length === 0 && <p class="empty">No game here has ratings.</p>}
      {modes.map((ranked) => (
        <Table key={rated(ranked.game, ranked.mode.name)} {...ranked} />
      ))}
    </div>
  );
}

function Table({ game, title, mode: { name, label } }: RankedMode) {
  const key = rated(game, name);
  const connection = server.value;
  useEffect(() => void fetchLeaders(key, game, name), [key, connection]);
  const told = leaders.value[key];
  const me = connection?.session.user;
  const own = ratings.value[key];
  const isListed = told?.some(({ user }) => user === me) === true;
  return (
    <section aria-labelledby={`ranks-${key}`}>
      <h2 id={`ranks-${key}`}>
        {title} · {label}
      </h2>
      {told && told.length > 0 && (
        <table class="ranks">
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Player</th>
              <th scope="col">Rating</th>
            </tr>
          </thead>
          <tbody>
            {told.map(({ user, name: called, rating, deviation }, at) => (
              <tr key={user} class={user === me ? "mine" : undefined}>
                <td>{at + 1}</td>
                <td>
                  {called}
                  {user === me && " (you)"}
                </td>
                <td>
                  {Math.round(rating)} <small>± {Math.round(deviation)}</small>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="empty" role="status">
        {told?.length === 0 && "Nobody has played a rated match yet. "}
        {told && !isListed && own && `Your rating is ${Math.round(own.rating)}.`}
      </p>
    </section>
  );
}
