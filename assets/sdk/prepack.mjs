// Prepares the folder for `npm pack`: removes an older build, and copies the licences of the repository beside
// package.json, because npm packs no files from outside of the package.

import { copyFile, rm } from "node:fs/promises";

await rm(new URL("dist", import.meta.url), { recursive: true, force: true });
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) {
  await copyFile(new URL(`../../${name}`, import.meta.url), new URL(name, import.meta.url));
}
