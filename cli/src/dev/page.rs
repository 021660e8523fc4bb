//! Builds the page with npm, and makes pages that are open load it again.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::{
    game::{Game, succeeds},
    say,
};

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The file by which an open page learns that it is out of date.
const STAMP: &str = "build.txt";
/// The script that looks at the stamp.
const SCRIPT: &str = "reload.js";
/// Loads the script. It is put behind the page's own text.
const TAG: &str = "<script type=\"module\" src=\"reload.js\"></script>\n";
/// Loads the page again when the stamp is another one. A server that starts anew does not answer for a moment.
const RELOAD: &str = "// Put here by `tickcast dev`, which takes it away again.
let first;
for (;;) {
  try {
    const answer = await fetch(\"build.txt\", { cache: \"no-store\" });
    if (answer.status === 404) break;
    const stamp = await answer.text();
    if (answer.ok && stamp !== (first ??= stamp)) location.reload();
  } catch {}
  await new Promise((resolve) => setTimeout(resolve, 400));
}
";

pub(super) struct Page {
    folder: PathBuf,
    /// How often a page had to be loaded again.
    loads: u32,
}

impl Page {
    pub(super) fn new(game: &Game) -> Self {
        Self { folder: game.web(), loads: 0 }
    }

    /// Makes the folder that the program serves, and builds the client of Tickcast if it is taken from a repository.
    pub(super) async fn prepare(&self) -> anyhow::Result<()> {
        let dist = self.dist();
        fs::create_dir_all(&dist).with_context(|| format!("cannot create {}", dist.display()))?;
        let Some(sdk) = self.sdk_of_repository().filter(|sdk| !sdk.join("dist/index.js").is_file()) else { return Ok(()) };
        let assets = sdk.parent().unwrap_or(&sdk);
        say(&format!("builds Tickcast's client in {}", sdk.display()));
        let installed = assets.join("node_modules").is_dir() || npm(assets, &["ci", "--no-audit", "--no-fund"]).await?;
        let built = installed && npm(&sdk, &["run", "build"]).await?;
        ensure!(built, "Tickcast's client in {} was not built", sdk.display());
        Ok(())
    }

    /// Builds the page, and loads open ones again. One with a mistake stays as it was.
    pub(super) async fn build(&mut self) -> anyhow::Result<()> {
        say("builds the page");
        let installed = !self.has_to_install() || npm(&self.folder, &["install", "--no-audit", "--no-fund"]).await?;
        if installed && npm(&self.folder, &["run", "--silent", "build"]).await? {
            return self.reload();
        }
        say("the page was not built; the next change of it tries again");
        Ok(())
    }

    /// Loads open pages again.
    pub(super) fn reload(&mut self) -> anyhow::Result<()> {
        self.loads += 1;
        let page = self.dist().join("index.html");
        let text = fs::read_to_string(&page).unwrap_or_default();
        let stamp = format!("{}-{}", std::process::id(), self.loads);
        let write = |file: &str, text: &str| fs::write(self.dist().join(file), text);
        let tagged = if text.ends_with(TAG) { Ok(()) } else { write("index.html", &(text + TAG)) };
        let written = tagged.and_then(|()| write(SCRIPT, RELOAD)).and_then(|()| write(STAMP, &stamp));
        written.with_context(|| format!("cannot write into {}", self.dist().display()))
    }

    /// Takes away what makes pages load again.
    pub(super) fn clean(&self) {
        let page = self.dist().join("index.html");
        let text = fs::read_to_string(&page).unwrap_or_default();
        if let Some(own) = text.strip_suffix(TAG) {
            // Files that stay behind do nothing without a stamp.
            let _ = fs::write(&page, own);
        }
        for file in [SCRIPT, STAMP] {
            let _ = fs::remove_file(self.dist().join(file));
        }
    }

    fn dist(&self) -> PathBuf {
        self.folder.join("dist")
    }

    /// Returns whether the packages are not installed, or not those that the page asks for now.
    fn has_to_install(&self) -> bool {
        let changed = |file: &str| self.folder.join(file).metadata().and_then(|data| data.modified());
        match (changed("node_modules/.package-lock.json"), changed("package.json")) {
            (Ok(installed), Ok(asked)) => installed < asked,
            _ => true,
        }
    }

    /// Returns the folder of the client, if the page takes it from a repository.
    fn sdk_of_repository(&self) -> Option<PathBuf> {
        let package = fs::read(self.folder.join("package.json")).ok()?;
        let package: Value = serde_json::from_slice(&package).ok()?;
        let folder = package["dependencies"]["@tickcast/client"].as_str()?.strip_prefix("file:")?;
        Some(self.folder.join(folder))
    }
}

/// Runs npm in a folder, and returns whether it succeeded.
///
/// # Errors
///
/// If npm cannot be run.
pub(super) async fn npm(folder: &Path, args: &[&str]) -> anyhow::Result<bool> {
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    succeeds(NPM, folder, &args).await
}
