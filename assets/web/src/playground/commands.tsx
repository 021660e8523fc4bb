// The commands of a game, each a form.

import { useSignal } from "@preact/signals";
import type { Room, Type } from "@tickcast/client";
import { useRef } from "preact/hooks";

import { sentence } from "../words.ts";
import { type Entered, type FormField, formOf, readForm, takesOf } from "./forms.ts";
import { words } from "./inputs.ts";

export function Commands({ room }: { room: Room }) {
  const { commands = [] } = room.schema;
  if (commands.length === 0) return null;
  return (
    <section class="pg-part" aria-labelledby="pg-commands">
      <h2 id="pg-commands">Commands</h2>
      {commands.map((type) => (
        <CommandForm key={type.name} room={room} type={type} />
      ))}
    </section>
  );
}

/** The answer to the last command of a form. */
interface Answer {
  readonly isGood: boolean;
  readonly text: string;
}

function CommandForm({ room, type }: { room: Room; type: Type }) {
  const form = useRef<HTMLFormElement>(null);
  const answer = useSignal<Answer | undefined>(undefined);
  const wrong = useSignal<Readonly<Record<string, string>>>({});
  const fields = formOf(type);
  const idOf = (name: string): string => `pg-${type.name}-${name}`;
  const send = async (): Promise<void> => {
    if (!form.current) return;
    const read = readForm(type, await entered(form.current, fields));
    wrong.value = "wrong" in read ? read.wrong : {};
    if ("wrong" in read) {
      answer.value = undefined;
      const first = fields.find(({ name }) => name in read.wrong);
      if (first) document.getElementById(idOf(first.name))?.focus();
      return;
    }
    answer.value = { isGood: true, text: "Sent…" };
    answer.value = await room.command(type.name, read.value).then(
      () => ({ isGood: true, text: `Taken in tick ${room.tick}.` }),
      (error: unknown) => ({ isGood: false, text: `Refused: ${sentence(error)}` }),
    );
  };
  return (
    <form
      ref={form}
      class="pg-form"
      aria-label={words(type.name)}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h3>{type.name}</h3>
      {fields.map((field) => (
        <Entry key={field.name} id={idOf(field.name)} field={field} wrong={wrong.value[field.name]} />
      ))}
      <div class="pg-send">
        <button type="submit">Send {words(type.name)}</button>
        <p class={answer.value?.isGood === false ? "pg-hint pg-bad" : "pg-hint"} role="status">
          {answer.value?.text}
        </p>
      </div>
    </form>
  );
}

/** A field, with what it takes, and what is wrong with it. */
function Entry({ id, field, wrong }: { id: string; field: FormField; wrong: string | undefined }) {
  const about = `${id}-about`;
  const takes = takesOf(field);
  const told = {
    id,
    name: field.name,
    "aria-describedby": wrong || takes ? about : undefined,
    "aria-invalid": wrong ? true : undefined,
  };
  return (
    <div class={field.kind === "check" ? "pg-field pg-check" : "pg-field"}>
      <label for={id}>{field.label}</label>
      {field.kind === "select" ? (
        <select {...told}>
          {field.values?.map((value) => (
            <option key={value}>{value}</option>
          ))}
        </select>
      ) : (
        <input {...told} {...typeOf(field)} />
      )}
      {field.kind === "bytes" && <input type="file" name={`${field.name}:file`} aria-label={`${field.label}: file`} />}
      {(wrong || takes) && (
        <p id={about} class={wrong ? "pg-hint pg-bad" : "pg-hint"}>
          {wrong ?? takes}
        </p>
      )}
    </div>
  );
}

/** The attributes of an input. */
function typeOf({ kind, isWhole }: FormField) {
  if (kind === "check") return { type: "checkbox" } as const;
  if (kind !== "number" && kind !== "degrees") return { type: "text", spellcheck: false, autocomplete: "off" } as const;
  return { type: "text", inputMode: isWhole ? "numeric" : "decimal", autocomplete: "off" } as const;
}

/** Reads a form. A file counts more than digits. */
async function entered(form: HTMLFormElement, fields: readonly FormField[]): Promise<Entered> {
  const data = new FormData(form);
  const values: Record<string, string | boolean | Uint8Array> = {};
  for (const { name, kind } of fields) {
    const file = data.get(`${name}:file`);
    if (kind === "check") values[name] = data.has(name);
    else if (file instanceof File && file.size > 0) values[name] = new Uint8Array(await file.arrayBuffer());
    else values[name] = String(data.get(name) ?? "");
  }
  return values;
}
