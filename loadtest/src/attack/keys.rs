//! The keys of the server under attack. The private one is public, and good for nothing else.

pub(crate) const ISSUER: &str = "attack";
pub(crate) const AUDIENCE: &str = "games";
pub(crate) const RSA: &[u8] = include_bytes!("../../../tests/support/keys/rsa.pem");
pub(crate) const RSA_PUBLIC: &[u8] = include_bytes!("../../../tests/support/keys/rsa.pub.pem");
