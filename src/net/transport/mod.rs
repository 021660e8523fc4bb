//! Bytes on a connection.

pub(crate) mod cursor;
pub(crate) mod habit;
pub(crate) mod lane;
pub(crate) mod overdue;
pub(crate) mod packet;
pub(crate) mod reader;
pub(crate) mod socket;
pub(crate) mod stream;
pub(crate) mod tap;
