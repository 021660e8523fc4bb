// The look of the playground. A constructed style sheet comes with its code, so the lobby does not load it.

const CSS = `
.match:has(.playground) .stage { cursor: default; }
.match:has(.playground) .bar { max-width: calc(100% - 24px); z-index: 1; }
.match.inspecting:has(.playground) .bar { max-width: calc(100% - 404px); }
.playground {
  position: absolute; inset: 60px 0 0; display: grid; grid-template: minmax(0, 1fr) auto / minmax(0, 1fr) 330px; gap: 12px 14px;
  padding: 0 14px 14px;
  padding-left: max(14px, env(safe-area-inset-left)); padding-right: max(14px, env(safe-area-inset-right));
  pointer-events: auto; user-select: text; -webkit-user-select: text; font-size: 14px; color: var(--body);
}
.match.inspecting .playground { right: 380px; }
.pg-side { grid-row: 1 / 3; grid-column: 2; }
.pg-world, .pg-side, .pg-more { min-height: 0; overflow: auto; overscroll-behavior: contain; display: flex; flex-direction: column; gap: 10px; }
.pg-more { max-height: 34dvh; flex-flow: row wrap; align-items: start; }
.pg-more > * { flex: 1 1 280px; }
.pg-map { flex: 1; min-height: 150px; width: 100%; border-radius: 14px; background: #0b1018; border: 1px solid var(--line); touch-action: none; }
.pg-choices { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; font-size: 13px; }
.pg-choices label { display: flex; gap: 6px; align-items: center; }
.pg-choices select { padding: 4px 8px; font-size: 13px; border-radius: 8px; max-width: 180px; color: var(--text); }
.playground input[type="checkbox"] { width: 17px; height: 17px; margin: 0; accent-color: var(--accent); }
.pg-legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin: 0; padding: 0; list-style: none; font-size: 12.5px; }
.pg-legend i { display: inline-block; width: 10px; height: 10px; margin-right: 6px; border-radius: 50%; }
.pg-part, .pg-table { padding: 12px 14px; border: 1px solid var(--line); border-radius: 14px; background: var(--panel); }
.pg-part h2 { margin: 0 0 8px; }
.pg-table { overflow-x: auto; }
.pg-table table, .playground-seats { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
.playground-seats { background: var(--panel); border-radius: 14px; }
.pg-table caption { text-align: left; font-weight: 650; color: var(--text); padding-bottom: 4px; }
.pg-table th, .pg-table td, .playground-seats th, .playground-seats td { text-align: left; padding: 3px 12px 3px 0; font-weight: 400; vertical-align: top; }
.pg-table thead th, .playground-seats thead th { color: var(--soft); font-size: 12px; }
.playground-seats th, .playground-seats td { padding: 4px 14px; }
.pg-hint { margin: 0; color: var(--soft); font-size: 12.5px; overflow-wrap: anywhere; }
.pg-bad { color: var(--bad); }
.pg-controls { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; }
.pg-stick { display: flex; gap: 12px; align-items: center; width: 100%; }
.pg-pad { position: relative; flex: none; width: 92px; height: 92px; border-radius: 50%; border: 1px solid var(--edge); background: var(--field); touch-action: none; cursor: grab; }
.pg-pad i { position: absolute; width: 34px; height: 34px; margin: -17px 0 0 -17px; border-radius: 50%; background: var(--accent); pointer-events: none; }
.pg-stick p { display: grid; gap: 2px; justify-items: start; }
.pg-stick b { color: var(--text); }
.playground kbd { font: 11.5px ui-monospace, Menlo, Consolas, monospace; padding: 1px 6px; border: 1px solid var(--line); border-radius: 6px; color: var(--soft); }
.pg-button { display: flex; gap: 8px; align-items: center; padding: 8px 14px; touch-action: none; }
.pg-button[aria-pressed="true"] { background: var(--accent); color: #04221d; border-color: transparent; }
.pg-button[aria-pressed="true"] kbd { color: inherit; border-color: currentcolor; }
.pg-field { display: grid; gap: 4px; width: 100%; font-size: 13px; }
.pg-field input, .pg-field select { width: 100%; padding: 6px 10px; border-radius: 8px; color: var(--text); }
.pg-field input[type="range"] { padding: 0; min-height: 24px; accent-color: var(--accent); }
.pg-field input[type="file"] { padding: 4px; font-size: 12px; }
.pg-field input[aria-invalid="true"] { border-color: var(--bad); }
.pg-check { display: flex; flex-direction: row-reverse; justify-content: flex-end; gap: 8px; align-items: center; }
.pg-choices .pg-check { flex-direction: row; }
.pg-form { display: grid; gap: 8px; padding: 10px 0; border-top: 1px solid var(--line); }
.pg-form:first-of-type { border-top: 0; padding-top: 0; }
.pg-form h3 { margin: 0; font-size: 14px; color: var(--text); }
.pg-send { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.pg-send button { padding: 6px 14px; }
.pg-events { list-style: none; margin: 0; padding: 0; max-height: 170px; overflow: auto; font-size: 13px; overflow-wrap: anywhere; }
.pg-events small { color: var(--soft); font-variant-numeric: tabular-nums; }
.pg-events b { color: var(--text); }
@media (max-width: 1100px), (max-height: 480px) { .playground { grid-template-columns: minmax(0, 1fr) 290px; } }
@media (max-width: 760px) {
  .playground, .match.inspecting .playground { display: flex; flex-direction: column; overflow: auto; inset: 56px 0 0; }
  .match.inspecting .playground { bottom: 46%; }
  .match.inspecting:has(.playground) .bar { max-width: calc(100% - 24px); }
  .pg-side { grid-row: 1 / 3; grid-column: 2; }
.pg-world, .pg-side, .pg-more { overflow: visible; flex: none; }
  .pg-map { flex: none; height: 44dvh; }
}
@media (max-height: 480px) {
  .match.inspecting .playground { right: min(340px, 46%); }
  .playground { grid-template-rows: minmax(300px, 1fr) auto; overflow: auto; }
  .pg-side { grid-row: 1 / 3; }
}
`;

let made: CSSStyleSheet | undefined;

/** The style sheet, made when it is first needed. */
export function sheet(): CSSStyleSheet {
  if (!made) {
    made = new CSSStyleSheet();
    made.replaceSync(CSS);
  }
  return made;
}
