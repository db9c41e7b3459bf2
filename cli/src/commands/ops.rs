//! `ridgepole ops`: the table of ops, as text or as JSON.
use crate::{Failure, Ui};
use ridgepole::{
    Access, DType,
    op::{Field, Kind, Range},
    ops::{self, Entry},
};
use serde_json::{Value, json};

/// Options of `ridgepole ops`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ridgepole ops                    a line for each op
  ridgepole ops dropout            arguments and fields of every op whose name contains it
  ridgepole ops norms              those of a family
  ridgepole ops --json | jq '.[] | {name, formula}'
  ridgepole ops --json | jq '.[] | select(.name == \"adam\").schema'   its JSON as JSON Schema

The fields, with \"op\" for the name, make the OP.json of `ridgepole run`:
  {\"op\": \"penalty_grad\", \"dtype\": \"f32\", \"segments\": [{\"start\": 0, \"len\": 3}], \"groups\": [{\"l1\": 0.5}]}")]
pub struct Args {
    /// Only ops whose name contains this, or the ops of this family, in full detail
    filter: Option<String>,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Lists the ops.
///
/// # Errors
/// [`Failure::Usage`] if the filter matches none, [`Failure::Closed`] if the reader of the list is gone.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let wanted = |family: &str, e: &Entry| args.filter.as_ref().is_none_or(|f| family == f || e.name.contains(f.as_str()));
    let mut chosen = Vec::new();
    for family in ops::FAMILIES {
        let rows: Vec<&Entry> = family.ops.iter().filter(|e| wanted(family.name, e)).collect();
        if !rows.is_empty() {
            chosen.push((family, rows));
        }
    }
    if chosen.is_empty() {
        let families: Vec<&str> = ops::FAMILIES.iter().map(|f| f.name).collect();
        let filter = args.filter.as_deref().unwrap_or_default();
        let why = format!("no op's name contains {filter:?}, and no family has this name; there are: {}", families.join(", "));
        return Err(Failure::usage(why));
    }
    if args.json {
        let all = chosen.iter().flat_map(|(family, rows)| rows.iter().map(|e| describe(family.name, e))).collect();
        return ui.json(&Value::Array(all));
    }
    for (i, (family, rows)) in chosen.iter().enumerate() {
        if i > 0 {
            ui.line("")?;
        }
        ui.line(format_args!("{} ({})", family.title, family.name))?;
        for e in rows {
            match args.filter {
                None => ui.line(format_args!("  {:<28}{}", e.name, e.summary))?,
                Some(_) => details(e, ui)?,
            }
        }
    }
    Ok(())
}

fn details(e: &Entry, ui: &Ui) -> Result<(), Failure> {
    ui.line("")?;
    ui.line(format_args!("{}: {}", e.name, e.summary))?;
    e.formula.lines().try_for_each(|line| ui.line(format_args!("    {line}")))?;
    ui.line("  arguments")?;
    for a in arguments(e) {
        let types: Vec<String> = a.dtypes.iter().map(|t| dtype(*t)).collect();
        let optional = if a.always { "" } else { " (in some cases)" };
        ui.line(format_args!("    {:<16}{:<8}{}{optional}", a.name, access(a.access), types.join(", ")))?;
    }
    ui.line("  fields")?;
    e.fields.iter().try_for_each(|f| field(f, false, 4, ui))
}

/// A field in a line: its text, range and default; what it may hold in the lines below.
fn field(f: &Field, must: bool, indent: usize, ui: &Ui) -> Result<(), Failure> {
    let default = Some(f.default).filter(|d| !d.is_empty() && !must).map(|d| format!("default {d}"));
    let remarks = [range(&f.range), default].into_iter().flatten().collect::<Vec<_>>().join(", ");
    line(f.name, f.about, &remarks, indent, ui)?;
    within(&f.kind, f, indent + 2, ui)
}

fn line(name: &str, about: &str, remarks: &str, indent: usize, ui: &Ui) -> Result<(), Failure> {
    let remarks = if remarks.is_empty() { String::new() } else { format!(" ({remarks})") };
    ui.line(format_args!("{:indent$}{name:<16}{about}{remarks}", ""))
}

fn range(of: &Range) -> Option<String> {
    Some(of.to_string()).filter(|words| !words.is_empty())
}

/// What a field may hold: choices, and the fields of objects. `f` says which of them.
fn within(kind: &Kind, f: &Field, indent: usize, ui: &Ui) -> Result<(), Failure> {
    match kind {
        Kind::Optional { of } | Kind::List { of, .. } => within(of, f, indent, ui),
        Kind::Object { fields, .. } => fields.iter().try_for_each(|g| field(g, f.must_give.contains(&g.name), indent, ui)),
        Kind::Choice { choices, .. } => {
            let mut taken = choices.iter().filter(|c| f.only.is_empty() || f.only.contains(&c.name));
            taken.try_for_each(|c| {
                line(c.name, c.about, &range(&c.range).unwrap_or_default(), indent, ui)?;
                c.holds.map_or(Ok(()), |kind| within(kind, &Field { must_give: &[], only: &[], ..*f }, indent + 2, ui))
            })
        }
        _ => Ok(()),
    }
}

/// An argument over all cases of an op: some come and go with the op's fields.
struct Argument {
    name: &'static str,
    access: Access,
    dtypes: Vec<DType>,
    always: bool,
}

/// The arguments in an order that is that of every case: what stands before another in any case does so here.
fn arguments(entry: &Entry) -> Vec<Argument> {
    let cases: Vec<_> = (entry.cases)().iter().map(|op| op.args()).collect();
    let mut found: Vec<Argument> = Vec::new();
    for a in cases.iter().flatten() {
        match found.iter_mut().find(|k| k.name == a.name) {
            Some(known) if known.dtypes.contains(&a.dtype) => {}
            Some(known) => known.dtypes.push(a.dtype),
            None => {
                let always = cases.iter().all(|c| c.iter().any(|b| b.name == a.name));
                found.push(Argument { name: a.name, access: a.access, dtypes: vec![a.dtype], always });
            }
        }
    }
    let mut ordered = Vec::new();
    while !found.is_empty() {
        let left: Vec<&str> = found.iter().map(|f| f.name).collect();
        // First among those that are left, in every case that has it.
        let leads = |name: &str| {
            cases.iter().all(|c| {
                let first = c.iter().find(|a| left.contains(&a.name)).map(|a| a.name);
                first == Some(name) || c.iter().all(|a| a.name != name)
            })
        };
        let next = left.iter().position(|name| leads(name)).expect("an op lists its arguments in one order");
        ordered.push(found.remove(next));
    }
    ordered
}

fn describe(family: &str, e: &Entry) -> Value {
    let fields = e.fields.iter().map(|f| {
        let default = serde_json::from_str(f.default).unwrap_or_else(|_| Value::from(f.default));
        let mut field = json!({ "name": f.name, "required": f.default.is_empty(), "about": f.about });
        if !f.default.is_empty() {
            field["default"] = default;
        }
        field
    });
    let arguments = arguments(e).into_iter().map(|a| {
        let types: Vec<String> = a.dtypes.iter().map(|t| dtype(*t)).collect();
        json!({ "name": a.name, "access": access(a.access), "dtypes": types, "always": a.always })
    });
    json!({
        "name": e.name,
        "family": family,
        "summary": e.summary,
        "formula": e.formula,
        "arguments": arguments.collect::<Vec<_>>(),
        "fields": fields.collect::<Vec<_>>(),
        "schema": e.schema(),
    })
}

fn access(a: Access) -> &'static str {
    match a {
        Access::Read => "read",
        Access::Write => "write",
        Access::Update => "update",
    }
}

fn dtype(t: DType) -> String {
    format!("{t:?}").to_lowercase()
}
