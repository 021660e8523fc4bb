//! `#[derive(Choice)]`, which turns an enum into one column.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields};

pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let name = &input.ident;
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(name, "`Choice` can be derived only for enums"));
    };
    let mut variants = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(syn::Error::new_spanned(variant, "a variant of a `Choice` cannot have fields"));
        }
        variants.push(&variant.ident);
    }
    if variants.is_empty() {
        return Err(syn::Error::new_spanned(name, "a `Choice` needs at least one variant"));
    }
    let names: Vec<String> = variants.iter().map(|v| v.to_string()).collect();
    let positions: Vec<i64> = (0..).take(variants.len()).collect();
    let first = variants[0];
    Ok(quote! {
        impl ::tickcast::protocol::Field<::tickcast::protocol::Plain> for #name {
            const COLUMNS: usize = 1;
            fn kind(_: &::tickcast::protocol::Plain) -> ::tickcast::protocol::FieldKind {
                ::tickcast::protocol::FieldKind::Choice { values: vec![#(#names.into()),*] }
            }
            fn quantise(&self, _: &::tickcast::protocol::Plain, columns: &mut [i64]) {
                columns[0] = match self { #(Self::#variants => #positions),* };
            }
            fn dequantise(_: &::tickcast::protocol::Plain, columns: &[i64]) -> Self {
                match columns[0] { #(#positions => Self::#variants,)* _ => Self::#first }
            }
            fn save(&self, to: &mut ::std::vec::Vec<u8>) {
                let mut column = [0];
                self.quantise(&::tickcast::protocol::Plain, &mut column);
                to.extend_from_slice(&column[0].to_le_bytes());
            }
            fn restore(from: &mut &[u8]) -> ::core::option::Option<Self> {
                let column = <i64 as ::tickcast::protocol::Exact>::restore(from)?;
                match column { #(#positions => ::core::option::Option::Some(Self::#variants),)* _ => ::core::option::Option::None }
            }
        }
    })
}
