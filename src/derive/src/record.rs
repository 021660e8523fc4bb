//! A struct as a row of columns. The derives for components, events, commands and inputs share this.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Expr, ExprRange, Fields, Ident, LitInt, Member, Type, spanned::Spanned};

use super::options::set;

/// A parsed struct.
pub(crate) struct Record {
    name: Ident,
    shape: TokenStream,
    fields: Vec<RecordField>,
}

struct RecordField {
    member: Member,
    ty: Type,
    /// The type of the quantiser, and its value.
    quantiser: (TokenStream, TokenStream),
    one_shot: bool,
}

impl Record {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(syn::Error::new_spanned(&input.ident, "this derive supports only structs"));
        };
        if !input.generics.params.is_empty() {
            return Err(syn::Error::new_spanned(
                &input.generics,
                "this derive does not support generics: a type that is sent has one fixed schema",
            ));
        }
        let shape = match &data.fields {
            Fields::Unit => quote!(Unit),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => quote!(Value),
            Fields::Unnamed(fields) => {
                return Err(syn::Error::new_spanned(fields, "name the fields, because clients see them by name"));
            }
            Fields::Named(_) => quote!(Struct),
        };
        let fields = data.fields.members().zip(&data.fields);
        let fields = fields.map(|(member, field)| RecordField::parse(member, field)).collect::<syn::Result<_>>()?;
        Ok(Self { name: input.ident.clone(), shape, fields })
    }

    /// Returns the value of each field's quantiser, for tests.
    #[cfg(test)]
    pub(crate) fn quantisers(&self) -> Vec<String> {
        self.fields.iter().map(|field| field.quantiser.1.to_string().replace(' ', "")).collect()
    }

    /// Generates the implementation of `Columns`.
    pub(crate) fn columns(&self) -> TokenStream {
        let (name, shape, text) = (&self.name, &self.shape, self.name.to_string());
        let members: Vec<_> = self.fields.iter().map(|f| &f.member).collect();
        let names: Vec<_> = members.iter().map(|m| m.to_token_stream().to_string()).collect();
        let (types, values): (Vec<_>, Vec<_>) = self.fields.iter().map(|f| f.quantiser.clone()).unzip();
        let one_shots: Vec<_> = self.fields.iter().map(|f| f.one_shot).collect();
        let fields: Vec<_> = self
            .fields
            .iter()
            .zip(&types)
            .map(|(f, quantiser)| {
                let ty = &f.ty;
                quote!(<#ty as ::tickcast::protocol::Field<::tickcast::protocol::#quantiser>>)
            })
            .collect();
        let starts: Vec<_> = (0..fields.len())
            .map(|i| {
                let before = &fields[..i];
                quote!(0 #(+ #before::COLUMNS)*)
            })
            .collect();
        quote! {
            impl ::tickcast::protocol::Columns for #name {
                const NAME: &'static str = #text;
                const SHAPE: ::tickcast::protocol::Shape = ::tickcast::protocol::Shape::#shape;
                const WIDTH: usize = 0 #(+ #fields::COLUMNS)*;
                fn fields() -> ::std::vec::Vec<::tickcast::protocol::FieldSpec> {
                    vec![#(::tickcast::protocol::FieldSpec {
                        name: #names.into(),
                        kind: #fields::kind(&const { ::tickcast::protocol::#values }),
                        one_shot: #one_shots,
                    }),*]
                }
                #[inline]
                #[allow(unused_variables)]
                fn quantise(&self, columns: &mut [i64]) {
                    #({
                        const START: usize = #starts;
                        #fields::quantise(&self.#members, &const { ::tickcast::protocol::#values }, &mut columns[START..START + #fields::COLUMNS]);
                    })*
                }
                #[inline]
                #[allow(unused_variables)]
                fn dequantise(columns: &[i64]) -> Self {
                    Self { #(#members: {
                        const START: usize = #starts;
                        #fields::dequantise(&const { ::tickcast::protocol::#values }, &columns[START..START + #fields::COLUMNS])
                    }),* }
                }
                #[allow(unused_variables)]
                fn values(&self, values: &mut [f64]) {
                    #({
                        const START: usize = #starts;
                        #fields::values(&self.#members, &const { ::tickcast::protocol::#values }, &mut values[START..START + #fields::COLUMNS]);
                    })*
                }
            }
        }
    }

    /// Generates the implementation of `Fields`.
    pub(crate) fn fields(&self) -> TokenStream {
        let (name, shape, text) = (&self.name, &self.shape, self.name.to_string());
        let members: Vec<_> = self.fields.iter().map(|f| &f.member).collect();
        let names: Vec<_> = members.iter().map(|m| m.to_token_stream().to_string()).collect();
        let values: Vec<_> = self.fields.iter().map(|f| f.quantiser.1.clone()).collect();
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|f| {
                let (ty, quantiser) = (&f.ty, &f.quantiser.0);
                quote!(<#ty as ::tickcast::protocol::ValueField<::tickcast::protocol::#quantiser>>)
            })
            .collect();
        quote! {
            impl ::tickcast::protocol::Fields for #name {
                const NAME: &'static str = #text;
                const SHAPE: ::tickcast::protocol::Shape = ::tickcast::protocol::Shape::#shape;
                fn fields() -> ::std::vec::Vec<::tickcast::protocol::FieldSpec> {
                    vec![#(::tickcast::protocol::FieldSpec {
                        name: #names.into(),
                        kind: #fields::kind(&const { ::tickcast::protocol::#values }),
                        one_shot: false,
                    }),*]
                }
                #[allow(unused_variables)]
                fn write(&self, to: &mut ::tickcast::protocol::Values) {
                    #(#fields::write(&self.#members, &const { ::tickcast::protocol::#values }, to);)*
                }
                #[allow(unused_variables)]
                fn read(from: &mut ::tickcast::protocol::ValueReader<'_>) -> ::core::option::Option<Self> {
                    ::core::option::Option::Some(Self {
                        #(#members: #fields::read(&const { ::tickcast::protocol::#values }, from)?),*
                    })
                }
            }
        }
    }

    /// Generates the methods that save and restore a component exactly.
    pub(crate) fn exact(&self) -> TokenStream {
        let members: Vec<_> = self.fields.iter().map(|f| &f.member).collect();
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|f| {
                let (ty, quantiser) = (&f.ty, &f.quantiser.0);
                quote!(<#ty as ::tickcast::protocol::Field<::tickcast::protocol::#quantiser>>)
            })
            .collect();
        quote! {
            #[allow(unused_variables)]
            fn save(&self, to: &mut ::std::vec::Vec<u8>) { #(#fields::save(&self.#members, to);)* }
            #[allow(unused_variables)]
            fn restore(from: &mut &[u8]) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self { #(#members: #fields::restore(from)?),* })
            }
        }
    }

    /// Generates the methods for one-shot fields.
    pub(crate) fn one_shot(&self) -> TokenStream {
        let members: Vec<_> = self.fields.iter().filter(|f| f.one_shot).map(|f| &f.member).collect();
        quote! {
            #[allow(unused_variables)]
            fn keep_shots(&mut self, earlier: &Self) {
                let rest = <Self as ::core::default::Default>::default();
                #(if self.#members == rest.#members { self.#members = ::core::clone::Clone::clone(&earlier.#members); })*
            }
            fn clear_shots(&mut self) {
                let rest = <Self as ::core::default::Default>::default();
                #(self.#members = rest.#members;)*
            }
        }
    }
}

impl RecordField {
    fn parse(member: Member, field: &syn::Field) -> syn::Result<Self> {
        let (mut quantiser, mut one_shot) = (None, false);
        for attribute in &field.attrs {
            if attribute.path().is_ident("q") {
                if quantiser.is_some() {
                    return Err(syn::Error::new_spanned(attribute, "a field has one quantisation: put all options into one `q`"));
                }
                quantiser = Some(parse_quantiser(attribute)?);
            } else if attribute.path().is_ident("one_shot") {
                let takes_nothing = |_| syn::Error::new_spanned(attribute, "`one_shot` takes no options: #[one_shot]");
                attribute.meta.require_path_only().map_err(takes_nothing)?;
                one_shot = true;
            }
        }
        let quantiser = quantiser.unwrap_or_else(|| (quote!(Plain), quote!(Plain)));
        Ok(Self { member, ty: field.ty.clone(), quantiser, one_shot })
    }
}

/// Parses `#[q(step = 0.5)]`, `#[q(step = 0.5, range = 0.0..=9.0)]`, `#[q(angle)]` or `#[q(angle = 1024)]`.
fn parse_quantiser(attribute: &Attribute) -> syn::Result<(TokenStream, TokenStream)> {
    let (mut step, mut range, mut angle) = (None::<Expr>, None::<ExprRange>, None::<LitInt>);
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("step") {
            set(&mut step, &meta, meta.value()?.parse()?)
        } else if meta.path.is_ident("range") {
            set(&mut range, &meta, meta.value()?.parse()?)
        } else if meta.path.is_ident("angle") {
            let steps =
                if meta.input.peek(syn::Token![=]) { meta.value()?.parse()? } else { LitInt::new("256", Span::call_site()) };
            set(&mut angle, &meta, steps)
        } else {
            Err(meta.error("`q` accepts only `step = 0.03125`, `range = a..=b`, `angle` and `angle = 256`"))
        }
    })?;
    match (step, range, angle) {
        (Some(step), None, None) => Ok((quote!(Step), quote!(Step::new(#step)))),
        (Some(step), Some(range), None) => {
            let (Some(low), Some(high)) = (&range.start, &range.end) else {
                return Err(syn::Error::new(range.span(), "a range needs both ends, as in -64.0..=64.0"));
            };
            Ok((quote!(Step), quote!(Step::within(#step, #low, #high))))
        }
        (None, None, Some(steps)) => Ok((quote!(Angle), quote!(Angle::new(#steps)))),
        _ => Err(syn::Error::new_spanned(attribute, "`q` needs a `step`, with or without a `range`, or an `angle`")),
    }
}
