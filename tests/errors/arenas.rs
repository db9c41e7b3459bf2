//! Arenas: what every op on segments refuses.
use crate::{op, refused, text};
use ridgepole::{DType, ElasticNet, Group, Key, Op, Segment, ops::*};

type Make = fn(DType, Vec<Segment>, f64) -> Box<dyn Op>;

/// Every op with segments: its name, and how to make it with one group of penalty l1.
const ARENA: &[(&str, Make)] = &[
    ("penalty", |dtype, segments, l1| op(Penalty::new(dtype, segments, vec![ElasticNet::l1(l1)]))),
    ("penalty_grad", |dtype, segments, l1| op(PenaltyGrad::new(dtype, segments, vec![ElasticNet::l1(l1)]))),
    ("prox", |dtype, segments, l1| op(Prox { dtype, segments, groups: vec![ElasticNet::l1(l1)], step: 0.5 })),
    ("sgd", |dtype, segments, l1| op(Sgd { segments, groups: vec![coupled(l1)], ..Sgd::new(dtype, 0, 0.1) })),
    ("adam", |dtype, segments, l1| op(Adam { segments, groups: vec![coupled(l1)], ..Adam::new(dtype, 0, 0.1) })),
    ("lion", |dtype, segments, l1| op(Lion { segments, groups: vec![coupled(l1)], ..Lion::new(dtype, 0, 0.1) })),
    ("rmsprop", |dtype, segments, l1| op(RmsProp { segments, groups: vec![coupled(l1)], ..RmsProp::new(dtype, 0, 0.1) })),
    ("adamax", |dtype, segments, l1| op(Adamax { segments, groups: vec![coupled(l1)], ..Adamax::new(dtype, 0, 0.1) })),
    ("nadam", |dtype, segments, l1| op(Nadam { segments, groups: vec![coupled(l1)], ..Nadam::new(dtype, 0, 0.1) })),
    ("adagrad", |dtype, segments, l1| op(Adagrad { segments, groups: vec![coupled(l1)], ..Adagrad::new(dtype, 0, 0.1) })),
    ("ftrl", |dtype, segments, l1| op(Ftrl { segments, groups: vec![coupled(l1)], ..Ftrl::new(dtype, 0, 0.1) })),
    ("adamw", |dtype, segments, l1| op(Adamw { segments, groups: vec![coupled(l1)], ..Adamw::new(dtype, 0, 0.1) })),
];

fn coupled(l1: f64) -> Group {
    Group { coupled: ElasticNet::l1(l1), ..Group::default() }
}

fn segment(start: usize, len: usize) -> Segment {
    Segment { start, len, group: 0 }
}

#[test]
fn segments_that_are_misplaced_are_named_by_index() {
    let long = 1usize << 34;
    for (segments, why) in [
        (vec![segment(2, 4)], "[0] starts at element 2, not at a multiple of 4".to_string()),
        (vec![segment(0, 4), segment(6, 4)], "[1] starts at element 6, not at a multiple of 4".to_string()),
        (
            vec![segment(0, 5), segment(4, 4)],
            "[1] starts at element 4, before element 5 where the one before it ends".to_string(),
        ),
        (
            vec![segment(0, 6), segment(4, 1)],
            "[1] starts at element 4, before element 6 where the one before it ends".to_string(),
        ),
        (
            vec![segment(8, 4), segment(0, 4)],
            "[1] starts at element 0, before element 12 where the one before it ends".to_string(),
        ),
        (vec![Segment { start: 0, len: 4, group: 1 }], "[0] is of group 1, and there are 1 groups".to_string()),
        (vec![segment(4, long)], format!("[0] ends past element 2^34 - 4: start 4, length {long}")),
        (vec![segment(4, usize::MAX)], format!("[0] ends past element 2^34 - 4: start 4, length {}", usize::MAX)),
    ] {
        for (name, make) in ARENA {
            let got = text(make(DType::F32, segments.clone(), 0.1).as_ref());
            assert_eq!(got, format!("{name}: `segments` {why}"));
        }
    }
}

#[test]
fn words_are_no_tensors() {
    for (name, make) in ARENA {
        let got = text(make(DType::U32, Segment::one(4), 0.1).as_ref());
        assert_eq!(got, format!("{name}: `dtype` is U32, must be f32, f16 or bf16"));
    }
}

#[test]
fn lambdas_are_finite_and_not_negative() {
    for (name, make) in ARENA {
        for (l1, shown) in [(-0.5, "-0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
            let got = text(make(DType::F32, Segment::one(4), l1).as_ref());
            assert_eq!(got, format!("{name}: `groups` [0] has l1 = {shown}, must be finite, at least 0 and at most 1e38"));
        }
    }
    for l2 in [-0.5, f64::NAN, 1e39] {
        let got = text(&Penalty::new(DType::F32, Segment::one(4), vec![ElasticNet::l2(l2)]));
        assert_eq!(got, format!("penalty: `groups` [0] has l2 = {l2}, must be finite, at least 0 and at most 1e38"));
    }
    let groups = vec![ElasticNet::NONE, ElasticNet::l2(f64::NAN)];
    let got = text(&Penalty::new(DType::F32, vec![], groups));
    assert_eq!(
        got, "penalty: `groups` [1] has l2 = NaN, must be finite, at least 0 and at most 1e38",
        "even where no segment uses it"
    );
}

fn of_gradients(dtype: DType, segments: &[Segment]) -> Vec<(&'static str, Box<dyn Op>)> {
    let segments = || segments.to_vec();
    vec![
        ("clip_by_value", op(ClipByValue { segments: segments(), ..ClipByValue::new(dtype, 0, 1.0) })),
        ("clip_by_global_norm", op(ClipByGlobalNorm { segments: segments(), ..ClipByGlobalNorm::new(dtype, 0, 1.0) })),
        ("global_norm", op(GlobalNorm { segments: segments(), ..GlobalNorm::new(dtype, 0, 1.0) })),
    ]
}

#[test]
fn arenas_of_gradients() {
    let misplaced = [Segment { start: 0, len: 4, group: 0 }, Segment { start: 6, len: 4, group: 0 }];
    for (name, op) in of_gradients(DType::F32, &misplaced) {
        refused(&[(op, &format!("{name}: `segments` [1] starts at element 6, not at a multiple of 4"))]);
    }
    for (name, op) in of_gradients(DType::U32, &misplaced[..1]) {
        refused(&[(op, &format!("{name}: `dtype` is U32, must be f32, f16 or bf16"))]);
    }
}

#[test]
fn arenas_of_weights_and_gradients() {
    let misplaced = || vec![Segment { start: 0, len: 4, group: 0 }, Segment { start: 6, len: 4, group: 0 }];
    let why = |op: &str| format!("{op}: `segments` [1] starts at element 6, not at a multiple of 4");
    refused(&[
        (op(ClipByNorm { segments: misplaced(), ..ClipByNorm::new(DType::F32, 0, 1.0) }), &why("clip_by_norm")),
        (op(L2Ball { segments: misplaced(), ..L2Ball::new(DType::F32, 0, 1.0) }), &why("l2_ball")),
        (op(BoxConstraint { segments: misplaced(), ..BoxConstraint::new(DType::F32, 0, 1.0) }), &why("box_constraint")),
        (op(NonNegative { segments: misplaced(), ..NonNegative::new(DType::F32, 0) }), &why("non_negative")),
        (
            op(GradientNoise { segments: misplaced(), ..GradientNoise::new(DType::F32, 0, 0.3, Key::default()) }),
            &why("gradient_noise"),
        ),
    ]);
    let words = |op: &str| format!("{op}: `dtype` is U32, must be f32, f16 or bf16");
    refused(&[
        (op(ClipByNorm::new(DType::U32, 4, 1.0)), &words("clip_by_norm")),
        (op(L2Ball::new(DType::U32, 4, 1.0)), &words("l2_ball")),
        (op(BoxConstraint::new(DType::U32, 4, 1.0)), &words("box_constraint")),
        (op(NonNegative::new(DType::U32, 4)), &words("non_negative")),
        (op(GradientNoise::new(DType::U32, 4, 0.3, Key::default())), &words("gradient_noise")),
    ]);
}
