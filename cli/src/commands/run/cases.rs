//! The ops that a run computes: one, or a line of JSON for each.
use crate::{
    Failure, Ui,
    input::{self, Limit},
    text,
};
use ridgepole::{Arg, Caps, Error, Features, Limits, Verify, ops, types::excerpt};
use serde_json::Value;
use std::{collections::HashMap, path::Path};

/// The longest name of a case.
const NAME: usize = 200;

/// One op, and whose tensors it takes.
pub(super) struct Case {
    pub op: Box<dyn Verify>,
    pub args: Vec<Arg>,
    /// Where it stands, for messages: `ops.jsonl, line 3, case "a"`. Empty if it is the only one.
    place: String,
    /// What its tensors' names begin with.
    prefix: String,
}

impl Case {
    /// The name of an argument's tensor in the files.
    pub fn tensor(&self, arg: &Arg) -> String {
        format!("{}{}", self.prefix, arg.name)
    }

    /// The same failure, with the place of the case.
    pub fn fail(&self, failure: Failure) -> Failure {
        let text = |why: String| if self.place.is_empty() { why } else { format!("{}: {why}", self.place) };
        match failure {
            Failure::Usage(why) => Failure::Usage(text(why)),
            Failure::Found(why) => Failure::Found(text(why)),
            other => other,
        }
    }
}

/// The op of a file, or its ops: all are valid on the best of devices.
pub(super) fn all(path: &Path, ui: &Ui) -> Result<Vec<Case>, Failure> {
    let file = text::path(input::shown(path));
    let (text, notice) = input::text(path, Limit::OPS, "descriptions of ops")?;
    notice.into_iter().for_each(|notice| ui.note(notice));
    let lines = lines(&text);
    let Some(lines) = lines else {
        return Ok(vec![single(&file, &text)?]);
    };
    let mut seen = HashMap::new();
    lines.into_iter().map(|(number, line)| of_line(&file, number, line, &mut seen)).collect()
}

/// The lines of JSON lines with their numbers; none if the text describes a single op. It does unless it has several lines, of which
/// one by itself is an object with the key `op`.
fn lines(text: &str) -> Option<Vec<(usize, &str)>> {
    let all: Vec<_> = input::lines(text).collect();
    let whole = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|v| v.get("op").is_some());
    (all.len() > 1 && all.iter().any(|(_, line)| whole(line))).then_some(all)
}

fn single(file: &str, text: &str) -> Result<Case, Failure> {
    let at = |e: Error| Failure::usage(format!("{file}: {e}"));
    let mut value = ops::parse_json(text).map_err(at)?;
    let Some(name) = value.as_object_mut().and_then(|o| o.remove("case")) else {
        let op = ops::verify_from_value(value).map_err(at)?;
        valid(op.as_ref())?;
        return Ok(Case { args: op.args(), op, place: String::new(), prefix: String::new() });
    };
    named(file.to_string(), name, value)
}

fn of_line(file: &str, number: usize, line: &str, seen: &mut HashMap<String, usize>) -> Result<Case, Failure> {
    let place = format!("{file}, line {number}");
    let mut value = ops::parse_json(line).map_err(|e| Failure::usage(format!("{place}: {e}")))?;
    let Some(name) = value.as_object_mut().and_then(|o| o.remove("case")) else {
        let why = "wants the key \"case\", the name that its tensors begin with: \"case\": \"a\" takes `a.weight`";
        return Err(Failure::usage(format!("{place}: {why}")));
    };
    let case = named(place.clone(), name, value)?;
    match seen.insert(case.prefix.clone(), number) {
        None => Ok(case),
        Some(before) => Err(case.fail(Failure::usage(format!("line {before} has a case of this name")))),
    }
}

fn named(place: String, name: Value, op: Value) -> Result<Case, Failure> {
    let good = |n: &&str| !n.is_empty() && n.chars().count() <= NAME && !n.contains(char::is_control);
    let Some(name) = name.as_str().filter(good) else {
        let (got, most) = (excerpt(&name.to_string()), format!("1 to {NAME} characters, none of them a control character"));
        return Err(Failure::usage(format!("{place}: `case` is {got}, must be a text of {most}")));
    };
    let place = format!("{place}, case \"{}\"", excerpt(name));
    let op = ops::verify_from_value(op).map_err(|e| Failure::usage(format!("{place}: {e}")))?;
    let case = Case { args: op.args(), op, place, prefix: format!("{name}.") };
    valid(case.op.as_ref()).map_err(|e| case.fail(e))?;
    Ok(case)
}

/// Checks the op's fields as the best of devices would: lengths and references rely on them.
pub(super) fn valid(op: &dyn Verify) -> Result<(), Failure> {
    // As much as an index of 32 bits reaches: no device binds more, and an op makes no table that is larger.
    let most = 1 << 32;
    let limits = Limits { max_storage_buffer_binding_size: most, ..Limits::default() };
    match op.lower(&Caps::new(limits, Features::default(), false)) {
        // The reference has none of a device's limits.
        Ok(_) | Err(Error::Unsupported { .. }) => Ok(()),
        Err(e) => Err(e.into()),
    }
}
