//! The module by which clients predict a game.

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_128;

/// The WebAssembly module that [`predictor!`](crate::predictor) makes of a game's rules, for clients to predict with.
///
/// Its bytes alone are enough: a server compresses them with gzip for clients that take it.
///
/// # Examples
///
/// ```
/// use tickcast::game::RulesModule;
///
/// // A program would embed both: `include_bytes!("arena_module.wasm")`.
/// let (bytes, compressed) = (&b"\0asm.."[..], &b".."[..]);
/// let module = RulesModule::from(bytes).brotli(compressed);
/// assert_eq!(module.bytes(), bytes);
/// ```
#[derive(Debug, Clone)]
pub struct RulesModule {
    bytes: Bytes,
    brotli: Option<Bytes>,
    hash: String,
}

impl RulesModule {
    /// Adds the same bytes compressed with brotli, for clients that take that. They must be those of this very module.
    pub fn brotli(mut self, compressed: impl Into<Bytes>) -> Self {
        self.brotli = Some(compressed.into());
        self
    }

    /// Returns the module itself.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the module compressed with brotli, if there is that.
    pub fn compressed(&self) -> Option<&Bytes> {
        self.brotli.as_ref()
    }

    /// Returns the hash by which clients tell the module from those of other versions: 32 hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

impl<T: Into<Bytes>> From<T> for RulesModule {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        let hash = format!("{:032x}", xxh3_128(&bytes));
        Self { bytes, brotli: None, hash }
    }
}
