//! What all ops on arenas share, and the penalties' own scalars.
use super::{op, refused, text};
use ridgepole::{DType, ElasticNet, Group, Op, Segment, ops::*};

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
    for (name, make) in ARENA {
        let bad = |segments: Vec<Segment>| text(make(DType::F32, segments, 0.1).as_ref());
        assert_eq!(
            bad(vec![segment(0, 4), segment(6, 4)]),
            format!("{name}: `segments` [1] starts at element 6, not at a multiple of 4")
        );
        assert_eq!(
            bad(vec![segment(0, 5), segment(4, 4)]),
            format!("{name}: `segments` [1] starts at element 4, before element 5 where the one before it ends")
        );
        assert_eq!(
            bad(vec![segment(8, 4), segment(0, 4)]),
            format!("{name}: `segments` [1] starts at element 0, before element 12 where the one before it ends")
        );
        assert_eq!(
            bad(vec![Segment { start: 0, len: 4, group: 1 }]),
            format!("{name}: `segments` [0] is of group 1, and there are 1 groups")
        );
        let long = 1usize << 34;
        assert_eq!(bad(vec![segment(4, long)]), format!("{name}: `segments` [0] ends past element 2^34: start 4, length {long}"));
        assert_eq!(
            bad(vec![segment(4, usize::MAX)]),
            format!("{name}: `segments` [0] ends past element 2^34: start 4, length {}", usize::MAX)
        );
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
    let groups = vec![ElasticNet::NONE, ElasticNet::l2(f64::NAN)];
    let got = text(&Penalty::new(DType::F32, vec![], groups));
    assert_eq!(
        got, "penalty: `groups` [1] has l2 = NaN, must be finite, at least 0 and at most 1e38",
        "even where no segment uses it"
    );
}

#[test]
fn the_proximal_step_is_finite_and_not_negative() {
    let prox = |step, l1| {
        let (dtype, segments, groups) = (DType::F32, Segment::one(4), vec![ElasticNet::NONE, ElasticNet::l1(l1)]);
        op(Prox { dtype, segments, groups, step })
    };
    refused(&[
        (prox(-1.0, 0.1), "prox: `step` is -1, must be finite and at least 0"),
        (prox(f64::NAN, 0.1), "prox: `step` is NaN, must be finite and at least 0"),
        (prox(f64::INFINITY, 0.1), "prox: `step` is inf, must be finite and at least 0"),
        (prox(1e30, 1e30), "prox: `step` is 1e30, and its product with l1 or l2 of groups[1] is past the range of f32 (3.4e38)"),
    ]);
}
