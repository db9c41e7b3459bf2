//! Ops described in JSON.
use ridgepole::{Error, ops};

fn text(json: &str) -> String {
    match ops::from_json(json) {
        Err(e @ Error::Json { .. }) => e.to_string(),
        Err(e) => panic!("{e:?} is of another kind"),
        Ok(op) => panic!("{op:?} must be refused"),
    }
}

fn names() -> String {
    ops::all().map(|e| e.name).collect::<Vec<_>>().join(", ")
}

#[test]
fn text_that_is_no_op() {
    assert_eq!(text("{"), "the op's JSON: EOF while parsing an object at line 1 column 1");
    for json in ["[]", "7", "{}", r#"{"op": 7}"#, r#"{"name": "penalty"}"#] {
        assert_eq!(text(json), format!("the op's JSON: wants an object with the key \"op\", one of: {}", names()));
    }
    assert_eq!(text(r#"{"op": "dropuot"}"#), format!("dropuot: no such op; there are: {}", names()));
}

#[test]
fn fields_that_are_unknown_missing_or_of_the_wrong_kind() {
    let with = |fields: &str| text(&format!(r#"{{"op": "penalty_grad", {fields}}}"#));
    assert_eq!(with(r#""dtype": "f32", "segments": []"#), "penalty_grad: missing field `groups`");
    assert_eq!(
        with(r#""dtype": "f32", "segments": [], "groups": [], "lambda": 1"#),
        "penalty_grad: unknown field `lambda`, expected one of `dtype`, `segments`, `groups`, `per`"
    );
    assert_eq!(
        with(r#""dtype": "f64", "segments": [], "groups": []"#),
        "penalty_grad: unknown variant `f64`, expected one of `f32`, `f16`, `bf16`, `u32`"
    );
    assert_eq!(
        with(r#""dtype": "f32", "segments": [{"start": -4, "len": 1}], "groups": []"#),
        "penalty_grad: invalid value: integer `-4`, expected usize"
    );
    assert_eq!(
        with(r#""dtype": "f32", "segments": [{"start": 0, "length": 1}], "groups": []"#),
        "penalty_grad: unknown field `length`, expected one of `start`, `len`, `group`"
    );
    assert_eq!(
        with(r#""dtype": "f32", "segments": [], "groups": [{"l1": "big"}]"#),
        "penalty_grad: invalid type: string \"big\", expected f64"
    );
    assert_eq!(
        with(r#""dtype": "f32", "segments": [], "groups": [{"l1": null}]"#),
        "penalty_grad: invalid type: null, expected f64",
        "JSON has no NaN"
    );
    assert_eq!(
        with(r#""dtype": "f32", "segments": [], "groups": [{"l2": 1, "l2_form": "third"}]"#),
        "penalty_grad: unknown variant `third`, expected `sum` or `half`"
    );
}

/// A field misspelt is an error in every op, never silently left at its default.
#[test]
fn no_op_takes_a_field_it_does_not_have() {
    for entry in ops::all() {
        let got = text(&format!(r#"{{"op": "{}", "surprise": 1}}"#, entry.name));
        let want = format!("{}: unknown field `surprise`, expected ", entry.name);
        assert!(got.starts_with(&want), "{got}");
        for field in entry.fields {
            assert!(
                got.contains(&format!("`{}`", field.name)),
                "{}: `{}` is documented, and no field: {got}",
                entry.name,
                field.name
            );
        }
        assert_eq!(got.matches('`').count(), 2 + 2 * entry.fields.len(), "{}: an undocumented field: {got}", entry.name);
    }
}
