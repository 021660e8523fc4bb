// The look of the panel, and the places of uPlot's elements. A constructed style sheet needs no leave of the page's
// Content-Security-Policy.

const CSS = `
:host {
  position: fixed; z-index: 1000; inset: 0 0 0 auto; width: min(380px, 100%); display: block; color-scheme: dark;
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #e8effa; cursor: default; user-select: text;
  -webkit-user-select: text;
}
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel {
  height: 100%; display: flex; flex-direction: column; background: rgb(10 14 21 / 0.97); border-left: 1px solid rgb(140 180 255 / 0.22);
  box-shadow: -12px 0 40px rgb(0 0 0 / 0.45); padding: env(safe-area-inset-top) env(safe-area-inset-right) 0 0;
}
header { display: flex; align-items: center; gap: 8px; padding: 10px 12px; border-bottom: 1px solid rgb(140 180 255 / 0.14); }
h2 { margin: 0; font-size: 14px; font-weight: 700; }
header .soft { margin-right: auto; }
.soft { color: #93a5c0; font-size: 12px; margin: 0; }
button {
  font: inherit; font-size: 12px; font-weight: 600; color: inherit; cursor: pointer; padding: 5px 10px; border-radius: 8px; min-height: 30px;
  border: 1px solid rgb(140 180 255 / 0.2); background: #17202d;
}
button:hover:not(:disabled) { background: #1f2b3c; border-color: rgb(140 180 255 / 0.4); }
button:disabled { opacity: 0.6; cursor: default; }
:focus-visible { outline: 2px solid #56e0c8; outline-offset: 2px; }
.status:empty { display: none; }
.status { margin: 0; padding: 6px 12px; font-size: 12px; background: rgb(86 224 200 / 0.12); }
:host(.corrections) .status { background: rgb(255 93 108 / 0.22); color: #ffc9cf; }
.body { flex: 1; overflow: auto; overscroll-behavior: contain; padding: 0 12px max(16px, env(safe-area-inset-bottom)); }
.part { border-bottom: 1px solid rgb(140 180 255 / 0.12); padding-bottom: 4px; }
.part[open] { padding-bottom: 12px; }
summary { cursor: pointer; }
.part > summary { padding: 9px 0; font-weight: 650; font-size: 12px; letter-spacing: 0.06em; text-transform: uppercase; color: #c0cee3; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 6px; margin: 0 0 10px; }
.figures div { padding: 6px 8px; border-radius: 8px; background: rgb(140 180 255 / 0.07); }
dt { font-size: 11px; color: #93a5c0; }
dd { margin: 0; font-size: 14px; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures .alarm { background: rgb(255 93 108 / 0.24); box-shadow: inset 0 0 0 1px #ff5d6c; }
.figures .alarm dd { color: #ffb3ba; }
figure { margin: 0 0 10px; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 10px; font-size: 11px; color: #93a5c0; }
figcaption ul { display: flex; flex-wrap: wrap; gap: 0 10px; list-style: none; margin: 0; padding: 0; }
figcaption li::before { content: ""; display: inline-block; width: 9px; height: 3px; margin-right: 4px; vertical-align: middle; border-radius: 2px; }
.one::before { background: #56e0c8; }
.two::before { background: #ffb86b; }
.three::before { background: #ff5d6c; }
.plot { height: 92px; overflow: hidden; }
.uplot { width: min-content; }
.u-wrap { position: relative; user-select: none; }
.u-over, .u-under, .u-axis, .u-select { position: absolute; }
.u-under { overflow: hidden; }
.uplot canvas { display: block; position: relative; width: 100%; height: 100%; }
.u-off { display: none; }
table { width: 100%; border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: 11px; color: #93a5c0; padding-bottom: 2px; }
th, td { text-align: left; padding: 2px 6px 2px 0; font-weight: 400; vertical-align: top; overflow-wrap: anywhere; }
thead th { color: #93a5c0; font-size: 11px; }
.number { text-align: right; width: 60px; }
.traffic td:last-child { width: 34%; }
progress { appearance: none; width: 100%; height: 7px; border: 0; border-radius: 4px; overflow: hidden; background: rgb(140 180 255 / 0.1); }
progress::-webkit-progress-bar { background: transparent; }
progress::-webkit-progress-value { background: #56e0c8; border-radius: 4px; }
progress::-moz-progress-bar { background: #56e0c8; border-radius: 4px; }
.controls { display: grid; gap: 8px; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0 0 4px; font-size: 11px; color: #93a5c0; }
.profiles { display: flex; flex-wrap: wrap; gap: 4px; }
.profiles legend { float: left; width: 100%; }
.profiles label { position: relative; cursor: pointer; }
.profiles input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
.profiles span { display: block; padding: 4px 9px; border-radius: 8px; border: 1px solid rgb(140 180 255 / 0.2); background: #17202d; }
.profiles :checked + span { background: #56e0c8; border-color: #56e0c8; color: #04221d; font-weight: 650; }
.profiles :focus-visible + span { outline: 2px solid #56e0c8; outline-offset: 2px; }
.slider { display: grid; grid-template-columns: 74px 1fr 62px; gap: 8px; align-items: center; }
.slider output { text-align: right; font-variant-numeric: tabular-nums; }
input[type="range"] { width: 100%; min-height: 22px; margin: 0; accent-color: #56e0c8; }
.check { display: flex; gap: 8px; align-items: center; min-height: 24px; margin-bottom: 4px; }
input[type="checkbox"] { width: 16px; height: 16px; margin: 0; accent-color: #56e0c8; }
.tree, .notes { list-style: none; margin: 6px 0 0; padding: 0; }
.tree summary { padding: 3px 0; font-variant-numeric: tabular-nums; }
.tree table { margin: 2px 0 8px 14px; width: calc(100% - 14px); }
.differs { color: #ffd28a; }
.notes { max-height: 240px; overflow: auto; font-size: 12px; overflow-wrap: anywhere; }
.notes li { padding: 1px 0; }
.bad { color: #ffb3ba; }
@media (max-width: 620px) and (orientation: portrait) {
  :host { inset: auto 0 0 0; width: 100%; height: 46%; }
  .panel { border-left: 0; border-top: 1px solid rgb(140 180 255 / 0.22); border-radius: 14px 14px 0 0; padding: 0; box-shadow: 0 -12px 40px rgb(0 0 0 / 0.45); }
}
@media (max-height: 480px) {
  :host { width: min(340px, 46%); }
  header { padding: 5px 10px; flex-wrap: wrap; }
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
