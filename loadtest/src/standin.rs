//! Stands in for the library's mirror until it is there.
use std::sync::Arc;
#[derive(serde::Deserialize)]
pub(crate) struct Schema {}
pub(crate) struct Mirror;
pub(crate) struct Desync {
    pub(crate) component: u8,
    pub(crate) expected: u32,
    pub(crate) got: u32,
}
pub(crate) struct Applied {
    pub(crate) desync: Option<Desync>,
}
impl Mirror {
    pub(crate) fn new(_: Arc<Schema>) -> Self {
        Self
    }
    pub(crate) fn apply(&mut self, frame: &[u8]) -> Result<Applied, ()> {
        let desync = (frame.first() == Some(&0x96)).then_some(Desync { component: 1, expected: 2, got: 3 });
        if frame.is_empty() { Err(()) } else { Ok(Applied { desync }) }
    }
}
