// The field of the player's name.

import { useLayoutEffect, useRef } from "preact/hooks";

import { queue } from "../state/queue.ts";
import { name, refusal, rename } from "../state/session.ts";

/** The name that the player enters, and beside it why the server has refused one. */
export function NameForm() {
  const input = useRef<HTMLInputElement>(null);
  const shown = name.value;
  const refused = refusal.value;
  // A refusal gives the player the old name back.
  useLayoutEffect(() => {
    if (input.current) input.current.value = shown;
  }, [shown, refused]);
  return (
    <form
      class="name"
      onSubmit={(event) => {
        event.preventDefault();
        input.current?.blur();
      }}
    >
      <label for="name">Your name</label>
      <input
        ref={input}
        id="name"
        name="name"
        maxLength={24}
        placeholder="Guest"
        spellcheck={false}
        // Another name is another connection, which would leave the queue.
        disabled={queue.value !== undefined}
        autocomplete="nickname"
        aria-invalid={refused !== ""}
        aria-describedby="name-refusal"
        onChange={(event) => rename(event.currentTarget.value.trim())}
      />
      <p id="name-refusal" class="say" role="status">
        {refused}
      </p>
    </form>
  );
}
