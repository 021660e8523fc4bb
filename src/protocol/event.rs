//! Game events, event `e`: `[tick, [id, value, ...], [id, ...], ...]`. A value is an integer column, a text or bytes.

use super::{
    FrameError, Schema, Tick, Values,
    values::{Value, read_values, write_values},
    wire::{MessagePackReader, write_array, write_int},
};

/// Appends the head of a message with `events` events. As many calls of [`write_event`] must follow.
pub fn write_events_head(to: &mut Vec<u8>, tick: Tick, events: usize) {
    write_array(to, 1 + events);
    write_int(to, i64::from(tick.0));
}

/// Appends one event.
pub fn write_event(to: &mut Vec<u8>, id: u8, values: &[Value]) {
    write_array(to, 1 + values.len());
    write_int(to, i64::from(id));
    write_values(to, values);
}

/// Decoded game events: wire ids and values, in order.
pub type WireEvents = Vec<(u8, Values)>;

/// Decodes the events of one tick. Events that the schema does not know are left out.
///
/// # Errors
/// The bytes are not events of the schema.
pub fn decode_events(schema: &Schema, bytes: &[u8]) -> Result<(Tick, WireEvents), FrameError> {
    let mut from = MessagePackReader::new(bytes);
    let events = from.array()?.checked_sub(1).ok_or(FrameError)?;
    let tick = Tick(from.int_in(0..=i64::from(u32::MAX))? as u32);
    let mut decoded = Vec::new();
    for _ in 0..events {
        let values = from.array()?.checked_sub(1).ok_or(FrameError)?;
        let id = from.int_in(1..=127)? as u8;
        match schema.event(id) {
            Some(places) if places.len() == values => decoded.push((id, read_values(&mut from, places)?)),
            Some(_) => return Err(FrameError),
            None => {
                for _ in 0..values {
                    from.skip()?;
                }
            }
        }
    }
    if from.is_empty() { Ok((tick, decoded)) } else { Err(FrameError) }
}
