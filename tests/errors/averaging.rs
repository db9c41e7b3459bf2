//! Averages of weights, and steps of SAM.
use crate::{op, refused};
use ridgepole::{DType, Segment, Warmup, ops::*};

#[test]
fn averages_by_themselves() {
    let ema = |dtype, segments: Vec<Segment>, decay| op(Ema { dtype, segments, decay, warmup: Warmup::None });
    let swa = |dtype, segments: Vec<Segment>| op(Swa { dtype, segments, averaged: 1 });
    let late = || vec![Segment { start: 2, len: 1, group: 0 }];
    refused(&[
        (ema(DType::F32, vec![], 1.5), "ema: `decay` is 1.5, must be in 0..=1: the share of the old average that remains"),
        (ema(DType::F32, vec![], f64::NAN), "ema: `decay` is NaN, must be in 0..=1: the share of the old average that remains"),
        (ema(DType::U32, Segment::one(4), 0.5), "ema: `dtype` is U32, must be f32, f16 or bf16"),
        (ema(DType::F32, late(), 0.5), "ema: `segments` [0] starts at element 2, not at a multiple of 4"),
        (swa(DType::U32, Segment::one(4)), "swa: `dtype` is U32, must be f32, f16 or bf16"),
        (swa(DType::F32, late()), "swa: `segments` [0] starts at element 2, not at a multiple of 4"),
    ]);
}

#[test]
fn the_scalars_of_sam() {
    let sam = |dtype, rho, eps, adaptive| op(SamPerturb { dtype, segments: Segment::one(4), rho, eps, adaptive });
    let (segments, f32) = (vec![Segment { start: 2, len: 1, group: 0 }], DType::F32);
    refused(&[
        (sam(f32, -0.1, 0.0, None), "sam_perturb: `rho` is -0.1, must be finite in f32 and at least 0"),
        (sam(f32, f64::NAN, 0.0, None), "sam_perturb: `rho` is NaN, must be finite in f32 and at least 0"),
        (sam(f32, 0.1, 2.0, None), "sam_perturb: `eps` is 2, must be finite in f32 and in 0..=1"),
        (sam(f32, 0.1, -1.0, None), "sam_perturb: `eps` is -1, must be finite in f32 and in 0..=1"),
        (sam(f32, 0.1, 0.0, Some(-0.5)), "sam_perturb: `adaptive` is -0.5, must be finite in f32 and at least 0"),
        (sam(f32, 0.1, 0.0, Some(f64::INFINITY)), "sam_perturb: `adaptive` is inf, must be finite in f32 and at least 0"),
        (sam(DType::U32, 0.1, 0.0, None), "sam_perturb: `dtype` is U32, must be f32, f16 or bf16"),
        (
            op(SamRestore { dtype: DType::U32, segments: Segment::one(4) }),
            "sam_restore: `dtype` is U32, must be f32, f16 or bf16",
        ),
        (
            op(SamRestore { dtype: f32, segments: segments.clone() }),
            "sam_restore: `segments` [0] starts at element 2, not at a multiple of 4",
        ),
        (
            op(SamPerturb { dtype: f32, segments, rho: 0.1, eps: 0.0, adaptive: None }),
            "sam_perturb: `segments` [0] starts at element 2, not at a multiple of 4",
        ),
    ]);
}
