//! The modules by which clients predict: which game each is for, why a game has none, and the folder of `--rules`.

#[cfg(feature = "cli")]
use {
    anyhow::{anyhow, ensure},
    std::{fs, io, path::Path},
};

use super::error::StartError;
use crate::game::{GameDef, GameError, RulesModule};

/// The first bytes of a WebAssembly module.
const WASM: &[u8] = b"\0asm";

/// Modules by the names of their games.
#[derive(Default)]
pub(super) struct RulesModules {
    modules: Vec<(&'static str, RulesModule)>,
    /// Why games have no module.
    missing: Vec<(&'static str, String)>,
}

impl RulesModules {
    pub(super) fn add(&mut self, game: &'static str, module: RulesModule) {
        self.modules.push((game, module));
    }

    pub(super) fn miss(&mut self, game: &'static str, reason: String) {
        self.missing.push((game, reason));
    }

    /// Gives each game its module. Each module must be one, and of a game that has no other.
    pub(super) fn give_to(&mut self, games: &mut [GameDef]) -> Result<(), StartError> {
        for (game, module) in self.modules.drain(..) {
            let wrong = |message| StartError::Rules { game, message };
            let hosted = games.iter_mut().find(|hosted| hosted.name() == game);
            let hosted = hosted.ok_or_else(|| wrong("needs the game: add .game::<..>()"))?;
            if hosted.rules().is_some() {
                return Err(GameError::Repeated { game, method: ".rules::<..>(..)" }.into());
            }
            if !module.bytes().starts_with(WASM) {
                return Err(wrong("needs a WebAssembly module, which cargo builds of a crate with tickcast::predictor!(..)"));
            }
            *hosted = hosted.clone().with_rules(module);
        }
        for (game, reason) in self.missing.drain(..) {
            if games.iter().any(|hosted| hosted.name() == game && hosted.rules().is_none()) {
                tracing::info!("clients have no module of the rules of {game} to predict with: {reason}");
            }
        }
        Ok(())
    }

    /// Reads the modules in a folder, named as cargo names them. They replace those that the program has.
    #[cfg(feature = "cli")]
    pub(super) fn read(&mut self, folder: &Path, games: impl Iterator<Item = &'static str>) -> anyhow::Result<()> {
        fs::read_dir(folder).map_err(|error| anyhow!("cannot read the folder {} of --rules: {error}", folder.display()))?;
        let mut is_empty = true;
        for game in games {
            let file = folder.join(format!("{}_module.wasm", game.replace('-', "_")));
            let module = match fs::read(&file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read.map_err(|error| anyhow!("cannot read {}: {error}", file.display()))?,
            };
            self.modules.retain(|(other, _)| *other != game);
            self.add(game, module.into());
            is_empty = false;
        }
        ensure!(!is_empty, "{} has no module of a hosted game: the file is named <game>_module.wasm", folder.display());
        Ok(())
    }
}
