//! How weights are kept: masters, averages, rounding at random; and the averages by themselves.
use super::{caps, op, refused, text};
use ridgepole::{Averaging, Caps, DType, Key, NonFinite, Op, Rounding, Segment, Warmup, ops::*};

type Make = fn(DType, Option<Averaging>, bool, Rounding) -> Box<dyn Op>;

/// Every optimizer: its name, and how to make it.
const OPTIMIZERS: &[(&str, Make)] = &[
    ("sgd", |dtype, ema, master, rounding| op(Sgd { ema, master, rounding, ..Sgd::new(dtype, 8, 0.1) })),
    ("adam", |dtype, ema, master, rounding| op(Adam { ema, master, rounding, ..Adam::new(dtype, 8, 0.1) })),
    ("adamw", |dtype, ema, master, rounding| op(Adamw { ema, master, rounding, ..Adamw::new(dtype, 8, 0.1) })),
    ("rmsprop", |dtype, ema, master, rounding| op(RmsProp { ema, master, rounding, ..RmsProp::new(dtype, 8, 0.1) })),
    ("adagrad", |dtype, ema, master, rounding| op(Adagrad { ema, master, rounding, ..Adagrad::new(dtype, 8, 0.1) })),
    ("lion", |dtype, ema, master, rounding| op(Lion { ema, master, rounding, ..Lion::new(dtype, 8, 0.1) })),
    ("ftrl", |dtype, ema, master, rounding| op(Ftrl { ema, master, rounding, ..Ftrl::new(dtype, 8, 0.1) })),
];

fn stochastic(first_element: u64) -> Rounding {
    Rounding::Stochastic(Key { first_element, ..Key::default() })
}

#[test]
fn masters_averages_and_rounding() {
    let nearest = Rounding::Nearest;
    for (name, make) in OPTIMIZERS {
        let bad = |dtype, ema, master, rounding| text(make(dtype, ema, master, rounding).as_ref());
        assert_eq!(
            bad(DType::F32, None, true, nearest),
            format!("{name}: `master` is true and dtype is f32: such weights need none, leave it out")
        );
        for (decay, shown) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            assert_eq!(
                bad(DType::F32, Some(Averaging::constant(decay)), false, nearest),
                format!("{name}: `ema` has decay {shown}, must be in 0..=1: the share of the old average that remains")
            );
        }
        for (dtype, shown) in [(DType::F32, "F32"), (DType::F16, "F16")] {
            assert_eq!(
                bad(dtype, None, false, stochastic(0)),
                format!("{name}: `rounding` is stochastic and dtype is {shown}, must be bf16")
            );
        }
        assert_eq!(
            bad(DType::Bf16, None, true, stochastic(0)),
            format!("{name}: `rounding` is stochastic and master is true: the master loses nothing, use nearest")
        );
        assert_eq!(
            bad(DType::Bf16, None, false, stochastic(6)),
            format!("{name}: `rounding` has first_element 6, must be a multiple of 4, as the start of a tensor is")
        );
        assert_eq!(
            bad(DType::Bf16, None, false, stochastic(u64::MAX - 3)),
            format!("{name}: `rounding` has first_element 18446744073709551612: with 8 elements it passes 2^64")
        );
        for (dtype, ema, master, rounding) in [
            (DType::F16, Some(Averaging::polyak(0)), true, nearest),
            (DType::Bf16, Some(Averaging::constant(1.0)), false, stochastic(4)),
        ] {
            assert!(make(dtype, ema, master, rounding).lower(&caps()).is_ok(), "{name}");
        }
    }
}

#[test]
fn more_buffers_than_a_shader_may_have() {
    let (ema, skip) = (Some(Averaging::constant(0.999)), NonFinite::Skip);
    let all = Adam { ema, master: true, amsgrad: true, gpu_scale: true, non_finite: skip, ..Adam::new(DType::F16, 8, 0.1) };
    let why = "adam: not possible on this device: needs 9 storage buffers in a shader (grad, weight, m, v, v_max, master, ema, \
               table, flag), max_storage_buffers_per_shader_stage is 8; leave out ema (which the op `ema` keeps in a pass of its \
               own) or master or amsgrad";
    assert_eq!(text(&all), why);
    // Any of them helps; so does another device.
    for fewer in
        [Adam { ema: None, ..all.clone() }, Adam { master: false, ..all.clone() }, Adam { amsgrad: false, ..all.clone() }]
    {
        assert!(fewer.lower(&caps()).is_ok(), "{fewer:?}");
    }
    let mut larger: Caps = caps();
    larger.limits.max_storage_buffers_per_shader_stage = 9;
    assert!(all.lower(&larger).is_ok());
    let rmsprop =
        RmsProp { ema, master: true, centered: true, momentum: 0.9, gpu_scale: true, ..RmsProp::new(DType::Bf16, 8, 0.1) };
    assert_eq!(
        text(&rmsprop),
        "rmsprop: not possible on this device: needs 9 storage buffers in a shader (grad, scale, weight, square_avg, grad_avg, \
         momentum_buffer, master, ema, table), max_storage_buffers_per_shader_stage is 8; leave out ema (which the op `ema` keeps \
         in a pass of its own) or master or centered or momentum or gpu_scale"
    );
    let mut small = caps();
    small.limits.max_storage_buffers_per_shader_stage = 2;
    assert_eq!(
        Sgd::new(DType::F32, 8, 0.1).lower(&small).expect_err("too small").to_string(),
        "sgd: not possible on this device: needs 3 storage buffers in a shader (grad, weight, table), \
         max_storage_buffers_per_shader_stage is 2"
    );
}

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
