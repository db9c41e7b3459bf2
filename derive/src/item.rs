//! The two attributes.
use crate::{
    description::{self, Described, Held},
    field::{Argument, about},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, Result, Token, Type, parse::Parser, punctuated::Punctuated};

/// The fields of a struct that has names for them.
fn named(item: &mut DeriveInput) -> Result<Described> {
    match &mut item.data {
        Data::Struct(data) => match &mut data.fields {
            Fields::Named(fields) => description::named(&item.ident, None, fields),
            other => Err(Error::new_spanned(other, "wants named fields")),
        },
        _ => Err(Error::new(item.ident.span(), "wants a struct with named fields")),
    }
}

/// What is made of its required fields, and the defaults that serde asks for.
fn constructors(name: &Ident, fields: &Described) -> TokenStream {
    let Described { functions, required, optional, .. } = fields;
    let (given, types): (Vec<_>, Vec<_>) = required.iter().cloned().unzip();
    let (left, defaults): (Vec<_>, Vec<_>) = optional.iter().cloned().unzip();
    quote! {
        impl #name {
            #(#functions)*

            /// Of the required fields in their order, the others at their defaults.
            #[allow(dead_code, clippy::too_many_arguments, reason = "as many as there are required fields; ops with `new` of their own may not use it")]
            fn from_required(#(#given: #types),*) -> Self {
                Self { #(#given,)* #(#left: #defaults,)* }
            }
        }
    }
}

/// What stands in the parentheses of an attribute.
struct Arguments(Vec<Argument>);

impl Arguments {
    fn read(tokens: TokenStream) -> Result<Self> {
        Ok(Self(Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens)?.into_iter().collect()))
    }

    /// The value of one, which is not asked for again.
    fn take(&mut self, name: &str) -> Option<TokenStream> {
        let at = self.0.iter().position(|a| a.name == name)?;
        self.0.remove(at).value
    }

    /// Whether all have been asked for.
    fn done(&self, known: &str) -> Result<()> {
        match self.0.first() {
            Some(other) => Err(Error::new(other.name.span(), format!("knows, each once: {known}"))),
            None => Ok(()),
        }
    }
}

pub fn op(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut item: DeriveInput = syn::parse2(item)?;
    let (mut arguments, fields) = (Arguments::read(arguments)?, named(&mut item)?);
    let [Some(name), Some(summary), Some(formula)] = ["name", "summary", "formula"].map(|n| arguments.take(n)) else {
        return Err(Error::new(item.ident.span(), "wants #[op(name = \"…\", summary = \"…\", formula = \"…\")]"));
    };
    let [cases, bench] = ["cases", "bench"].map(|n| arguments.take(n).unwrap_or_else(|| n.parse().expect("a word")));
    let parse = arguments.take("parse");
    arguments.done("name, summary, formula, cases, bench, parse")?;
    let (ident, made, described) = (&item.ident, constructors(&item.ident, &fields), described(&item.ident, &fields));
    let reads = match &fields.held {
        None => quote!(#[derive(::serde::Deserialize)] #[serde(deny_unknown_fields)]),
        Some(_) => quote!(),
    };
    let read = parse.map_or_else(|| quote!(crate::op::read::<#ident>), |path| quote!(#path));
    Ok(quote! {
        #[derive(Clone, PartialEq)]
        #reads
        #item

        #made

        #described

        const NAME: &str = #name;

        pub(super) const ENTRY: crate::op::Entry = crate::op::Entry {
            name: NAME,
            summary: #summary,
            formula: #formula,
            fields: <#ident as crate::op::Fields>::FIELDS,
            #[cfg(feature = "verify")]
            cases: #cases,
            #[cfg(feature = "verify")]
            bench: #bench,
            parse: |value| Ok(Box::new((#read)(value)?)),
            #[cfg(feature = "verify")]
            parse_verify: |value| Ok(Box::new((#read)(value)?)),
        };
    })
}

/// The table of an op's fields, and how they are printed and written; where it holds another op, also how they are read.
fn described(ident: &Ident, fields: &Described) -> TokenStream {
    let (rows, name) = (&fields.rows, ident.to_string());
    let (own, texts): (Vec<_>, Vec<_>) =
        fields.own.iter().filter_map(|f| f.ident.as_ref()).map(|name| (name, name.to_string())).unzip();
    let (table, put, show, read) = match &fields.held {
        None => (quote!(&[#(#rows),*]), quote!(), quote!(), quote!()),
        Some(Held { name: held, ty, without }) => {
            let keeps = quote!(&|name| keeps(name) && !([#(#without),*] as [&str; _]).contains(&name));
            let join = quote!(&<#ty as crate::op::Fields>::FIELDS, &[#(#without),*], &[#(#rows),*]);
            (
                quote!(&crate::op::joined::<{ crate::op::joined_len(#join) }>(#join)),
                quote!(crate::op::Fields::put(&self.#held, out, #keeps)?;),
                quote!(crate::op::Fields::show(&self.#held, out, #keeps);),
                reader(ident, (held, ty), &fields.own),
            )
        }
    };
    quote! {
        impl crate::op::Fields for #ident {
            const FIELDS: &'static [crate::types::Field] = #table;

            fn put<S: ::serde::ser::SerializeStruct>(&self, out: &mut S, keeps: &dyn Fn(&str) -> bool) -> Result<(), S::Error> {
                #put
                #(if keeps(#texts) { out.serialize_field(#texts, &self.#own)?; })*
                Ok(())
            }

            fn show(&self, out: &mut ::core::fmt::DebugStruct<'_, '_>, keeps: &dyn Fn(&str) -> bool) {
                #show
                #(if keeps(#texts) { out.field(#texts, &self.#own); })*
            }
        }

        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let mut out = f.debug_struct(#name);
                crate::op::Fields::show(self, &mut out, &|_| true);
                out.finish()
            }
        }

        impl ::serde::Serialize for #ident {
            fn serialize<S: ::serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut out = to.serialize_struct(#name, <Self as crate::op::Fields>::FIELDS.len())?;
                crate::op::Fields::put(self, &mut out, &|_| true)?;
                ::serde::ser::SerializeStruct::end(out)
            }
        }

        #read
    }
}

/// How an op is read that holds another: of all fields, those of its own are read as a type that has no other.
fn reader(ident: &Ident, (held, of): (&Ident, &Type), own: &[Field]) -> TokenStream {
    let name = ident.to_string();
    let names: Vec<_> = own.iter().filter_map(|f| f.ident.as_ref()).collect();
    let texts = names.iter().map(|n| n.to_string());
    let read = own.iter().map(|Field { attrs, ident, ty, .. }| {
        let attrs = attrs.iter().filter(|a| a.path().is_ident("serde"));
        quote!(#(#attrs)* #ident: #ty)
    });
    quote! {
        impl From<#of> for #ident {
            /// Of this, with the other fields at their defaults.
            fn from(#held: #of) -> Self {
                Self::from_required(#held)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #ident {
            fn deserialize<D: ::serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                #[derive(::serde::Deserialize)]
                struct Own { #(#read),* }

                const ALL: &[crate::types::Field] = <#ident as crate::op::Fields>::FIELDS;
                const NAMES: &[&str] = &crate::op::names::<{ ALL.len() }>(ALL);
                let (#held, own) = crate::op::parted(from, #name, NAMES, &[#(#texts),*])?;
                let Own { #(#names),* } = own;
                Ok(Self { #held, #(#names),* })
            }
        }
    }
}

pub fn value(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut arguments = Arguments::read(arguments)?;
    let given = arguments.take("default");
    arguments.done("default")?;
    let mut item: DeriveInput = syn::parse2(item)?;
    let (text, ident) = (about(&item.attrs), item.ident.clone());
    let name = ident.to_string();
    if let Data::Enum(data) = &mut item.data {
        if let Some(given) = given {
            return Err(Error::new_spanned(given, "an enum's default is the variant with #[default]"));
        }
        let description::Variants { rows, functions, default } = description::variants(&ident, &item.attrs, data)?;
        let made = (!functions.is_empty()).then(|| quote!(impl #ident { #(#functions)* }));
        return Ok(quote! {
            #item

            #made

            impl crate::types::Described for #ident {
                const KIND: crate::types::Kind = crate::types::Kind::Choice { name: #name, about: #text, choices: &[#(#rows),*] };
                const DEFAULT: &'static str = #default;
            }
        });
    }
    let fields = named(&mut item)?;
    if let Some(held) = &fields.held {
        return Err(Error::new(held.name.span(), "an op may hold another, a value may not"));
    }
    // Behind the derive that reads it.
    item.attrs.push(syn::parse_quote!(#[serde(deny_unknown_fields)]));
    let (rows, made) = (&fields.rows, constructors(&ident, &fields));
    let default = given.unwrap_or_else(|| if fields.required.is_empty() { quote!("{}") } else { quote!("") });
    Ok(quote! {
        #item

        #made

        impl crate::types::Described for #ident {
            const KIND: crate::types::Kind = crate::types::Kind::Object { name: #name, about: #text, fields: &[#(#rows),*] };
            const DEFAULT: &'static str = #default;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(made: Result<TokenStream>) -> String {
        made.expect_err("to be refused").to_string()
    }

    fn op_of(field: TokenStream) -> Result<TokenStream> {
        let item = quote!(
            /// An op.
            pub struct X {
                #field
            }
        );
        op(quote!(name = "x", summary = "does x", formula = "y = x"), item)
    }

    #[test]
    fn what_is_said_once_is_written_everywhere() {
        let made = op_of(quote!(
            /// The `eps` of [`X`].
            #[field(default = 1e-5, min = 0, below = 2^34 - 4)]
            pub eps: f64,
        ));
        let made = made.expect("an op").to_string();
        for part in [
            "default = \"X::default_eps\"",
            "fn default_eps () -> f64 { 1e-5 }",
            "default : \"1e-5\"",
            "about : \"The eps of X\"",
            "\" 0 to below 2^34 - 4. Default: 1e-5.\"",
            "fn from_required () -> Self",
            "1_u64 << 34u64",
        ] {
            assert!(made.contains(part), "{part}\n{made}");
        }
        assert!(!made.contains("# [field ("), "{made}");
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(fault(op_of(quote!(pub x: f64))), "wants rustdoc, which is its text in the table of ops");
        for wrong in [quote!(minimum = 0), quote!(min = 0, min = 1), quote!(min), quote!(default, max)] {
            let why = fault(op_of(quote!(
                /// X.
                #[field(#wrong)]
                pub x: f64,
            )));
            assert!(why.starts_with("`field` knows, each once: default, default = …, min = …"), "{wrong}: {why}");
        }
        let of = |wrong: TokenStream| {
            fault(op_of(quote!(
                /// X.
                #[field(#wrong)]
                pub x: f64,
            )))
        };
        assert_eq!(of(quote!(default = f())), "a default is a literal or a variant without fields");
        assert_eq!(of(quote!(hidden)), "a field is not hidden, a variant may be");
        assert_eq!(of(quote!(without = [eps])), "what is not flattened is not without fields");
        assert_eq!(of(quote!(flatten, default)), "what is flattened says `without` beside that, and nothing else");
        let wants = "wants #[op(name = \"…\", summary = \"…\", formula = \"…\")]";
        assert_eq!(
            fault(op(
                quote!(name = "x"),
                quote!(
                    pub struct X {}
                )
            )),
            wants
        );
        let all = quote!(name = "x", summary = "s", formula = "f", color = "red");
        assert_eq!(
            fault(op(
                all,
                quote!(
                    pub struct X {}
                )
            )),
            "knows, each once: name, summary, formula, cases, bench, parse"
        );
        let variant = quote!(
            #[serde(rename_all = "snake_case")]
            pub enum E {
                /// One.
                #[field(default = 1)]
                One(f64),
            }
        );
        assert_eq!(fault(value(quote!(), variant)), "at a variant, `field` knows the range of what it holds, and hidden");
        let nameless = quote!(
            pub enum E {
                /// One.
                One,
            }
        );
        assert_eq!(fault(value(quote!(), nameless)), "wants #[serde(rename_all = \"snake_case\")] behind this attribute");
    }
}
