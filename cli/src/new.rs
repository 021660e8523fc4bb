//! `tickcast new`: makes a game.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::Args;

use crate::{name::Name, origin::Origin, template::Template};

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The folder to make. Its name is the name of the game.
    folder: PathBuf,
    /// The kind of game.
    #[arg(long, value_enum, default_value = "arena")]
    template: Template,
    /// A copy of Tickcast's repository to depend on. Default: the one that this is run in, else the published packages.
    #[arg(long, value_name = "PATH")]
    tickcast: Option<PathBuf>,
}

/// Makes a game, and prints what to do next.
///
/// # Errors
///
/// If the name is none, something is in the folder, or a file cannot be written.
pub(crate) fn make(args: &NewArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    let named = folder.file_name().with_context(|| format!("\"{}\" names no folder to make", folder.display()))?;
    let name = Name::read(&named.to_string_lossy())?;
    if !is_free(folder)? {
        bail!("{} is not empty: name a folder that does not exist, or an empty one", folder.display());
    }
    let origin = Origin::find(args.tickcast.as_deref())?;
    for (path, text) in args.template.files() {
        write(&folder.join(name.give_to(path)), &origin.give_to(&name.give_to(text)))?;
    }
    println!("Made {}. Next:\n", folder.display());
    println!("  cd {}", folder.display());
    println!("  tickcast dev\n\nIt builds everything and starts the server: open http://127.0.0.1:3000 in two windows.");
    println!("README.md says how to do without it. docs/YOUR-FIRST-GAME.md of Tickcast goes on from here.");
    Ok(())
}

/// Returns whether nothing is in a folder, which need not exist.
fn is_free(folder: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read the folder {}", folder.display())),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.with_context(|| format!("cannot write {}", path.display()))
}
