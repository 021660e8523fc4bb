//! `#[derive(Serialize)]` and `#[derive(Deserialize)]` for crates that do not depend on `serde` directly.
//!
//! serde's own derives refer to a crate named `serde` unless the type has the attribute `#[serde(crate = "..")]`, and a derive
//! cannot add an attribute to its type. So these macros apply serde's derive to a copy of the type. The copy has attributes that
//! name serde's path and the original type (`#[serde(remote = "..")]`), and the original's implementation calls the copy's
//! functions.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Meta, Token, Visibility, parse_quote, punctuated::Punctuated};

/// Generates an implementation of `tickcast::serde::Serialize`.
pub(crate) fn serialize(input: &DeriveInput) -> syn::Result<TokenStream> {
    let (name, copy) = (&input.ident, copy(input)?);
    Ok(quote! {
        const _: () = {
            #[derive(::tickcast::serde::Serialize)]
            #copy
            impl ::tickcast::serde::Serialize for #name {
                fn serialize<S: ::tickcast::serde::Serializer>(&self, to: S) -> ::core::result::Result<S::Ok, S::Error> {
                    __Proxy::serialize(self, to)
                }
            }
        };
    })
}

/// Generates an implementation of `tickcast::serde::Deserialize`.
pub(crate) fn deserialize(input: &DeriveInput) -> syn::Result<TokenStream> {
    let (name, copy) = (&input.ident, copy(input)?);
    Ok(quote! {
        const _: () = {
            #[derive(::tickcast::serde::Deserialize)]
            #copy
            impl<'de> ::tickcast::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::tickcast::serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                    __Proxy::deserialize(from)
                }
            }
        };
    })
}

/// Returns a copy of the type that keeps only the attributes of serde and `cfg`.
fn copy(input: &DeriveInput) -> syn::Result<TokenStream> {
    if !input.generics.params.is_empty() {
        let message = "this derive does not support generics: depend on serde and derive serde::Serialize or serde::Deserialize";
        return Err(syn::Error::new_spanned(&input.generics, message));
    }
    let original = &input.ident;
    let remote = original.to_string();
    let mut copy = input.clone();
    copy.ident = syn::Ident::new("__Proxy", original.span());
    copy.vis = Visibility::Inherited;
    copy.attrs.retain(|attribute| attribute.path().is_ident("cfg"));
    match &mut copy.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| keep_serde(&mut field.attrs)),
        Data::Enum(data) => data.variants.iter_mut().for_each(|variant| {
            keep_serde(&mut variant.attrs);
            variant.discriminant = None;
            variant.fields.iter_mut().for_each(|field| keep_serde(&mut field.attrs));
        }),
        Data::Union(_) => return Err(syn::Error::new_spanned(original, "this derive supports only structs and enums")),
    }
    let mut options = options(&input.attrs)?;
    for option in &mut options {
        // The copy does not implement `Default`, so the original's default is used.
        if matches!(option, Meta::Path(path) if path.is_ident("default")) {
            let default = format!("<{remote} as ::core::default::Default>::default");
            *option = parse_quote!(default = #default);
        }
    }
    // The name of the type is part of error messages and of some formats.
    if !options.iter().any(|option| option.path().is_ident("rename")) {
        options.push(parse_quote!(rename = #remote));
    }
    Ok(quote! {
        #[serde(crate = "::tickcast::serde", remote = #remote, #(#options),*)]
        #[allow(dead_code)]
        #copy
    })
}

fn keep_serde(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| attribute.path().is_ident("serde") || attribute.path().is_ident("cfg"));
}

/// Returns the type's serde options, such as `default` and `rename_all = ".."`.
fn options(attributes: &[Attribute]) -> syn::Result<Vec<Meta>> {
    let mut options = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        options.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    Ok(options)
}
