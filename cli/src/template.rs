//! The templates: games that are kept as ordinary files in `templates`, under the name `my-game`.

use clap::ValueEnum;

/// A file of a template: where it goes, and its text.
type Source = (&'static str, &'static str);

/// Lists files of a template, each with the name that it is kept under. Cargo leaves folders with a `Cargo.toml` out of packages, and
/// Git follows every `.gitignore`, so these are kept under other names.
macro_rules! files {
    ($template:literal: $($made:literal = $kept:literal,)*) => {
        &[$(($made, include_str!(concat!("../templates/", $template, "/", $kept)))),*]
    };
}

const ARENA: &[Source] = files! { "arena":
    "Cargo.toml" = "Cargo.toml.in",
    "src/lib.rs" = "src/lib.rs",
    "src/main.rs" = "src/main.rs",
    "module/Cargo.toml" = "module/Cargo.toml.in",
    "module/src/lib.rs" = "module/src/lib.rs",
    "web/package.json" = "web/package.json",
    "web/tsconfig.json" = "web/tsconfig.json",
    "web/index.html" = "web/index.html",
    "web/app.ts" = "web/app.ts",
    "web/my-game.d.ts" = "web/my-game.d.ts",
    "clippy.toml" = "clippy.toml",
    "Dockerfile" = "Dockerfile",
    ".dockerignore" = "dockerignore",
    ".gitignore" = "gitignore",
    "README.md" = "README.md",
};

/// The kind of game to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// Avatars in a yard, who walk and strike.
    Arena,
}

impl Template {
    pub(crate) fn files(self) -> &'static [Source] {
        match self {
            Self::Arena => ARENA,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn count(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }

    #[test]
    fn every_file_of_a_template_is_made() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/arena");
        assert_eq!(Template::Arena.files().len(), count(&folder), "{}", folder.display());
    }
}
