// The look of a match. A constructed style sheet comes with its code, so the lobby does not load it.

const CSS = `
.scribble {
  position: absolute; inset: 64px 14px 14px; display: grid; gap: 10px 16px; grid-template: auto 1fr / 190px minmax(0, 1fr) 290px;
  grid-template-areas: "head head head" "scores desk talk"; color: #c0cee3;
}
.scribble button { background: rgb(23 32 45 / 0.9); touch-action: manipulation; }
.scribble-head { grid-area: head; display: grid; grid-template-columns: 1fr auto 1fr; align-items: center; gap: 14px; min-height: 40px; }
.scribble-round { color: #93a5c0; font-size: 14px; }
.scribble-clock { justify-self: end; font: 700 24px ui-monospace, Menlo, Consolas, monospace; color: #e8effa; }
.scribble-late { color: #ffb3ba; }
.scribble-word { display: flex; align-items: baseline; gap: 8px; font: 700 24px ui-monospace, Menlo, Consolas, monospace; color: #e8effa; }
.scribble-word > span:first-child { display: flex; gap: 5px; }
.scribble-word small { color: #93a5c0; font-size: 13px; }
.scribble-letter, .scribble-blank { min-width: 0.8em; text-align: center; border-bottom: 2px solid #93a5c0; }
.scribble-blank { color: transparent; }
.scribble-gap { width: 0.6em; }
.scribble-scores { grid-area: scores; align-self: start; list-style: none; margin: 0; padding: 0; display: grid; gap: 4px; }
.scribble-row { display: flex; align-items: center; gap: 6px; padding: 5px 10px; border-radius: 9px; background: rgb(16 22 31 / 0.9); font-size: 14px; }
.scribble-mine { outline: 1px solid rgb(140 180 255 / 0.45); }
.scribble-knows { background: rgb(0 84 62 / 0.75); }
.scribble-mark { width: 1em; color: #56e0c8; }
.scribble-name { flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.scribble-gained { color: #56e0c8; font-size: 12.5px; }
.scribble-points { font-weight: 700; color: #e8effa; }
.scribble-desk { grid-area: desk; display: flex; flex-direction: column; align-items: center; gap: 10px; min-width: 0; min-height: 0; }
.scribble-paper { position: relative; flex: 0 1 auto; width: min(100%, (100dvh - 226px) * 4 / 3); aspect-ratio: 4 / 3; }
.scribble-sheet { display: block; width: 100%; height: 100%; border-radius: 10px; background: #fff; touch-action: none; pointer-events: auto; -webkit-touch-callout: none; }
.scribble-sheet[role="application"] { cursor: crosshair; }
.scribble-over { position: absolute; inset: auto 0 auto; top: 50%; transform: translateY(-50%); display: grid; gap: 10px; justify-items: center; padding: 18px; background: rgb(9 13 20 / 0.9); color: #e8effa; font-size: 19px; text-align: center; }
.scribble-over.scribble-low { top: auto; bottom: 0; transform: none; padding: 10px; border-radius: 0 0 10px 10px; grid-auto-flow: column; justify-content: center; gap: 4px 14px; flex-wrap: wrap; font-size: 16px; }
.scribble-over strong { color: #56e0c8; }
.scribble-choices { display: flex; flex-wrap: wrap; justify-content: center; gap: 10px; }
.scribble-choice { pointer-events: auto; font-size: 18px; padding: 10px 20px; color: #e8effa; }
.scribble-tools { display: flex; flex-wrap: wrap; justify-content: center; gap: 8px 16px; pointer-events: auto; }
.scribble-tools > div { display: flex; gap: 5px; }
.scribble-tools button { padding: 6px 12px; font-size: 14px; min-height: 34px; }
.scribble-colors { flex-wrap: wrap; }
.scribble-tools .scribble-color, .scribble-tools .scribble-width { width: 34px; padding: 0; }
.scribble-tools .scribble-color { background: var(--pen); border: 2px solid rgb(140 180 255 / 0.45); border-radius: 50%; }
.scribble-tools .scribble-color[aria-pressed="true"] { box-shadow: 0 0 0 2px #06080d, 0 0 0 5px #56e0c8; }
.scribble-width { display: grid; place-items: center; }
.scribble-width::before { content: ""; width: var(--wide); height: var(--wide); border-radius: 50%; background: #e8effa; }
.scribble-tools .scribble-width[aria-pressed="true"] { border-color: #56e0c8; background: rgb(86 224 200 / 0.22); }
.scribble-status { min-height: 1.5em; font-size: 14.5px; text-align: center; }
.scribble-talk { grid-area: talk; display: flex; flex-direction: column; gap: 8px; min-height: 0; pointer-events: auto; }
.scribble-say { display: flex; gap: 6px; order: 1; }
.scribble-say label { flex: 1; }
.scribble-say input { color: #e8effa; }
.scribble-lines { flex: 1; min-height: 0; overflow-y: auto; padding: 8px 10px; border-radius: 10px; background: rgb(16 22 31 / 0.9); font-size: 14px; overflow-wrap: anywhere; user-select: text; -webkit-user-select: text; }
.scribble-lines b { color: #e8effa; font-weight: 650; }
.scribble-secret, .scribble-found, .scribble-near { border-radius: 6px; padding: 0 6px; margin-inline: -6px; }
.scribble-found { background: rgb(0 84 62 / 0.75); }
.scribble-near { background: rgb(102 70 0 / 0.75); color: #ffe2a0; }
.scribble-secret { color: #8fe6d4; }
.scribble-news { color: #93a5c0; }
.scribble-final { list-style: none; margin: 0; padding: 2px; display: grid; gap: 4px; width: min(320px, 100%); max-height: 50dvh; overflow-y: auto; text-align: left; }
.scribble-final .scribble-row { flex-wrap: nowrap; padding: 5px 10px; font-size: 14px; }
.scribble-final .scribble-name { flex: 1; }
.watching .scribble { bottom: 76px; }

@media (max-width: 1000px) {
  .scribble { grid-template-columns: minmax(0, 1fr) 230px; grid-template-rows: auto auto 1fr; grid-template-areas: "head head" "desk scores" "desk talk"; }
  .scribble-scores { max-height: 26dvh; overflow: hidden; }
}
@media (max-width: 760px) {
  /* A phone upright: the field is right below the sheet, so that the keys do not cover it. */
  .scribble { inset: max(12px, env(safe-area-inset-top)) 8px 8px; gap: 8px; grid-template: minmax(120px, auto) auto auto 1fr / minmax(0, 1fr); grid-template-areas: "head" "scores" "desk" "talk"; }
  .scribble-head { grid-template-columns: auto auto; justify-content: end; align-content: start; gap: 2px 10px; padding-left: 190px; }
  .scribble-word { grid-row: 2; grid-column: 1 / -1; justify-self: end; flex-wrap: wrap; justify-content: end; font-size: 17px; }
  .scribble-word > span:first-child { gap: 3px; flex-wrap: wrap; }
  .scribble-clock { font-size: 19px; }
  .scribble-round { font-size: 12.5px; align-self: center; }
  .scribble-scores { grid-auto-flow: column; grid-auto-columns: minmax(76px, 1fr); gap: 3px; max-height: none; overflow-x: auto; }
  .scribble-row { flex-wrap: wrap; gap: 0 4px; padding: 3px 6px; font-size: 11.5px; }
  .scribble-name { flex: 1 0 calc(100% - 1.4em); }
  .scribble-gained { font-size: 11px; }
  .scribble-paper { width: min(100%, (100dvh - 400px) * 4 / 3); }
  .scribble-desk { gap: 6px; }
  .scribble-tools { gap: 6px; }
  .scribble-status { font-size: 13.5px; min-height: 0; }
  .scribble-say { order: 0; }
  .scribble-over { font-size: 16px; padding: 12px; }
  .scribble-choice { font-size: 16px; padding: 9px 14px; }
}
@media (max-height: 480px) {
  .scribble { inset: 54px 10px 8px; grid-template-columns: auto minmax(0, 1fr); grid-template-rows: auto auto 1fr; grid-template-areas: "desk head" "desk scores" "desk talk"; gap: 6px 10px; }
  .scribble-desk { flex-direction: row; align-items: start; }
  .scribble-paper { width: calc((100dvh - 66px) * 4 / 3); }
  .scribble-tools { flex-direction: column; width: 92px; }
  .scribble-tools > div { flex-wrap: wrap; }
  .scribble-tools button { min-height: 26px; padding: 2px 8px; font-size: 13px; }
  .scribble-tools .scribble-color, .scribble-tools .scribble-width { width: 26px; }
  .scribble-status { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .scribble-scores { display: none; }
  .scribble-head { grid-template-columns: auto auto; min-height: 0; }
  .scribble-word { grid-row: 2; grid-column: 1 / -1; font-size: 18px; }
}
`;

let sheet: CSSStyleSheet | undefined;

/** Gives the document the style of a match, once. */
export function addStyle(): void {
  if (sheet) return;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  document.adoptedStyleSheets.push(sheet);
}
