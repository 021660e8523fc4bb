//! Where a game takes Tickcast from: a copy of its repository on this machine, or the packages that are published.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// Where a game takes Tickcast from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A copy of the repository in this folder.
    Repository(PathBuf),
    /// The packages that have the version of this program.
    Published,
}

impl Origin {
    /// Takes the folder that was named. Otherwise looks for a copy of the repository: the one that this program was built in, or the
    /// one that the current folder is in.
    ///
    /// # Errors
    ///
    /// If the folder that was named is no copy of the repository.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = named {
            if !is_repository(folder) {
                bail!("{} is not a copy of Tickcast's repository", folder.display());
            }
            return Ok(Self::Repository(absolute(folder)?));
        }
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned);
        let current = env::current_dir().context("cannot tell the current folder")?;
        let mut folders = built_in.into_iter().chain(current.ancestors().map(Path::to_owned));
        let found = folders.find(|folder| is_repository(folder));
        found.map_or(Ok(Self::Published), |folder| Ok(Self::Repository(absolute(&folder)?)))
    }

    /// Puts the origin into a text of a template.
    pub(crate) fn give_to(&self, text: &str) -> String {
        self.marks().into_iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, &value))
    }

    /// The marks in templates, and what stands in their places.
    fn marks(&self) -> [(&'static str, String); 6] {
        let build = self.client_to_build().map_or_else(String::new, |commands| commands + "\n");
        let [dependency, client, context, sdk, source] = match self {
            Self::Published => {
                let version = env!("CARGO_PKG_VERSION");
                [&format!("version = \"{version}\""), version, "", "", ""].map(str::to_owned)
            }
            Self::Repository(folder) => {
                let folder = slashed(folder);
                let copy = format!("COPY --from=tickcast . {folder}\n");
                [
                    format!("path = \"{folder}\""),
                    format!("file:{folder}/assets/sdk"),
                    format!(" --build-context tickcast={folder}"),
                    format!("{copy}RUN {build}"),
                    copy,
                ]
            }
        };
        [
            ("TICKCAST_BUILD\n", build),
            ("TICKCAST_SDK\n", sdk),
            ("TICKCAST_SOURCE\n", source),
            ("TICKCAST_CONTEXT", context),
            ("TICKCAST_CLIENT", client),
            ("TICKCAST,", dependency + ","),
        ]
    }

    /// Returns the commands that build the client. The published one is built.
    fn client_to_build(&self) -> Option<String> {
        let Self::Repository(folder) = self else { return None };
        let assets = slashed(&folder.join("assets"));
        Some(format!("npm ci --prefix {assets} && npm run build --workspace sdk --prefix {assets}"))
    }
}

/// Returns whether a folder is the root of Tickcast's repository, with the library and the client.
fn is_repository(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line.trim() == "name = \"tickcast\"") && folder.join("assets/sdk/package.json").is_file()
}

fn absolute(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::canonicalize(folder).with_context(|| format!("cannot tell where {} is", folder.display()))
}

/// Returns a path as it stands in TOML, JSON and shells of every system.
fn slashed(path: &Path) -> String {
    let path = path.display().to_string();
    // The form of paths on Windows that has no other use for slashes.
    path.strip_prefix(r"\\?\").unwrap_or(&path).replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKED: &str =
        "{ TICKCAST, x } \"TICKCAST_CLIENT\" buildTICKCAST_CONTEXT\nTICKCAST_BUILD\nTICKCAST_SDK\nTICKCAST_SOURCE\n";

    #[test]
    fn a_game_takes_a_repository_by_its_path() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let found = Origin::find(None).unwrap();
        assert_eq!(found, Origin::find(Some(repository)).unwrap());
        let text = Origin::Repository("/t".into()).give_to(MARKED);
        let built = "npm ci --prefix /t/assets && npm run build --workspace sdk --prefix /t/assets";
        let expected = "{ path = \"/t\", x } \"file:/t/assets/sdk\" build --build-context tickcast=/t";
        let copy = "COPY --from=tickcast . /t";
        assert_eq!(text, format!("{expected}\n{built}\n{copy}\nRUN {built}\n{copy}\n"));
    }

    #[test]
    fn a_game_takes_published_packages_by_this_version() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(Origin::Published.give_to(MARKED), format!("{{ version = \"{version}\", x }} \"{version}\" build\n"));
        assert_eq!(Origin::Published.client_to_build(), None);
    }

    #[test]
    fn a_folder_without_tickcast_is_refused() {
        let said = Origin::find(Some(Path::new(env!("CARGO_MANIFEST_DIR")))).unwrap_err().to_string();
        assert!(said.ends_with("is not a copy of Tickcast's repository"), "{said}");
    }
}
