//! Shapes that nobody thought of: random arenas and index spaces, GPU against reference, and every op through JSON.
mod arenas;
mod rows;
mod spaces;

use proptest::prelude::*;
use ridgepole::{DType, Layout, Op, Pattern, Session, Space, Verify, check, ops};
use std::sync::OnceLock;

fn session() -> &'static Session {
    static SESSION: OnceLock<Session> = OnceLock::new();
    SESSION.get_or_init(|| Session::new().expect("an adapter"))
}

/// Data of this kind on the GPU as it is, twice, in hostile memory.
fn holds(op: &dyn Verify, pattern: Pattern, seed: u64) -> Result<(), TestCaseError> {
    check::Case::new(op, pattern, seed)
        .run(session().gpu(), session().queue())
        .map_err(|why| TestCaseError::fail(format!("{op:?}, {pattern:?}: {why}")))
}

/// Read back from its JSON, an op is the same op.
fn survives_json(op: &(impl Op + serde::Serialize)) -> Result<(), TestCaseError> {
    let mut json = serde_json::to_value(op).expect("plain data");
    json["op"] = op.name().into();
    let back = ops::verify_from_json(&json.to_string()).map_err(|e| TestCaseError::fail(format!("{json}: {e}")))?;
    prop_assert_eq!(format!("{back:?}"), format!("{op:?}"));
    Ok(())
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop::sample::select(DType::FLOATS.to_vec())
}

fn spaces(least_n: usize) -> impl Strategy<Value = Space> {
    let size = |least: usize| prop_oneof![3 => least..6usize, 2 => 6..20usize];
    let positions = prop_oneof![3 => 1..20usize, 1 => 60..70usize, 1 => Just(0usize)];
    (size(least_n), size(1), positions, any::<bool>()).prop_map(|(n, c, s, last)| {
        let layout = if last { Layout::ChannelsLast } else { Layout::ChannelsFirst };
        Space { n, c, s, layout }
    })
}

/// A few seconds in all on a software device; `PROPTEST_CASES=2000 cargo test --test it properties` looks longer.
fn config(cases: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() }
}
