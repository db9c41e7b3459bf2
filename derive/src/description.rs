//! The constants that describe fields and variants.
use crate::{
    field::{Fallback, Said, about},
    text,
};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Attribute, DataEnum, Error, Expr, ExprLit, Field, Fields, FieldsNamed, Lit, Result, Token, Type, punctuated::Punctuated,
};

/// Named fields of a struct or of a variant, once they are read.
pub struct Described {
    /// A `Field` for each.
    pub rows: Vec<TokenStream>,
    /// The functions from which serde has the defaults, of the type itself.
    pub functions: Vec<TokenStream>,
    /// Names and types of those that must be given.
    pub required: Vec<(Ident, Type)>,
    /// Names of the others, and their defaults.
    pub optional: Vec<(Ident, TokenStream)>,
    /// The op whose fields stand among these.
    pub held: Option<Held>,
    /// All but that, as serde reads them.
    pub own: Vec<Field>,
}

/// An op within another.
pub struct Held {
    pub name: Ident,
    pub ty: Type,
    /// Names of its fields that JSON does not have.
    pub without: Vec<String>,
}

/// Reads the fields of `owner`, in `variant` if it is an enum; what stands at them is replaced by what serde and rustdoc read.
pub fn named(owner: &Ident, variant: Option<&Ident>, fields: &mut FieldsNamed) -> Result<Described> {
    let mut out = Described { rows: vec![], functions: vec![], required: vec![], optional: vec![], held: None, own: vec![] };
    for (place, field) in fields.named.iter_mut().enumerate() {
        let name = field.ident.clone().expect("a field of a struct is named");
        let (said, about) = (Said::of_field(&mut field.attrs, &name)?, about(&field.attrs));
        if about.is_empty() {
            return Err(Error::new(name.span(), "wants rustdoc, which is its text in the table of ops"));
        }
        field.attrs.extend(remark(&said, Some(&field.ty)));
        if said.flatten {
            if place > 0 || variant.is_some() {
                return Err(Error::new(name.span(), "what is flattened is the first field of an op"));
            }
            out.required.push((name.clone(), field.ty.clone()));
            out.held = Some(Held { name, ty: field.ty.clone(), without: said.without });
            continue;
        }
        let (text, ty) = (name.to_string(), &field.ty);
        let default = match &said.fallback {
            Fallback::None => quote!(""),
            Fallback::OfType => {
                field.attrs.push(syn::parse_quote!(#[serde(default)]));
                out.optional.push((name.clone(), quote!(::core::default::Default::default())));
                let why = format!("{owner}: the type of `{text}` has no default in JSON");
                quote!({
                    const { assert!(!<#ty as crate::types::Described>::DEFAULT.is_empty(), #why) };
                    <#ty as crate::types::Described>::DEFAULT
                })
            }
            Fallback::Is(value, json) => {
                let function = match variant {
                    Some(variant) => format_ident!("default_{}_{name}", text::snake(&variant.to_string())),
                    None => format_ident!("default_{name}"),
                };
                let path = format!("{owner}::{function}");
                field.attrs.push(syn::parse_quote!(#[serde(default = #path)]));
                out.functions.push(quote!(fn #function() -> #ty { #value }));
                out.optional.push((name.clone(), quote!(Self::#function())));
                quote!(#json)
            }
        };
        if matches!(said.fallback, Fallback::None) {
            out.required.push((name, ty.clone()));
        }
        let (range, lists) = (said.range(), said.lists());
        out.rows.push(quote!(crate::types::Field {
            name: #text,
            default: #default,
            about: #about,
            kind: <#ty as crate::types::Described>::KIND,
            range: #range,
            #lists,
        }));
        out.own.push(field.clone());
    }
    if out.held.is_some() {
        // The type that serde reads in its place keeps them.
        fields.named.iter_mut().for_each(|f| f.attrs.retain(|a| !a.path().is_ident("serde")));
    }
    Ok(out)
}

fn remark(said: &Said, ty: Option<&Type>) -> Option<Attribute> {
    let text = said.remark(ty)?;
    Some(syn::parse_quote!(#[doc = #text]))
}

/// The variants of an enum, once they are read.
pub struct Variants {
    /// A `Choice` for each.
    pub rows: Vec<TokenStream>,
    pub functions: Vec<TokenStream>,
    /// The JSON of the one that is the default.
    pub default: String,
}

/// Reads the variants of `owner`.
pub fn variants(owner: &Ident, attributes: &[Attribute], data: &mut DataEnum) -> Result<Variants> {
    let case = rename_all(owner, attributes)?;
    let mut out = Variants { rows: vec![], functions: vec![], default: String::new() };
    for variant in &mut data.variants {
        let (said, about) = (Said::of_variant(&mut variant.attrs, &variant.ident)?, about(&variant.attrs));
        if said.hidden {
            continue;
        }
        if about.is_empty() {
            return Err(Error::new(variant.ident.span(), "wants rustdoc, which is its text in the table of ops"));
        }
        variant.attrs.extend(remark(&said, None));
        let name = case(&variant.ident.to_string());
        if variant.attrs.iter().any(|a| a.path().is_ident("default")) {
            out.default = format!("\"{name}\"");
        }
        let holds = match &mut variant.fields {
            Fields::Unit => quote!(::core::option::Option::None),
            Fields::Unnamed(f) if f.unnamed.len() == 1 => {
                let ty = &f.unnamed[0].ty;
                quote!(::core::option::Option::Some(&<#ty as crate::types::Described>::KIND))
            }
            Fields::Named(f) => {
                let within = named(owner, Some(&variant.ident), f)?;
                out.functions.extend(within.functions);
                let rows = within.rows;
                quote!(::core::option::Option::Some(&crate::types::Kind::Object { name: "", about: "", fields: &[#(#rows),*] }))
            }
            Fields::Unnamed(f) => return Err(Error::new_spanned(f, "a variant holds one value, or named ones")),
        };
        let range = said.range();
        out.rows.push(quote!(crate::types::Choice { name: #name, about: #about, range: #range, holds: #holds }));
    }
    Ok(out)
}

/// How serde names the variants.
fn rename_all(owner: &Ident, attributes: &[Attribute]) -> Result<fn(&str) -> String> {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("serde")) {
        for argument in attribute.parse_args_with(Punctuated::<crate::field::Argument, Token![,]>::parse_terminated)? {
            let Some(value) = argument.value.filter(|_| argument.name == "rename_all") else { continue };
            return match syn::parse2(value)? {
                Expr::Lit(ExprLit { lit: Lit::Str(s), .. }) if s.value() == "snake_case" => Ok(text::snake),
                Expr::Lit(ExprLit { lit: Lit::Str(s), .. }) if s.value() == "lowercase" => Ok(str::to_lowercase),
                other => Err(Error::new_spanned(other, "names of variants are snake_case or lowercase")),
            };
        }
    }
    Err(Error::new(owner.span(), "wants #[serde(rename_all = \"snake_case\")] behind this attribute"))
}
