//! What stands at a field: `#[field(…)]`.
use crate::text;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Error, Expr, ExprLit, Lit, Meta, Result, Token,
    parse::{Parse, ParseStream},
};

/// The default of a field.
pub enum Fallback {
    /// It must be given.
    None,
    /// That of its type.
    OfType,
    /// This one, which is so in JSON.
    Is(TokenStream, String),
}

/// What `#[field(…)]` says.
pub struct Said {
    pub fallback: Fallback,
    /// By the names of `Range`'s fields.
    bounds: [Option<Bound>; 5],
    must_give: Vec<String>,
    only: Vec<String>,
    pub hidden: bool,
    /// It is an op whose fields stand among those of the op that holds it.
    pub flatten: bool,
    /// Those of its fields that do not.
    pub without: Vec<String>,
}

const BOUNDS: [&str; 5] = ["min", "above", "max", "below", "multiple_of"];

/// A number, and how it is written: a literal, or `2^34 - 4`.
struct Bound {
    value: TokenStream,
    text: String,
}

impl Bound {
    fn of(tokens: TokenStream) -> Self {
        let text = text::number(&tokens.to_string());
        let Some((_, power)) = text.split_once("2^") else { return Self { value: quote!((#tokens) as _), text } };
        let (power, less) = power.split_once('-').unwrap_or((power, "0"));
        let [power, less] = [power, less].map(|n| n.parse::<u64>().unwrap_or(u64::MAX));
        Self { value: quote!(((1_u64 << #power) - #less) as _), text: text.replace('-', " - ") }
    }
}

/// The words of a list.
fn words(list: TokenStream) -> Vec<String> {
    let groups = list.into_iter().filter_map(|t| if let TokenTree::Group(g) = t { Some(g.stream()) } else { None });
    groups.flatten().filter_map(|t| if let TokenTree::Ident(w) = t { Some(w.to_string()) } else { None }).collect()
}

/// `name` or `name = value`, whose value ends at a comma.
pub struct Argument {
    pub name: Ident,
    pub value: Option<TokenStream>,
}

impl Parse for Argument {
    fn parse(input: ParseStream) -> Result<Self> {
        let name = input.parse()?;
        if !input.peek(Token![=]) {
            return Ok(Self { name, value: None });
        }
        input.parse::<Token![=]>()?;
        let mut value = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            value.extend([input.parse::<TokenTree>()?]);
        }
        if value.is_empty() {
            return Err(Error::new(name.span(), format!("`{name} =` wants a value")));
        }
        Ok(Self { name, value: Some(value) })
    }
}

impl Said {
    /// Of a field.
    pub fn of_field(attributes: &mut Vec<Attribute>, name: &Ident) -> Result<Self> {
        let said = Self::take(attributes)?;
        if said.hidden {
            return Err(Error::new(name.span(), "a field is not hidden, a variant may be"));
        }
        if said.flatten && said.says_more() {
            return Err(Error::new(name.span(), "what is flattened says `without` beside that, and nothing else"));
        }
        if !said.flatten && !said.without.is_empty() {
            return Err(Error::new(name.span(), "what is not flattened is not without fields"));
        }
        Ok(said)
    }

    /// Whether it says what only a field of its own can say.
    fn says_more(&self) -> bool {
        let lists = !self.must_give.is_empty() || !self.only.is_empty();
        lists || !matches!(self.fallback, Fallback::None) || self.bounds.iter().any(Option::is_some)
    }

    /// Of a variant.
    pub fn of_variant(attributes: &mut Vec<Attribute>, name: &Ident) -> Result<Self> {
        let said = Self::take(attributes)?;
        let of_a_field = said.flatten || !said.without.is_empty() || !said.must_give.is_empty() || !said.only.is_empty();
        if matches!(said.fallback, Fallback::None) && !of_a_field {
            return Ok(said);
        }
        Err(Error::new(name.span(), "at a variant, `field` knows the range of what it holds, and hidden"))
    }

    /// Takes the attribute from among the others, if it is there.
    fn take(attributes: &mut Vec<Attribute>) -> Result<Self> {
        let mut said = Self {
            fallback: Fallback::None,
            bounds: Default::default(),
            must_give: vec![],
            only: vec![],
            hidden: false,
            flatten: false,
            without: vec![],
        };
        let (ours, others) = std::mem::take(attributes).into_iter().partition(|a| a.path().is_ident("field"));
        *attributes = others;
        let ours: Vec<Attribute> = ours;
        for attribute in ours {
            for argument in attribute.parse_args_with(syn::punctuated::Punctuated::<Argument, Token![,]>::parse_terminated)? {
                said.hear(argument)?;
            }
        }
        Ok(said)
    }

    fn hear(&mut self, Argument { name, value }: Argument) -> Result<()> {
        let bound = BOUNDS.iter().position(|b| name == b);
        match (name.to_string().as_str(), value, bound) {
            (_, Some(value), Some(i)) if self.bounds[i].is_none() => self.bounds[i] = Some(Bound::of(value)),
            ("default", None, _) => self.fallback = Fallback::OfType,
            ("default", Some(value), _) => {
                let Some(json) = text::json(&value.to_string()) else {
                    return Err(Error::new_spanned(value, "a default is a literal or a variant without fields"));
                };
                self.fallback = Fallback::Is(value, json);
            }
            ("hidden", None, _) => self.hidden = true,
            ("flatten", None, _) => self.flatten = true,
            ("without", Some(value), _) => self.without = words(value),
            ("must_give", Some(value), _) => self.must_give = words(value),
            ("only", Some(value), _) => self.only = words(value),
            _ => {
                let why = "`field` knows, each once: default, default = …, min = …, above = …, max = …, below = …, \
                           multiple_of = …, must_give = […], only = […], hidden, flatten, without = […]";
                return Err(Error::new(name.span(), why));
            }
        }
        Ok(())
    }

    /// The `Range`.
    pub fn range(&self) -> TokenStream {
        let given = BOUNDS.iter().zip(&self.bounds).filter_map(|(name, value)| {
            let (name, value) = (quote::format_ident!("{name}"), &value.as_ref()?.value);
            Some(quote!(#name: ::core::option::Option::Some(#value)))
        });
        let words = self.range_in_words().unwrap_or_default();
        quote!(crate::types::Range { #(#given,)* words: #words, ..crate::types::Range::ANY })
    }

    /// The rest of a `Field`.
    pub fn lists(&self) -> TokenStream {
        let Self { must_give, only, .. } = self;
        quote!(must_give: &[#(#must_give),*], only: &[#(#only),*])
    }

    /// The range in words: `at least 0`, `0 to below 1`; nothing for every number.
    fn range_in_words(&self) -> Option<String> {
        let [min, above, max, below, multiple_of] = self.bounds.each_ref().map(|b| b.as_ref().map(|b| &b.text));
        let mut words = vec![];
        match (min, max, below) {
            (Some(min), Some(max), _) => words.push(format!("{min} to {max}")),
            (Some(min), None, Some(below)) => words.push(format!("{min} to below {below}")),
            (min, max, below) => {
                words.extend(min.map(|v| format!("at least {v}")));
                words.extend(above.map(|v| format!("above {v}")));
                words.extend(max.map(|v| format!("at most {v}")));
                words.extend(below.map(|v| format!("below {v}")));
            }
        }
        words.extend(multiple_of.map(|v| format!("a multiple of {v}")));
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// What the rustdoc gets behind its own text.
    pub fn remark(&self, ty: Option<&syn::Type>) -> Option<String> {
        if self.flatten {
            let names: Vec<_> = self.without.iter().map(|n| format!("`{n}`")).collect();
            let without = match names.split_last() {
                None => String::new(),
                Some((last, [])) => format!(" {last} is not among them and does not matter here."),
                Some((last, others)) => format!(" {} and {last} are not among them and do not matter here.", others.join(", ")),
            };
            return Some(format!(" In JSON its fields stand among this op's own.{without}"));
        }
        let ty = ty.map(|t| t.to_token_stream().to_string().replace(' ', "")).unwrap_or_default();
        let default = match &self.fallback {
            Fallback::Is(value, _) if value.to_string().contains("::") => {
                Some(format!("[`{}`]", value.to_string().replace(' ', "")))
            }
            Fallback::Is(value, _) => Some(text::number(&value.to_string())),
            Fallback::OfType if ty == "bool" => Some("false".into()),
            Fallback::OfType if ty.starts_with("Option<") => Some("`None`".into()),
            Fallback::OfType if ["f64", "u32", "u64", "usize"].contains(&&*ty) => Some("0".into()),
            _ => None,
        };
        let range = self.range_in_words().map(|w| {
            let mut letters = w.chars();
            letters.next().map(|first| format!(" {}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
        });
        let default = default.map(|d| format!(" Default: {d}."));
        let all = [range, default].into_iter().flatten().collect::<String>();
        (!all.is_empty()).then_some(all)
    }
}

/// The lines of the rustdoc.
pub fn rustdoc(attributes: &[Attribute]) -> Vec<String> {
    let line = |a: &Attribute| match &a.meta {
        Meta::NameValue(m) if m.path.is_ident("doc") => match &m.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    attributes.iter().filter_map(line).collect()
}

/// The first paragraph of the rustdoc, as plain text.
pub fn about(attributes: &[Attribute]) -> String {
    let lines = rustdoc(attributes);
    let first: Vec<String> = lines.into_iter().take_while(|l| !l.trim().is_empty()).collect();
    text::plain(&first)
}
