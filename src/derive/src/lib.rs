//! The derive macros of `tickcast`. They turn a plain struct into a row of integer columns. The traits that they implement, in
//! `tickcast::protocol` and `tickcast::game`, define what the columns mean.

mod choice;
mod forward;
mod record;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{DeriveInput, LitInt, parse_macro_input};

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
#[proc_macro_derive(Replicate, attributes(replicate, q))]
pub fn replicate(input: TokenStream) -> TokenStream {
    expand(parse_macro_input!(input as DeriveInput), |input, record| {
        let (mut id, mut to, mut every) = (None::<u8>, quote!(Everyone), 1);
        for attribute in input.attrs.iter().filter(|a| a.path().is_ident("replicate")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("id") {
                    id = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
                    Ok(())
                } else if meta.path.is_ident("to") {
                    let audience: syn::Ident = meta.value()?.parse()?;
                    to = match audience.to_string().as_str() {
                        "everyone" => quote!(Everyone),
                        "owner" => quote!(Owner),
                        "team" => quote!(Team),
                        _ => return Err(meta.error("`to` must be `everyone`, `owner` or `team`")),
                    };
                    Ok(())
                } else if meta.path.is_ident("every") {
                    every = meta.value()?.parse::<LitInt>()?.base10_parse::<u32>()?;
                    if every == 0 { Err(meta.error("`every` must be 1 tick or more")) } else { Ok(()) }
                } else {
                    Err(meta.error("`replicate` accepts only `id = 1`, `to = everyone | owner | team` and `every = 5`"))
                }
            })?;
        }
        let id = id.filter(|id| (0..=52).contains(id)).ok_or_else(|| {
            syn::Error::new_spanned(&input.ident, "a replicated component needs a wire id from 1 to 52: #[replicate(id = 1)]")
        })?;
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
    })
}

/// Makes a struct a game event, which systems send to players.
///
/// `#[event(id = 1)]` sets the wire id, 1 to 127. Fields accept the same attributes as those of `Replicate`.
#[proc_macro_derive(GameEvent, attributes(event, q))]
pub fn game_event(input: TokenStream) -> TokenStream {
    expand(parse_macro_input!(input as DeriveInput), |input, record| {
        let mut id = None::<u8>;
        for attribute in input.attrs.iter().filter(|a| a.path().is_ident("event")) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("id") {
                    return Err(meta.error("`event` accepts only `id = 1`"));
                }
                id = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
                Ok(())
            })?;
        }
        let id = id.filter(|id| (1..=127).contains(id)).ok_or_else(|| {
            syn::Error::new_spanned(&input.ident, "a game event needs a wire id from 1 to 127: #[event(id = 1)]")
        })?;
        let (name, columns) = (&input.ident, record.columns());
        Ok(quote! {
            #columns
            impl ::tickcast::game::GameEvent for #name {
                const ID: u8 = #id;
            }
        })
    })
}

/// Makes a struct a game's input.
///
/// Fields accept the same attributes as those of `Replicate`. `#[one_shot]` marks a field that acts in a single tick.
#[proc_macro_derive(GameInput, attributes(q, one_shot))]
pub fn game_input(input: TokenStream) -> TokenStream {
    expand(parse_macro_input!(input as DeriveInput), |input, record| {
        let (name, columns, one_shot) = (&input.ident, record.columns(), record.one_shot());
        Ok(quote! {
            #columns
            impl ::tickcast::game::GameInput for #name { #one_shot }
        })
    })
}

/// Lets an enum without fields be a field of a component, event or input. It is sent as the position of its variant.
#[proc_macro_derive(Choice)]
pub fn choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Implements serde's `Serialize` through `tickcast::serde`, so that a game does not have to depend on serde.
///
/// Accepts serde's attributes. Types with generics need serde's own derive.
#[proc_macro_derive(Serialize, attributes(serde))]
pub fn serialize(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    forward::serialize(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Implements serde's `Deserialize` through `tickcast::serde`, so that a game does not have to depend on serde.
///
/// Accepts serde's attributes. Types with generics need serde's own derive.
#[proc_macro_derive(Deserialize, attributes(serde))]
pub fn deserialize(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    forward::deserialize(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: DeriveInput, body: impl FnOnce(&DeriveInput, Record) -> syn::Result<Tokens>) -> TokenStream {
    Record::parse(&input).and_then(|record| body(&input, record)).unwrap_or_else(|error| error.to_compile_error()).into()
}
