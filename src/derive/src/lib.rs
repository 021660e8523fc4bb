//! The derive macros of `tickcast`. They turn a plain struct into a row of integer columns, or of values. The traits that they implement, in
//! `tickcast::protocol` and `tickcast::game`, define what the columns mean.

mod choice;
mod forward;
mod options;
mod record;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

use options::{ReplicateOptions, message_id};
use record::Record;

/// Replicates a component to the clients.
///
/// The attribute `#[replicate(..)]` takes:
///
/// - `id = 1`: the wire id, 1 to 52. Required.
/// - `to = everyone`, `to = team` or `to = owner`: the seats that see the component. Default `everyone`.
/// - `every = 5`: sends changes only every fifth tick. Default 1.
///
/// Float fields need a quantisation:
///
/// - `#[q(step = 0.03125)]` rounds to multiples of the step. An optional `range = -64.0..=64.0` also clamps the value.
/// - `#[q(angle)]` stores an angle in 256 steps a turn, and `#[q(angle = 1024)]` in 1024.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(Component, Replicate)]
/// #[replicate(id = 1)]
/// struct Pos {
///     #[q(step = 0.0625, range = 0.0..=24.0)]
///     at: Vec2,
///     #[q(angle)]
///     aim: f32,
/// }
///
/// /// Only the seat that owns the entity sees it.
/// #[derive(Component, Replicate)]
/// #[replicate(id = 2, to = owner)]
/// struct Mana(u8);
/// ```
#[proc_macro_derive(Replicate, attributes(replicate, q))]
pub fn replicate(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), expand_component)
}

/// Makes a struct a game event, which systems send to players.
///
/// `#[event(id = 1)]` sets the wire id, 1 to 127. Fields accept the same attributes as those of `Replicate`. They may also be a
/// `Text<MAX>` or a `Blob<MAX>`.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameEvent)]
/// #[event(id = 1)]
/// struct Hit {
///     #[q(step = 0.0625)]
///     at: Vec2,
///     damage: u8,
/// }
/// ```
#[proc_macro_derive(GameEvent, attributes(event, q))]
pub fn game_event(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), expand_event)
}

/// Makes a struct a game command, which players send.
///
/// `#[command(id = 1)]` sets the wire id, 1 to 127. Fields accept the same attributes as those of `Replicate`. They may also be a
/// `Text<MAX>` or a `Blob<MAX>`.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameCommand)]
/// #[command(id = 1)]
/// struct Guess {
///     word: Text<40>,
/// }
/// ```
#[proc_macro_derive(GameCommand, attributes(command, q))]
pub fn game_command(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), expand_command)
}

/// Makes a struct a game's input.
///
/// Fields accept the same attributes as those of `Replicate`. `#[one_shot]` marks a field that acts in a single tick.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(GameInput, Clone, Default)]
/// struct Pad {
///     dir: Dir8,
///     fire: bool,
///     #[one_shot]
///     jump: bool,
/// }
/// ```
#[proc_macro_derive(GameInput, attributes(q, one_shot))]
pub fn game_input(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), expand_input)
}

/// Lets an enum without fields be a field of a component, event or input. It is sent as the position of its variant.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(Choice, Clone, Copy, PartialEq, Default)]
/// enum Weapon {
///     #[default]
///     Bow,
///     Axe,
/// }
///
/// #[derive(GameInput, Clone, Default)]
/// struct Pad {
///     weapon: Weapon,
/// }
/// ```
#[proc_macro_derive(Choice)]
pub fn choice(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), choice::expand)
}

/// Implements serde's `Serialize` through `tickcast::serde`, so that a game does not have to depend on serde.
///
/// Accepts serde's attributes. Types with generics need serde's own derive.
///
/// # Examples
///
/// ```
/// use tickcast::prelude::*;
///
/// #[derive(Resource, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Round {
///     number: u32,
/// }
/// ```
#[proc_macro_derive(Serialize, attributes(serde))]
pub fn serialize(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), forward::serialize)
}

/// Implements serde's `Deserialize` through `tickcast::serde`, so that a game does not have to depend on serde.
///
/// Accepts serde's attributes. Types with generics need serde's own derive.
#[proc_macro_derive(Deserialize, attributes(serde))]
pub fn deserialize(input: TokenStream) -> TokenStream {
    derive(&parse_macro_input!(input as DeriveInput), forward::deserialize)
}

/// Expands a derive. An error becomes an error of the compiler at the place that is wrong.
fn derive(input: &DeriveInput, expand: fn(&DeriveInput) -> syn::Result<Tokens>) -> TokenStream {
    expand(input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Generates the implementations of `Columns` and `Replicate`.
fn expand_component(input: &DeriveInput) -> syn::Result<Tokens> {
    let (record, ReplicateOptions { id, to, every }) = (Record::parse(input)?, ReplicateOptions::parse(input)?);
    let (name, columns, exact) = (&input.ident, record.columns(), record.exact());
    Ok(quote! {
        #columns
        impl ::tickcast::protocol::Replicate for #name {
            const ID: u8 = #id;
            const TO: ::tickcast::protocol::Audience = ::tickcast::protocol::Audience::#to;
            const EVERY: u32 = #every;
            #exact
        }
    })
}

/// Generates the implementations of `Fields` and `GameEvent`.
fn expand_event(input: &DeriveInput) -> syn::Result<Tokens> {
    let (record, id) = (Record::parse(input)?, message_id(input, "event")?);
    let (name, fields) = (&input.ident, record.fields());
    Ok(quote! {
        #fields
        impl ::tickcast::game::GameEvent for #name {
            const ID: u8 = #id;
        }
    })
}

/// Generates the implementations of `Fields` and `GameCommand`.
fn expand_command(input: &DeriveInput) -> syn::Result<Tokens> {
    let (record, id) = (Record::parse(input)?, message_id(input, "command")?);
    let (name, fields) = (&input.ident, record.fields());
    Ok(quote! {
        #fields
        impl ::tickcast::game::GameCommand for #name {
            const ID: u8 = #id;
        }
    })
}

/// Generates the implementations of `Columns` and `GameInput`.
fn expand_input(input: &DeriveInput) -> syn::Result<Tokens> {
    let record = Record::parse(input)?;
    let (name, columns, one_shot) = (&input.ident, record.columns(), record.one_shot());
    Ok(quote! {
        #columns
        impl ::tickcast::game::GameInput for #name { #one_shot }
    })
}
