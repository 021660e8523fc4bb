//! Watches the files of a game.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer,
    notify::{RecommendedWatcher, RecursiveMode},
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::game::Game;

/// An editor writes several files, or one file in several steps. Changes that follow each other this closely are one.
const TOGETHER: Duration = Duration::from_millis(100);

/// Folders of the page that npm makes.
const MADE: [&str; 2] = ["dist", "node_modules"];

/// The parts that have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) rules: bool,
    pub(super) page: bool,
}

impl Changes {
    fn and(self, other: Self) -> Self {
        Self { rules: self.rules || other.rules, page: self.page || other.page }
    }

    fn any(self) -> bool {
        self.rules || self.page
    }
}

pub(super) struct Watch {
    debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
    changes: UnboundedReceiver<Changes>,
    web: PathBuf,
    watched: Vec<PathBuf>,
}

impl Watch {
    pub(super) fn start(game: &Game) -> anyhow::Result<Self> {
        let (tell, changes) = unbounded_channel();
        // Some systems tell of changes by the path without links.
        let root = fs::canonicalize(&game.root).with_context(|| format!("cannot find {}", game.root.display()))?;
        let (within, types) = (root.clone(), format!("{}.d.ts", game.name));
        let handler = move |result: DebounceEventResult| {
            // An error of the system tells of no change.
            let events = result.unwrap_or_default().into_iter().filter(|event| !event.kind.is_access());
            let paths = events.flat_map(|event| event.event.paths).filter(|path| !path.ends_with(&types));
            let changes = paths.map(|path| changed(&within, &path)).fold(Changes::default(), Changes::and);
            if changes.any() {
                // Nobody listens any more when the program ends.
                let _ = tell.send(changes);
            }
        };
        let debouncer = new_debouncer(TOGETHER, None, handler).context("cannot watch files")?;
        let mut watch = Self { debouncer, changes, web: root.join("web"), watched: Vec::new() };
        // Not recursively: there is much in `target` and `node_modules`, and nothing of it is written by a person.
        watch.add(&root, RecursiveMode::NonRecursive)?;
        if game.has_page() {
            watch.add(&root.join("web"), RecursiveMode::NonRecursive)?;
        }
        watch.add(&root.join("src"), RecursiveMode::Recursive)?;
        if root.join("module").is_dir() {
            watch.add(&root.join("module"), RecursiveMode::Recursive)?;
        }
        watch.add_folders_of_page()?;
        Ok(watch)
    }

    /// Waits for a change, and returns all that have come since the last call.
    pub(super) async fn next(&mut self) -> Changes {
        let Some(mut changes) = self.changes.recv().await else { return std::future::pending().await };
        while let Ok(more) = self.changes.try_recv() {
            changes = changes.and(more);
        }
        // A folder that is new since the start. One that cannot be watched is told of at the next start.
        let _ = self.add_folders_of_page();
        changes
    }

    fn add_folders_of_page(&mut self) -> anyhow::Result<()> {
        if !self.watched.contains(&self.web) {
            return Ok(());
        }
        let entries = fs::read_dir(&self.web).with_context(|| format!("cannot read {}", self.web.display()))?;
        let folders = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir());
        let own = folders.filter(|path| !MADE.iter().any(|made| path.ends_with(made)));
        own.collect::<Vec<_>>().iter().try_for_each(|folder| self.add(folder, RecursiveMode::Recursive))
    }

    fn add(&mut self, folder: &Path, mode: RecursiveMode) -> anyhow::Result<()> {
        if !self.watched.iter().any(|watched| watched == folder) {
            self.debouncer.watch(folder, mode).with_context(|| format!("cannot watch {}", folder.display()))?;
            self.watched.push(folder.to_owned());
        }
        Ok(())
    }
}

/// Returns what the change of a file means for a game in a folder.
fn changed(root: &Path, path: &Path) -> Changes {
    let within = path.strip_prefix(root).unwrap_or(Path::new(""));
    let parts: Vec<&str> =
        within.components().filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None }).collect();
    // Files that editors and `cargo` keep beside others.
    let is_own =
        parts.last().is_some_and(|name| !name.starts_with(['.', '#']) && !name.ends_with(['~', '#']) && !name.ends_with(".swp"));
    let nothing = Changes::default();
    match parts[..] {
        _ if !is_own => nothing,
        ["src" | "module", _, ..] | ["Cargo.toml" | "build.rs"] => Changes { rules: true, ..nothing },
        ["web", name, ..] if MADE.contains(&name) || name == "package-lock.json" => nothing,
        ["web", _, ..] => Changes { page: true, ..nothing },
        _ => nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_belongs_to_the_rules_to_the_page_or_to_nobody() {
        let (none, rules, page) =
            (Changes::default(), Changes { rules: true, page: false }, Changes { rules: false, page: true });
        for (path, expected) in [
            ("src/lib.rs", rules),
            ("src/bots/easy.rs", rules),
            ("module/src/lib.rs", rules),
            ("Cargo.toml", rules),
            ("web/app.ts", page),
            ("web/art/tree.png", page),
            ("web/package.json", page),
            ("web/package-lock.json", none),
            ("web/dist/app.js", none),
            ("web/node_modules/esbuild/package.json", none),
            ("web", none),
            ("src", none),
            ("Cargo.lock", none),
            ("README.md", none),
            ("target/debug/my-game", none),
            ("src/.lib.rs.swp", none),
            ("src/lib.rs~", none),
            ("src/#lib.rs#", none),
        ] {
            assert_eq!(changed(Path::new("/game"), &Path::new("/game").join(path)), expected, "{path}");
        }
        assert_eq!(changed(Path::new("/game"), Path::new("/other/src/lib.rs")), none);
    }
}
