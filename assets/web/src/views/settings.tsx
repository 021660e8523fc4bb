// The settings: sound, colours, motion, and the keys of a game.

import "./settings.css";

import { useState } from "preact/hooks";

import { gameView } from "../game_views.ts";
import { bind, choose, chosen, keyLabel, type Motion } from "../state/choices.ts";
import { games } from "../state/listing.ts";

/** The view of the lobby, with the keys of all games. */
export function SettingsView() {
  return (
    <section class="code" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <Settings games={games.value.map(({ name }) => name)} />
    </section>
  );
}

/** The settings, with the keys of some games. */
export function Settings({ games }: { games: readonly string[] }) {
  const { volume, apart, motion } = chosen.value;
  return (
    <div class="choices">
      <label for="volume">
        Volume
        <input
          id="volume"
          type="range"
          min={0}
          max={100}
          value={Math.round(volume * 100)}
          onInput={({ currentTarget }) => choose({ volume: Number(currentTarget.value) / 100 })}
        />
      </label>
      <label for="motion">
        Motion
        <select
          id="motion"
          value={motion}
          onChange={({ currentTarget }) => choose({ motion: currentTarget.value as Motion })}
        >
          <option value="system">as the system says</option>
          <option value="less">less</option>
          <option value="full">all</option>
        </select>
      </label>
      <label class="check" for="apart">
        <input
          id="apart"
          type="checkbox"
          checked={apart}
          onChange={({ currentTarget }) => choose({ apart: currentTarget.checked })}
        />
        Colours that differ for colour-blind eyes
      </label>
      {games.map((game) => (
        <Keys key={game} game={game} />
      ))}
    </div>
  );
}

/** The keys of a game. A click on one takes the next key that is pressed. */
function Keys({ game }: { game: string }) {
  const view = gameView(game);
  const [waits, setWaits] = useState("");
  const [refused, setRefused] = useState("");
  const mine = chosen.value.keys[game] ?? {};
  if (!view) return null;
  const press = (event: KeyboardEvent): void => {
    if (!waits || event.code === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.code !== "Escape") setRefused(bind(game, view.keys, waits, event.code));
    setWaits("");
  };
  return (
    <fieldset class="keys-of">
      <legend>Keys of {view.title}</legend>
      {view.keys.map(({ name, label, code }) => (
        <div key={name} class="key-row">
          <span>{label}</span>
          <button
            type="button"
            aria-label={`${label}: ${waits === name ? "press a key" : keyLabel(mine[name] ?? code)}`}
            onClick={() => setWaits(name)}
            onKeyDown={press}
            onBlur={() => setWaits("")}
          >
            {waits === name ? "Press a key…" : keyLabel(mine[name] ?? code)}
          </button>
        </div>
      ))}
      <button
        type="button"
        class="quiet"
        onClick={() => {
          setRefused("");
          choose({ keys: { ...chosen.value.keys, [game]: {} } });
        }}
      >
        The usual keys
      </button>
      <p class="hint" role="status">
        {refused}
      </p>
    </fieldset>
  );
}
