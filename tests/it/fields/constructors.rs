//! The constructors `new` leave each field that they are not given at the default that the table of ops states.
use crate::readme::read;
use ridgepole::{DType::F32, ElasticNet, Key, Segment, Space, ops, ops::*};
use serde_json::Value;

const SPACE: Space = Space { n: 2, c: 4, s: 4, layout: ridgepole::Layout::ChannelsFirst };

/// Ops in JSON, by the names of their types, with the fields to which a constructor gives a value of its own.
macro_rules! made {
    ($($op:ident::new($($arg:expr),*) $(with [$($own:literal),*])?,)*) => {
        vec![$((stringify!($op), serde_json::to_value($op::new($($arg),*)).expect("plain data"), &[$($($own),*)?] as &[&str])),*]
    };
}

fn made() -> Vec<(&'static str, Value, &'static [&'static str])> {
    made![
        BoxConstraint::new(F32, 4, 0.25) with ["min", "max"],
        L2Ball::new(F32, 4, 0.25),
        NonNegative::new(F32, 4),
        AlphaDropout::new(F32, SPACE, 0.25, Key::default()),
        BiasActDropoutAdd::new(F32, SPACE, 0.25, Key::default()),
        DropBlock::new(F32, SPACE, 4, 4, 0.25, Key::default()),
        DropConnect::new(F32, [4, 4], 0.25, Key::default()),
        Dropout::new(F32, SPACE, 0.25, Key::default()),
        DropoutAddLayerNorm::new(F32, 4, 4, 0.25, Key::default()),
        GaussianDropout::new(F32, SPACE, 0.25, Key::default()),
        GaussianNoise::new(F32, SPACE, 0.25, Key::default()),
        MonteCarloAccumulate::new(F32, 4, 1),
        Zoneout::new(F32, SPACE, 0.25, Key::default()),
        CrossEntropy::new(F32, 4, 4),
        HuberLoss::new(F32, 4),
        L1Loss::new(F32, 4),
        MseLoss::new(F32, 4),
        CutMix::new(F32, SPACE, 4, 0.25, Key::default()),
        Cutout::new(F32, SPACE, 4, 4, Key::default()),
        Mixup::new(F32, SPACE, 0.25, Key::default()),
        BatchNorm::new(F32, SPACE),
        BatchNormApply::new(F32, SPACE),
        BatchNormBackward::new(F32, SPACE),
        BatchNormBackwardApply::new(F32, SPACE),
        BatchNormBackwardSums::new(F32, SPACE),
        BatchNormFrozenBackward::new(F32, SPACE),
        BatchNormGhost::new(F32, SPACE, 4),
        BatchNormGhostBackward::new(F32, SPACE, 4),
        BatchNormInference::new(F32, SPACE),
        BatchNormMasked::new(F32, SPACE),
        BatchNormMaskedBackward::new(F32, SPACE),
        BatchNormMerge::new(4, 4),
        BatchNormStatistics::new(F32, SPACE),
        BatchRenorm::new(F32, SPACE),
        BatchRenormBackward::new(F32, SPACE),
        GroupNorm::new(F32, SPACE, 4),
        GroupNormBackward::new(F32, SPACE, 4),
        InstanceNorm::new(F32, SPACE),
        InstanceNormBackward::new(F32, SPACE),
        LayerNorm::new(F32, 4, 4),
        LayerNormBackward::new(F32, 4, 4),
        LocalResponseNorm::new(F32, SPACE, 4),
        LocalResponseNormBackward::new(F32, SPACE, 4),
        RmsNorm::new(F32, 4, 4),
        RmsNormBackward::new(F32, 4, 4),
        SpectralNorm::new(F32, 4, 4),
        SpectralNormBackward::new(F32, 4, 4),
        WeightNorm::new(F32, 4, 4),
        WeightNormBackward::new(F32, 4, 4),
        WeightStandardization::new(F32, 4, 4),
        WeightStandardizationBackward::new(F32, 4, 4),
        Adagrad::new(F32, 4, 0.25),
        Adam::new(F32, 4, 0.25),
        Adamax::new(F32, 4, 0.25),
        Adamw::new(F32, 4, 0.25),
        Ftrl::new(F32, 4, 0.25),
        Lion::new(F32, 4, 0.25),
        Nadam::new(F32, 4, 0.25),
        RmsProp::new(F32, 4, 0.25),
        Sgd::new(F32, 4, 0.25),
        OrthogonalPenalty::new(F32, 4, 4, 0.25),
        OrthogonalPenaltyGrad::new(F32, 4, 4, 0.25),
        Penalty::new(F32, Segment::one(4), vec![ElasticNet::l1(0.5)]),
        PenaltyGrad::new(F32, Segment::one(4), vec![ElasticNet::l1(0.5)]),
        ClipByGlobalNorm::new(F32, 4, 0.25),
        ClipByNorm::new(F32, 4, 0.25),
        ClipByValue::new(F32, 4, 0.25) with ["min", "max"],
        GlobalNorm::new(F32, 4, 0.25),
        GradientNoise::new(F32, 4, 0.25, Key::default()),
        Unscale::new(F32, 4),
    ]
}

/// The type of an op, and whether it has a constructor `new`.
fn declared(family: &ops::Family, op: &ops::Entry) -> (String, bool) {
    let text = read(&format!("src/ops/{}/{}.rs", family.name, op.name));
    let behind = text.split_once("#[op(").and_then(|(_, t)| t.split_once("pub struct ")).expect("an op is declared by #[op]").1;
    let name = behind.split(' ').next().expect("a name").to_string();
    let methods = text.split_once(&format!("\nimpl {name} {{")).and_then(|(_, t)| t.split_once("\n}\n"));
    // That of an optimizer is written by the family's macro.
    let by_macro = text.contains("\noptimizer! {") || text.contains("\nadaptive! {");
    let new = by_macro || methods.is_some_and(|(body, _)| body.contains("pub fn new("));
    (name, new)
}

/// Equal as numbers, whatever their spelling.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[test]
fn constructors_take_the_defaults_of_the_table() {
    let (made, mut compared, mut found) = (made(), 0, 0);
    for family in ops::FAMILIES {
        for entry in family.ops {
            let (name, new) = declared(family, entry);
            let all: Vec<_> = made.iter().filter(|(n, ..)| *n == name).collect();
            assert_eq!(all.len(), usize::from(new), "{name}: `new` is there, and not tried here, or the reverse");
            let Some((_, json, own)) = all.first() else { continue };
            found += 1;
            for f in entry.fields.iter().filter(|f| !f.default.is_empty() && !own.contains(&f.name)) {
                let default: Value = serde_json::from_str(f.default).expect("JSON");
                assert!(same(&json[f.name], &default), "{name}: new() gives {} {}, the table {default}", f.name, json[f.name]);
                compared += 1;
            }
        }
    }
    assert_eq!(found, made.len(), "an op that is tried here is not in the table");
    assert!(compared > 200, "{compared}");
}
