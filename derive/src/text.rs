//! From rustdoc to plain text, and from Rust's literals and names to JSON's.

/// Rustdoc as plain text in one line: links by their names, no marks of code, no full stop behind a single sentence.
pub fn plain(lines: &[String]) -> String {
    let joined = lines.iter().map(|l| l.trim()).collect::<Vec<_>>().join(" ");
    let (mut out, mut rest) = (String::new(), joined.trim());
    while let Some(at) = rest.find(['`', '\\', '[']) {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        rest = match rest.as_bytes()[at] {
            b'`' => behind,
            // What a backslash protects.
            b'\\' => {
                let end = behind.chars().next().map_or(0, char::len_utf8);
                out.push_str(&behind[..end]);
                &behind[end..]
            }
            _ => match link(behind) {
                Some((name, behind)) => {
                    out.push_str(&name);
                    behind
                }
                None => {
                    out.push('[');
                    behind
                }
            },
        };
    }
    out.push_str(rest);
    match out.strip_suffix('.') {
        Some(one) if !one.contains(". ") => one.to_string(),
        _ => out,
    }
}

/// The name of a link whose bracket is open, and what comes behind it: an address in parentheses, or nothing where the name is code.
fn link(text: &str) -> Option<(String, &str)> {
    let (name, behind) = text.split_once(']')?;
    let bare = name.replace('`', "");
    match behind.strip_prefix('(').and_then(|b| b.split_once(')')) {
        Some((_, behind)) => Some((bare, behind)),
        None => (name.starts_with('`') && name.ends_with('`')).then_some((bare, behind)),
    }
}

/// The JSON of a literal, or of a variant without fields; none for other expressions.
pub fn json(expression: &str) -> Option<String> {
    let text: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    if text == "true" || text == "false" {
        return Some(text);
    }
    if let Some((_, variant)) = text.rsplit_once("::") {
        return Some(format!("\"{}\"", snake(variant)));
    }
    Some(number(&text)).filter(|n| n.parse::<f64>().is_ok_and(f64::is_finite))
}

/// A number as people write it: 1 for `1.0`, 1000 for `1_000`.
pub fn number(literal: &str) -> String {
    let text: String = literal.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    text.strip_suffix(".0").map_or(text.clone(), String::from)
}

/// `LeakyRelu` as `leaky_relu`, as serde does it.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        plain(&text.lines().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn rustdoc_becomes_plain() {
        assert_eq!(of(" How `x` and `y` are stored."), "How x and y are stored");
        assert_eq!(of(" One. And\n another."), "One. And another.");
        assert_eq!(of("See [`Key::step`], [`X`](crate::X) and [a page](https://x.org/a)."), "See Key::step, X and a page");
        assert_eq!(of(r"f32\[1\], `a[i]`, [0, 1]"), "f32[1], a[i], [0, 1]");
        assert_eq!(of("open [ and \\"), "open [ and ");
    }

    #[test]
    fn defaults_become_json() {
        for (rust, due) in [("1e-5", "1e-5"), ("1.0", "1"), ("2_000", "2000"), ("- 1.5", "-1.5"), ("true", "true")] {
            assert_eq!(json(rust).as_deref(), Some(due));
        }
        assert_eq!(json("Form :: LeakyRelu").as_deref(), Some("\"leaky_relu\""));
        for other in ["f()", "inf", "x", "1.0 + 2.0"] {
            assert_eq!(json(other), None, "{other}");
        }
        assert_eq!([snake("TensorFlow"), snake("SmoothL1"), snake("F32")], ["tensor_flow", "smooth_l1", "f32"]);
    }
}
