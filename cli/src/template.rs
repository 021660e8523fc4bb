//! The templates: games that are kept as ordinary files in `templates`, under the name `my-game`.

use clap::ValueEnum;

/// A file of a template: where it goes, and its text.
type Source = (&'static str, &'static str);

/// Lists files of a template, each with the name that it is kept under. Cargo leaves folders with a `Cargo.toml` out of packages, and
/// Git follows every `.gitignore`, so these are kept under other names. A file that several templates have is kept in the first of them.
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

const BOARD: &[Source] = files! { "board":
    "Cargo.toml" = "Cargo.toml.in",
    "src/lib.rs" = "src/lib.rs",
    "src/main.rs" = "../arena/src/main.rs",
    "web/package.json" = "../arena/web/package.json",
    "web/tsconfig.json" = "../arena/web/tsconfig.json",
    "web/index.html" = "web/index.html",
    "web/app.ts" = "web/app.ts",
    "web/my-game.d.ts" = "web/my-game.d.ts",
    "clippy.toml" = "../arena/clippy.toml",
    "Dockerfile" = "Dockerfile",
    ".dockerignore" = "../arena/dockerignore",
    ".gitignore" = "../arena/gitignore",
    "README.md" = "README.md",
};

const PARTY: &[Source] = files! { "party":
    "Cargo.toml" = "../board/Cargo.toml.in",
    "src/lib.rs" = "src/lib.rs",
    "src/main.rs" = "../arena/src/main.rs",
    "web/package.json" = "../arena/web/package.json",
    "web/tsconfig.json" = "../arena/web/tsconfig.json",
    "web/index.html" = "web/index.html",
    "web/app.ts" = "web/app.ts",
    "web/my-game.d.ts" = "web/my-game.d.ts",
    "clippy.toml" = "../arena/clippy.toml",
    "Dockerfile" = "../board/Dockerfile",
    ".dockerignore" = "../arena/dockerignore",
    ".gitignore" = "../arena/gitignore",
    "README.md" = "README.md",
};

/// The kind of game to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// Avatars in a yard, who walk and strike.
    Arena,
    /// Four in a row for two, who take turns by commands.
    Board,
    /// A word with the letter from whoever buzzes first: a button, texts and times.
    Party,
}

impl Template {
    pub(crate) fn files(self) -> &'static [Source] {
        match self {
            Self::Arena => ARENA,
            Self::Board => BOARD,
            Self::Party => PARTY,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    /// Returns the files below a folder.
    fn kept(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { kept(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn every_file_of_a_template_is_made() {
        for template in Template::value_variants() {
            let name = template.to_possible_value().unwrap();
            let files = kept(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name.get_name()));
            assert!(files.len() >= 5, "{}", name.get_name());
            for file in files {
                let text = fs::read_to_string(&file).unwrap();
                assert!(template.files().iter().any(|(_, made)| *made == text), "{}", file.display());
            }
        }
    }
}
