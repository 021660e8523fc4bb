// Private rooms: the forms that open one with the chosen settings, and that join one by its code.

import type { GameInfo } from "@tickcast/client";
import { useRef } from "preact/hooks";

import { anyView } from "../game_views.ts";
import { games } from "../state/listing.ts";
import { play } from "../state/play.ts";
import type { Setting } from "../view.ts";

export function PrivateRooms() {
  return (
    <section aria-labelledby="private-title">
      <h2 id="private-title">Private rooms</h2>
      <OpenRoom />
      <CodeForm />
    </section>
  );
}

/** The forms that open a private room, one a game. */
export function OpenRoom() {
  return (
    <div class="privates">
      {games.value.map((game) => (
        <Settings key={game.name} game={game} />
      ))}
    </div>
  );
}

/** The form that opens a private room of a game with the chosen settings. */
function Settings({ game: { name, strengths = [] } }: { game: GameInfo }) {
  const { title, settings } = anyView(name);
  const open = (form: HTMLFormElement): void => {
    const chosen = (field: string): number => (form.elements.namedItem(field) as HTMLSelectElement).selectedIndex;
    void play({
      game: name,
      strength: strengths.length > 0 ? strengths[chosen("bots") - 1] : undefined,
      config: Object.fromEntries(settings.map(({ name, choices }) => [name, choices[chosen(name)]?.[1]])),
    });
  };
  return (
    <form
      class="code"
      onSubmit={(event) => {
        event.preventDefault();
        open(event.currentTarget);
      }}
    >
      <div class="settings">
        {settings.map((setting) => (
          <Choice key={setting.name} id={`${name}-${setting.name}`} setting={setting} />
        ))}
        {strengths.length > 0 && (
          <label for={`${name}-bots`}>
            Bots
            <select id={`${name}-bots`} name="bots">
              <option>by players</option>
              {strengths.map((strength) => (
                <option key={strength}>{strength}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      <button type="submit">Open a private {title} room</button>
    </form>
  );
}

function Choice({ id, setting: { name, label, choices } }: { id: string; setting: Setting }) {
  return (
    <label for={id}>
      {label}
      <select id={id} name={name}>
        {choices.map(([text]) => (
          <option key={text}>{text}</option>
        ))}
      </select>
    </label>
  );
}

function CodeForm() {
  const input = useRef<HTMLInputElement>(null);
  const code = (): string => input.current?.value.trim() ?? "";
  return (
    <form
      class="code"
      onSubmit={(event) => {
        event.preventDefault();
        void play({ code: code() });
      }}
    >
      <p>Friends join with the room’s code:</p>
      <div class="row">
        <label for="code" class="hidden">
          Code of a private room
        </label>
        <input
          ref={input}
          id="code"
          name="code"
          maxLength={16}
          placeholder="Code"
          spellcheck={false}
          required
          autocomplete="off"
        />
        <button type="submit">Join</button>
        <button
          type="button"
          class="quiet"
          onClick={() => input.current?.reportValidity() && void play({ watchCode: code() })}
        >
          Watch
        </button>
      </div>
    </form>
  );
}
