// The title of the page, which tells of a ready check and of messages while somebody looks at another tab.

import { effect } from "@preact/signals";

import { unread } from "./chat.ts";
import { check } from "./queue.ts";

export function followTitle(): void {
  effect(() => {
    const news = [...unread.value.values()].reduce((sum, number) => sum + number, 0);
    const asked = check.value?.answer === "none";
    document.title = asked ? "Match found! · Tickcast" : news > 0 ? `(${news}) Tickcast` : "Tickcast";
  });
}
