//! What the table of ops says of fields, which is made from what stands at them, is what serde, the constructors and the checks do.
mod constructors;
pub mod document;
mod places;
mod schema;

use crate::{
    common::{descriptions::usual, plain_gpu},
    scalars::specimens,
};
use places::{Place, What, chosen, with};
use ridgepole::{
    Error,
    op::{Entry, Field, Kind, Range},
    ops,
};
use serde_json::Value;

/// The op as text, if its JSON is read.
fn read(entry: &Entry, fields: &Value) -> Result<String, String> {
    (entry.parse_verify)(fields.clone()).map(|op| format!("{op:?}")).map_err(|e| e.to_string())
}

/// Whether the op may be lowered; what is refused of it, if not. A device's limits are none of this.
fn refused(entry: &Entry, fields: &Value) -> Option<String> {
    match (entry.parse_verify)(fields.clone()).and_then(|op| op.lower(&plain_gpu())) {
        Err(e @ (Error::Argument { .. } | Error::Json { .. })) => Some(e.to_string()),
        Err(Error::Unsupported { .. }) => None,
        Err(e) => panic!("{}: {fields}: {e:?}", entry.name),
        Ok(_) => None,
    }
}

/// Every place in every specimen.
fn each_place(mut f: impl FnMut(&'static Entry, &Value, &Place)) {
    for (entry, base) in specimens::all() {
        places::all(entry.fields, &base).iter().for_each(|p| f(entry, &base, p));
    }
}

fn texts(fields: &'static [Field], out: &mut Vec<(String, &'static str)>) {
    fn within(kind: &'static Kind, out: &mut Vec<(String, &'static str)>) {
        match kind {
            Kind::Optional { of } | Kind::List { of, .. } => within(of, out),
            Kind::Object { fields, .. } => texts(fields, out),
            Kind::Choice { name, about, choices } => {
                out.push((name.to_string(), about));
                for c in *choices {
                    out.push((format!("{name} {}", c.name), c.about));
                    c.holds.into_iter().for_each(|k| within(k, out));
                }
            }
            _ => {}
        }
    }
    for f in fields {
        out.push((f.name.to_string(), f.about));
        within(&f.kind, out);
    }
}

#[test]
fn everything_has_a_plain_text() {
    for entry in ops::all() {
        let mut all = vec![];
        texts(entry.fields, &mut all);
        for (name, text) in all {
            let plain = text.len() > 1 && text.trim() == text && !text.contains(['`', '\n']) && !text.contains("](");
            assert!(plain, "{}: {name}: {text:?}", entry.name);
        }
    }
}

/// A range is of numbers, `only` of choices, `must_give` of fields within; none says what is not there.
#[test]
fn what_is_said_of_a_field_fits_its_kind() {
    fn core(kind: &Kind) -> &Kind {
        match kind {
            Kind::Optional { of } | Kind::List { of, .. } => core(of),
            kind => kind,
        }
    }
    let mut narrowed = 0;
    each_place(|entry, _, Place { at, what }| {
        let What::Field { field: f, .. } = what else { return };
        let place = format!("{} {at}/{}", entry.name, f.name);
        let numeric = matches!(core(&f.kind), Kind::Number | Kind::Whole { .. });
        assert!(numeric || f.range == Range::ANY, "{place}: {:?}", f.range);
        let (mut choices, mut fields) = (vec![], vec![]);
        match core(&f.kind) {
            Kind::Choice { choices: all, .. } => choices.extend(all.iter().map(|c| c.name)),
            Kind::Object { fields: all, .. } => fields.extend(all.iter().filter(|f| !f.default.is_empty()).map(|f| f.name)),
            _ => {}
        }
        for (said, there) in [(f.only, choices), (f.must_give, fields)] {
            said.iter().for_each(|name| assert!(there.contains(name), "{place}: {name} is none of {there:?}"));
            narrowed += said.len();
        }
    });
    assert!(narrowed >= 10, "{narrowed}");
}

#[test]
fn what_must_be_given_has_no_default_and_each_default_is_what_leaving_it_out_gives() {
    let mut defaults = 0;
    let mut hold = |entry: &Entry, whole: &Value, at: &str, field: &Field, must: bool| {
        let (name, default) = (field.name, field.default);
        let mut without = whole.clone();
        without.pointer_mut(at).and_then(Value::as_object_mut).expect("an object").remove(name);
        let left_out = read(entry, &without);
        let place = format!("{} {at}/{name}", entry.name);
        // No default where it matters: frameworks differ.
        if left_out.as_ref().is_err_and(|e| name == "l2_form" && e.contains("and no l2_form, must have half")) {
            return;
        }
        if must {
            let error = left_out.expect_err(&place);
            assert!(
                error.contains(&format!("missing field `{name}`")) || error.contains(&format!("has no {name}")),
                "{place}: {error}"
            );
            return;
        }
        let json: Value = serde_json::from_str(default).unwrap_or_else(|e| panic!("{place}: {default}: {e}"));
        let mut given = without.clone();
        given.pointer_mut(at).expect("there")[name] = json;
        assert_eq!(read(entry, &given).expect(&place), left_out.expect(&place), "{place}: the default is not {default}");
        defaults += 1;
    };
    each_place(|entry, base, place| {
        if let What::Field { field, must } = &place.what {
            hold(entry, base, &place.at, field, *must);
        }
    });
    // And where every other field is left out too.
    for entry in ops::all() {
        let mut base = usual(entry);
        base.as_object_mut().expect("an object").remove("op");
        entry.fields.iter().for_each(|f| hold(entry, &base, "", f, f.default.is_empty()));
    }
    assert!(defaults > 700, "{defaults}");
}

/// What a refusal says where a choice is the op's, and another field excludes it.
const EXCLUDED: [&str; 2] = ["must be plain for layer norm", "must be 0 where targets are probabilities"];

#[test]
fn every_choice_is_read_and_no_other() {
    let (mut tried, mut faults, mut known) = (0, vec![], [0; EXCLUDED.len()]);
    each_place(|entry, base, Place { at, what }| {
        let What::Choice { choices, only } = what else { return };
        let place = format!("{} {at}", entry.name);
        for c in *choices {
            let (json, taken) = (chosen(c), only.is_empty() || only.contains(&c.name));
            let changed = with(base, at, json);
            read(entry, &changed).unwrap_or_else(|e| panic!("{place}: {} is listed, and not read: {e}", c.name));
            let refusal = refused(entry, &changed);
            assert!(taken || refusal.is_some(), "{place}: {} is taken, and not listed", c.name);
            // What it holds may not fit the other fields; a bare name does, but for these.
            if let (true, None, Some(why)) = (taken, c.holds, refusal) {
                match EXCLUDED.iter().position(|words| why.contains(words)) {
                    Some(i) => known[i] += 1,
                    None => faults.push(format!("{place}: {} is listed, and refused: {why}", c.name)),
                }
            }
            tried += 1;
        }
        let error = read(entry, &with(base, at, "surprise".into())).expect_err(&place);
        // What serde knows beside is for no field.
        for name in error.split('`').skip(1).step_by(2).filter(|n| *n != "surprise") {
            let listed = choices.iter().any(|c| c.name == name);
            assert!(listed || refused(entry, &with(base, at, name.into())).is_some(), "{place}: {name} is taken, and not listed");
        }
        for c in *choices {
            assert!(error.contains(&format!("`{}`", c.name)), "{place}: {error}");
        }
    });
    faults.extend(EXCLUDED.iter().zip(known).filter(|(_, n)| *n == 0).map(|(words, _)| format!("no refusal says {words:?} now")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(tried > 600, "{tried}");
}

/// Numbers at both ends of a range: those within, and those just outside.
fn ends(range: &Range, whole: bool) -> [Vec<f64>; 2] {
    let Range { min, above, max, below, multiple_of, .. } = *range;
    // The nearest that f32 holds, below or above.
    let step = |v: f64, up: bool| match (whole, v == 0.0) {
        (true, _) => v + if up { 1.0 } else { -1.0 },
        (_, true) => f64::from(f32::MIN_POSITIVE) * if up { 1.0 } else { -1.0 },
        _ if up => v.next_up(),
        _ => v.next_down(),
    };
    let inside = [min, max, above.map(|v| step(v, true))].into_iter().flatten().collect();
    let mut outside: Vec<f64> =
        [min.map(|v| step(v, false)), max.map(|v| step(v, true)), above, below].into_iter().flatten().collect();
    outside.extend(multiple_of.map(|n| n as f64 + 1.0));
    [inside, outside.into_iter().filter(|v| !whole || *v >= 0.0).collect()]
}

fn number(v: f64, whole: bool) -> Value {
    if whole { (v as u64).into() } else { v.into() }
}

/// What a refusal says where a number is in its own range, and another field excludes it, or what is derived from both.
const TOGETHER: [&str; 16] = [
    "must be at most max",
    "must be finite in f32 and in 0..=0.75",
    "lr · lr_scale is ",
    "give a momentum, or leave nesterov out",
    "must be 0 without momentum and with nesterov",
    "fit the images",
    "makes k^-beta",
    "with label_smoothing",
    "must be at most features",
    "the smaller first",
    "must be between 1e-37 and 1e37",
    "where the one before it ends",
    "must be 1 with gpu_step",
    "must divide the ",
    "and divide the ",
    "must have at least 2 for the variance",
];

#[test]
fn ranges_are_those_of_the_checks() {
    let (mut tried, mut faults, mut known) = (0, vec![], [0; TOGETHER.len()]);
    each_place(|entry, base, Place { at, what }| {
        let What::Number { range, whole } = what else { return };
        let Range { min, above, max, below, multiple_of, .. } = *range;
        let [mut inside, outside] = ends(range, *whole);
        for v in outside {
            tried += 1;
            if refused(entry, &with(base, at, number(v, *whole))).is_none() {
                faults.push(format!("{} {at}: {v:e} is taken, and is not {range}", entry.name));
            }
        }
        // And some that no range need forbid.
        let some: &[f64] = if *whole { &[0.0, 1.0, 2.0, 4.0] } else { &[-1e3, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 1e3, 1e10, 1e30] };
        inside.extend(some.iter().filter(|v| {
            min.is_none_or(|m| **v >= m)
                && above.is_none_or(|m| **v > m)
                && max.is_none_or(|m| **v <= m)
                && below.is_none_or(|m| **v < m)
                && multiple_of.is_none_or(|n| **v % n as f64 == 0.0)
        }));
        for v in inside {
            tried += 1;
            let Some(why) = refused(entry, &with(base, at, number(v, *whole))) else { continue };
            match TOGETHER.iter().position(|words| why.contains(words)) {
                Some(i) => known[i] += 1,
                None => faults.push(format!("{} {at}: {v:e} is in the range `{range}`, and refused: {why}", entry.name)),
            }
        }
    });
    faults.extend(TOGETHER.iter().zip(known).filter(|(_, n)| *n == 0).map(|(words, _)| format!("no refusal says {words:?} now")));
    assert!(faults.is_empty(), "{} of {tried}:\n{}", faults.len(), faults.join("\n"));
    assert!(tried > 3000, "{tried}");
}

#[test]
fn schemas_take_what_is_read_and_refuse_what_is_outside_of_a_range() {
    let op = |entry: &Entry, fields: &Value| {
        let mut all = fields.clone();
        all["op"] = entry.name.into();
        all
    };
    for (entry, base) in specimens::all() {
        let schema = entry.schema();
        assert_eq!(schema::fault(&schema, &op(entry, &base), ""), None, "{}", entry.name);
        assert!(schema::fault(&schema, &base, "").is_some(), "{}: without its name", entry.name);
        for Place { at, what } in places::all(entry.fields, &base) {
            let bad: Vec<Value> = match what {
                What::Number { range, whole } => {
                    ends(&range, whole)[1].iter().map(|v| with(&base, &at, number(*v, whole))).collect()
                }
                What::Choice { .. } => vec![with(&base, &at, "surprise".into())],
                What::Field { field, must: true } => {
                    let mut without = base.clone();
                    without.pointer_mut(&at).and_then(Value::as_object_mut).expect("an object").remove(field.name);
                    vec![without]
                }
                What::Field { .. } => vec![],
            };
            for fields in bad {
                assert!(schema::fault(&schema, &op(entry, &fields), "").is_some(), "{} {at}: {fields}", entry.name);
            }
        }
    }
    for entry in ops::all() {
        assert_eq!(schema::fault(&entry.schema(), &usual(entry), ""), None, "{}", entry.name);
    }
}
