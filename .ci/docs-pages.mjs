// The pages of the documentation site.
//
// `stage FOLDER` lays out what mdBook reads: the pages of docs/SUMMARY.md in one folder, with the links between them. `check SITE` fails
// if a link of a page leads nowhere.

import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, normalize, posix, relative } from "node:path";

const [order, folder] = process.argv.slice(2);

/** A link in Markdown, or the definition of one. */
const INLINE = /(?<!!)\[((?:[^[\]]|\[[^[\]]*\])*)\]\(([^()\s]+)\)/g;
const DEFINED = /^\[([^\]]+)\]: (\S+)$/gm;

const isOutside = (target) => /^([a-z]+:|#)/.test(target);

/** Where the site has what is made of the sources. */
const REFERENCES = `
## Reference

- [The library in Rust](api/tickcast/index.html)
- [The client in TypeScript](sdk/index.html)
`;

if (order === "stage") await stage(folder);
else if (order === "check") await check(folder);
else throw new Error("usage: node .ci/docs-pages.mjs stage FOLDER | check SITE");

async function stage(book) {
  const src = join(book, "src");
  await mkdir(src, { recursive: true });
  await copyFile("docs/book.toml", join(book, "book.toml"));
  const summary = await readFile("docs/SUMMARY.md", "utf8");
  const listed = [...summary.matchAll(INLINE)].map(([, , target]) => posix.join("docs", target));
  /** The names of the pages on the site, by their paths in the repository. */
  const names = new Map(listed.map((path) => [path, nameOf(path)]));
  if (new Set(names.values()).size < listed.length) throw new Error("two pages have one name");
  const unlisted = (await readdir("docs")).filter((name) => name.endsWith(".md") && name !== "SUMMARY.md");
  const missing = unlisted.filter((name) => !names.has(`docs/${name}`));
  if (missing.length > 0) throw new Error(`docs/SUMMARY.md does not list ${missing.join(", ")}`);
  for (const path of listed) {
    const text = relinked(await readFile(path, "utf8"), path, names);
    await writeFile(join(src, names.get(path)), path === "README.md" ? text + REFERENCES : text);
  }
  await writeFile(join(src, "SUMMARY.md"), relinked(summary, "docs/SUMMARY.md", names));
}

/** All pages are in one folder, whose first page is the README. */
function nameOf(path) {
  return path === "README.md" ? "index.md" : path.endsWith("/README.md") ? "CLIENT.md" : posix.basename(path);
}

/** Leads links between pages to where they are on the site. A link to another file of the repository becomes its text. */
function relinked(text, path, names) {
  const leads = (target) => {
    const [file, heading = ""] = target.split("#");
    const wanted = posix.normalize(posix.join(posix.dirname(path), file));
    const page = names.get(wanted) ?? names.get(`${wanted}/README.md`);
    if (page) return page + (heading && `#${heading}`);
    if (!existsSync(wanted)) throw new Error(`${path}: ${target} leads nowhere`);
    return undefined;
  };
  const prose = text.split(/(^```[\s\S]*?^```$)/m);
  const mended = prose.map((part, k) => {
    if (k % 2 === 1) return part;
    const inline = part.replace(INLINE, (link, said, target) => {
      if (isOutside(target)) return link;
      const to = leads(target);
      return to ? `[${said}](${to})` : said;
    });
    return inline.replace(DEFINED, (line, name, target) => {
      const to = isOutside(target) ? target : leads(target);
      return to ? `[${name}]: ${to}` : line;
    });
  });
  return mended.join("");
}

async function check(site) {
  const pages = (await readdir(site)).filter((name) => name.endsWith(".html") && name !== "toc.html");
  const texts = new Map();
  const read = async (file) => {
    if (!texts.has(file)) texts.set(file, await readFile(file, "utf8").catch(() => undefined));
    return texts.get(file);
  };
  const dead = [];
  let links = 0;
  for (const page of pages) {
    const text = await read(join(site, page));
    // The page of errors has its links from the root.
    if (page === "404.html") continue;
    for (const [, target] of text.matchAll(/<(?:a|link|script|img)\b[^>]*?\s(?:href|src)="([^"]*)"/g)) {
      if (/^([a-z]+:|\/\/)/.test(target)) continue;
      links += 1;
      const [path, heading = ""] = decodeURI(target)
        .replace(/\?[^#]*/, "")
        .split("#");
      const file = path === "" ? join(site, page) : normalize(join(site, dirname(page), path));
      const found = existsSync(file) && (!heading || (await read(file))?.includes(`id="${heading}"`));
      if (!found) dead.push(`${page}: ${target}`);
    }
  }
  for (const link of new Set(dead)) console.error(`leads nowhere: ${link}`);
  if (dead.length > 0 || pages.length < 5) process.exit(1);
  console.log(`${links} links on ${pages.length} pages of ${relative(".", site)} lead somewhere`);
}
