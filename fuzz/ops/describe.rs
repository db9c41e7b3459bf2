//! The JSON of an op, from what `{:?}` prints of it: ops of the table can be read from JSON, and not all can be written.
use serde_json::{Map, Number, Value};

/// Structs that are values of fields. Other names with braces are variants of an enum.
const PLAIN: [&str; 12] = [
    "Segment",
    "Space",
    "ElasticNet",
    "Group",
    "GroupPenalty",
    "Key",
    "Matrix",
    "Running",
    "Rect",
    "Erasing",
    "Averaging",
    "Blend",
];

/// What may be the op's JSON: the word `None` is no value, or a variant of that name, field by field. None where the text is none of an
/// op, or has a number that JSON has not.
pub fn json(name: &str, debug: &str) -> Vec<Value> {
    let mut nones = Vec::new();
    let mut out = Vec::from_iter(read(name, debug, &[], &mut nones));
    nones.sort();
    nones.dedup();
    for mask in 1..1 << nones.len() {
        let words: Vec<String> = nones.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, n)| n.clone()).collect();
        out.extend(read(name, debug, &words, &mut Vec::new()));
    }
    out
}

fn read(name: &str, debug: &str, words: &[String], nones: &mut Vec<String>) -> Option<Value> {
    let mut reader = Reader(debug, words, nones, String::new());
    reader.name()?;
    let mut value = reader.fields()?;
    value.as_object_mut()?.insert("op".into(), name.into());
    reader.0.is_empty().then_some(value)
}

/// The rest of the text, the fields of which `None` is a word, all fields that have it, and the field that is read.
struct Reader<'a>(&'a str, &'a [String], &'a mut Vec<String>, String);

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(token)?.trim_start();
        Some(())
    }

    fn name(&mut self) -> Option<String> {
        let end = self.0.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest.trim_start();
        (!name.is_empty()).then(|| name.to_string())
    }

    /// `{ a: 1, b: 2 }`, or nothing.
    fn fields(&mut self) -> Option<Value> {
        let mut out = Map::new();
        if self.eat("{").is_none() {
            return Some(Value::Object(out));
        }
        while self.eat("}").is_none() {
            let key = self.name()?;
            self.eat(":")?;
            self.3.clone_from(&key);
            out.insert(key, self.value()?);
            let _ = self.eat(",");
        }
        Some(Value::Object(out))
    }

    fn list(&mut self, end: &str) -> Option<Value> {
        let mut out = Vec::new();
        while self.eat(end).is_none() {
            out.push(self.value()?);
            let _ = self.eat(",");
        }
        Some(Value::Array(out))
    }

    fn value(&mut self) -> Option<Value> {
        if self.eat("[").is_some() {
            return self.list("]");
        }
        if self.0.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            let end = self.0.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(self.0.len());
            let (number, rest) = self.0.split_at(end);
            self.0 = rest.trim_start();
            let whole = number.parse::<u64>().map(Number::from).or_else(|_| number.parse::<i64>().map(Number::from));
            return whole.ok().or_else(|| Number::from_f64(number.parse().ok()?)).map(Value::Number);
        }
        let name = self.name()?;
        match name.as_str() {
            "true" => return Some(Value::Bool(true)),
            "false" => return Some(Value::Bool(false)),
            "None" => {
                self.2.push(self.3.clone());
                return Some(if self.1.contains(&self.3) { "none".into() } else { Value::Null });
            }
            "Some" => {
                self.eat("(")?;
                let value = self.value()?;
                self.eat(")")?;
                return Some(value);
            }
            _ => {}
        }
        if self.0.starts_with('{') {
            let fields = self.fields()?;
            return Some(if PLAIN.contains(&name.as_str()) {
                fields
            } else {
                Value::Object(Map::from_iter([(snake(&name), fields)]))
            });
        }
        if self.eat("(").is_some() {
            let Value::Array(mut all) = self.list(")")? else { return None };
            let inner = if all.len() == 1 { all.remove(0) } else { Value::Array(all) };
            return Some(Value::Object(Map::from_iter([(snake(&name), inner)])));
        }
        Some(Value::String(snake(&name)))
    }
}

/// As serde names variants here.
fn snake(name: &str) -> String {
    if ["TensorFlow"].contains(&name) {
        return name.to_lowercase();
    }
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
