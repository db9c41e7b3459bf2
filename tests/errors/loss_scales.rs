//! Fields of the ops of dynamic loss scaling.
use super::{op, refused};
use ridgepole::{DType, Op, Segment, ops::*};

fn unscale(scale: f64) -> Box<dyn Op> {
    op(Unscale { scale: Some(scale), ..Unscale::new(DType::F32, 4) })
}

#[test]
fn scales() {
    refused(&[
        (unscale(0.0), "unscale: `scale` is 0, must be past 0, with an inverse that is finite in f32"),
        (unscale(-2.0), "unscale: `scale` is -2, must be past 0, with an inverse that is finite in f32"),
        (
            unscale(2f64.powi(-128)),
            &format!("unscale: `scale` is {}, must be past 0, with an inverse that is finite in f32", 2f64.powi(-128)),
        ),
        (unscale(f64::NAN), "unscale: `scale` is NaN, must be finite in f32"),
        (unscale(1e39), &format!("unscale: `scale` is {}, must be finite in f32", 1e39)),
        (op(Unscale::new(DType::U32, 4)), "unscale: `dtype` is U32, must be f32, f16 or bf16"),
        (
            op(Unscale { segments: vec![Segment { start: 2, len: 4, group: 0 }], ..Unscale::new(DType::F32, 4) }),
            "unscale: `segments` [0] starts at element 2, not at a multiple of 4",
        ),
    ]);
}

#[test]
fn rules() {
    let usual = UpdateLossScale::default;
    refused(&[
        (
            op(UpdateLossScale { growth_factor: 0.5, ..usual() }),
            "update_loss_scale: `growth_factor` is 0.5, must be finite in f32 and at least 1",
        ),
        (
            op(UpdateLossScale { backoff_factor: 1.5, ..usual() }),
            "update_loss_scale: `backoff_factor` is 1.5, must be finite in f32 and in 0..=1",
        ),
        (op(UpdateLossScale { growth_interval: 0, ..usual() }), "update_loss_scale: `growth_interval` is 0, must be at least 1"),
        (
            op(UpdateLossScale { min: Some(-1.0), ..usual() }),
            "update_loss_scale: `min` is -1, must be finite in f32 and at least 0",
        ),
        (
            op(UpdateLossScale { max: Some(f64::INFINITY), ..usual() }),
            "update_loss_scale: `max` is inf, must be finite in f32 and at least 0",
        ),
        (
            op(UpdateLossScale { min: Some(4.0), max: Some(2.0), ..usual() }),
            "update_loss_scale: `min` is 4, must be at most max, which is 2",
        ),
    ]);
}
