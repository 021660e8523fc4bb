//! The attributes of types: `#[replicate(..)]` of components, `#[event(..)]` of events and `#[command(..)]` of commands.

use std::ops::RangeInclusive;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{DeriveInput, Error, Ident, LitInt, meta::ParseNestedMeta};

/// The values of `#[replicate(id = 1, to = owner, every = 5)]`.
#[derive(Debug)]
pub(crate) struct ReplicateOptions {
    pub(crate) id: u8,
    /// The variant of `Audience`.
    pub(crate) to: TokenStream,
    pub(crate) every: u32,
}

impl ReplicateOptions {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        const MISSING: &str = "a replicated component needs a wire id from 1 to 52: #[replicate(id = 1)]";
        let (mut id, mut to, mut every) = (None, None, None);
        for_each_option(input, "replicate", |meta| {
            if meta.path.is_ident("id") {
                // The library's own `Seat` has the id 0.
                set(&mut id, meta, wire_id(meta, 0..=52, MISSING)?)
            } else if meta.path.is_ident("to") {
                set(&mut to, meta, audience(meta)?)
            } else if meta.path.is_ident("every") {
                let ticks: LitInt = meta.value()?.parse()?;
                let ticks = ticks.base10_parse().ok().filter(|ticks| *ticks > 0).ok_or(ticks.span());
                set(&mut every, meta, ticks.map_err(|at| Error::new(at, "`every` must be 1 tick or more"))?)
            } else {
                Err(meta.error("`replicate` accepts only `id = 1`, `to = everyone | owner | team` and `every = 5`"))
            }
        })?;
        let id = id.ok_or_else(|| Error::new_spanned(&input.ident, MISSING))?;
        Ok(Self { id, to: to.unwrap_or_else(|| quote!(Everyone)), every: every.unwrap_or(1) })
    }
}

/// Returns the wire id in `#[event(id = 1)]`, or in another attribute of this form.
pub(crate) fn message_id(input: &DeriveInput, attribute: &str) -> syn::Result<u8> {
    let missing = format!("a game {attribute} needs a wire id from 1 to 127: #[{attribute}(id = 1)]");
    let mut id = None;
    for_each_option(input, attribute, |meta| {
        if meta.path.is_ident("id") {
            set(&mut id, meta, wire_id(meta, 1..=127, &missing)?)
        } else {
            Err(meta.error(format!("`{attribute}` accepts only `id = 1`")))
        }
    })?;
    id.ok_or_else(|| Error::new_spanned(&input.ident, missing))
}

/// Stores the value of an option, which must not have one yet.
pub(crate) fn set<T>(option: &mut Option<T>, meta: &ParseNestedMeta<'_>, value: T) -> syn::Result<()> {
    if option.replace(value).is_none() {
        return Ok(());
    }
    let name = meta.path.get_ident().map(Ident::to_string).unwrap_or_default();
    Err(meta.error(format!("`{name}` is given twice")))
}

/// Parses each option of a type's attributes of this name.
fn for_each_option(
    input: &DeriveInput, attribute: &str, mut parse: impl FnMut(&ParseNestedMeta<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let mut attributes = input.attrs.iter().filter(|given| given.path().is_ident(attribute));
    attributes.try_for_each(|given| given.parse_nested_meta(|meta| parse(&meta)))
}

fn wire_id(meta: &ParseNestedMeta<'_>, range: RangeInclusive<u8>, message: &str) -> syn::Result<u8> {
    let refused = |at: Span| Error::new(at, message);
    let id: LitInt = meta.value()?.parse().map_err(|error| refused(error.span()))?;
    id.base10_parse().ok().filter(|id| range.contains(id)).ok_or_else(|| refused(id.span()))
}

fn audience(meta: &ParseNestedMeta<'_>) -> syn::Result<TokenStream> {
    let name: Ident = meta.value()?.parse()?;
    match name.to_string().as_str() {
        "everyone" => Ok(quote!(Everyone)),
        "owner" => Ok(quote!(Owner)),
        "team" => Ok(quote!(Team)),
        _ => Err(Error::new(name.span(), "`to` must be `everyone`, `owner` or `team`")),
    }
}
