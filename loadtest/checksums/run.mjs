// node run.mjs MODULE SUBJECT SEED TICKS EVERY: runs a subject in WebAssembly, and prints a digest every so many ticks.
import { readFileSync } from "node:fs";

const [module, subject, seed, ticks, every] = process.argv.slice(-5);
// No imports: whatever differs, differs in the rules.
const { instance } = await WebAssembly.instantiate(readFileSync(module), {});
const { begin, run } = instance.exports;

begin(Number(subject), BigInt(seed));
let spent = 0;
for (let done = 0; done < Number(ticks); done += Number(every)) {
  const from = performance.now();
  const digest = run(Number(every));
  spent += performance.now() - from;
  console.log(`${BigInt.asUintN(64, digest)} ${spent}`);
}
