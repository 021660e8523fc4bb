//! The derive macros of `tickcast`. They turn a plain struct into a row of integer columns; what the columns mean is
//! written down in the traits that they implement, in `tickcast::protocol` and `tickcast::game`.

mod choice;
mod forward;
mod record;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{DeriveInput, LitInt, parse_macro_input};

use record::Record;

/// Makes a component travel to the clients.
///
/// `#[replicate(id = 1)]` gives its wire id, 1 to 52; `to = owner` or `to = team` narrows who sees it; `every = 5` sends
/// changes of its value every fifth tick only. Float fields say `#[q(step = 0.03125)]`, with an optional `range = -64.0..=64.0` to clamp to, or `#[q(angle)]` (256 steps a turn) or
/// `#[q(angle = 1024)]`.
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
                        _ => return Err(meta.error("`to` is everyone, owner or team")),
                    };
                    Ok(())
                } else if meta.path.is_ident("every") {
                    every = meta.value()?.parse::<LitInt>()?.base10_parse::<u32>()?;
                    if every == 0 { Err(meta.error("`every` is a number of ticks from 1")) } else { Ok(()) }
                } else {
                    Err(meta.error("replicate takes `id = 1`, `to = everyone | owner | team` and `every = 5`"))
                }
            })?;
        }
        let id = id.filter(|id| (0..=52).contains(id)).ok_or_else(|| {
            syn::Error::new_spanned(&input.ident, "a replicated component says its wire id, 1 to 52: #[replicate(id = 1)]")
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
/// `#[event(id = 1)]` gives its wire id, 1 to 127. Fields take the same attributes as those of `Replicate`.
#[proc_macro_derive(GameEvent, attributes(event, q))]
pub fn game_event(input: TokenStream) -> TokenStream {
    expand(parse_macro_input!(input as DeriveInput), |input, record| {
        let mut id = None::<u8>;
        for attribute in input.attrs.iter().filter(|a| a.path().is_ident("event")) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("id") {
                    return Err(meta.error("event takes `id = 1`"));
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

/// Makes a struct a game's input. Fields as in `Replicate`; `#[one_shot]` marks those that act in one tick only.
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

/// Lets an enum without fields be a field of a component, event or input; it travels as its variant's position.
#[proc_macro_derive(Choice)]
pub fn choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choice::expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// serde's `Serialize`, by the path `tickcast::serde`, so that a game need not depend on serde itself.
///
/// It takes serde's attributes. Types with generics need serde's own derive.
#[proc_macro_derive(Serialize, attributes(serde))]
pub fn serialize(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    forward::serialize(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// serde's `Deserialize`, by the path `tickcast::serde`, so that a game need not depend on serde itself.
///
/// It takes serde's attributes. Types with generics need serde's own derive.
#[proc_macro_derive(Deserialize, attributes(serde))]
pub fn deserialize(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    forward::deserialize(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: DeriveInput, body: impl FnOnce(&DeriveInput, Record) -> syn::Result<Tokens>) -> TokenStream {
    Record::parse(&input).and_then(|record| body(&input, record)).unwrap_or_else(|error| error.to_compile_error()).into()
}
