// A link for friends: to copy, to send with what the device has, or to scan.

import "./share.css";

import { useEffect, useState } from "preact/hooks";

import { copy } from "../clipboard.ts";

interface Props {
  readonly link: string;
  /** The place to which the link leads, as the title of a message. */
  readonly title: string;
}

export function Share({ link, title }: Props) {
  const [said, say] = useState("");
  const copyLink = async (): Promise<void> => {
    say((await copy(link)) ? "Link copied" : "Copy the link above by hand.");
  };
  // Somebody who closes the share sheet has not failed.
  const send = (): Promise<void> => navigator.share({ title, url: link }).catch(() => undefined);
  return (
    <div class="share-box">
      <div class="share-text">
        <input readOnly aria-label={`Link: ${title}`} value={link} onFocus={(event) => event.currentTarget.select()} />
        <div class="row">
          <button type="button" onClick={() => void copyLink()}>
            Copy the link
          </button>
          {"share" in navigator && (
            <button type="button" onClick={() => void send()}>
              Send…
            </button>
          )}
        </div>
        <p class="hint" role="status">
          {said}
        </p>
      </div>
      <Code text={link} title={title} />
    </div>
  );
}

/** The link as a QR code. What draws it is loaded when it is first shown. */
function Code({ text, title }: { text: string; title: string }) {
  const [rows, setRows] = useState<readonly (readonly boolean[])[]>([]);
  useEffect(() => {
    let isWanted = true;
    import("uqr").then(
      ({ encode }) => void (isWanted && setRows(encode(text, { border: 2 }).data)),
      // The link is there all the same.
      () => undefined,
    );
    return () => {
      isWanted = false;
    };
  }, [text]);
  if (rows.length === 0) return null;
  const dark = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={`QR code: ${title}`}>
      <path d={dark.join("")} />
    </svg>
  );
}
