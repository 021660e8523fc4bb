// `@tickcast/client` for Node.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { asset, packages } from "./support.mjs";

/** The SDK's sources as one CommonJS module. */
export async function bundled() {
  const folder = await mkdtemp(join(tmpdir(), "tickcast-sdk-"));
  const outfile = join(folder, "client.cjs");
  try {
    await packages
      .web("esbuild")
      .build({ entryPoints: [asset("sdk/src/index.ts")], outfile, bundle: true, platform: "node", format: "cjs" });
    return packages.web(outfile);
  } finally {
    await rm(folder, { recursive: true });
  }
}
