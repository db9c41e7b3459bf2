//! Names keep their paths: those of earlier versions, and those of the storeys, are the same things.
#![allow(unused_imports, reason = "that they resolve is the test")]

/// The paths of earlier versions.
mod earlier {
    use ridgepole::bench::{
        CopyOp, CpuClock, ELEMENTS, HostCost, Inputs, LEAST, Options, Timing, cases, host, measure, quantile, time, verify,
    };
    use ridgepole::check::{Case, Rig, Verdict, compare, modes, sweep};
    use ridgepole::cpu::{activation, activation_backward, batch_norm, dropout, layer_norm, philox};
    use ridgepole::filters::FilterAxis as _;
    use ridgepole::fold::{Monoid, Partials};
    use ridgepole::mixing::{Blend as _, Cut as _, Erasing as _, Holes as _, Lambda as _, Partners as _, Rect as _};
    use ridgepole::ops::{
        BatchNorm, Dropout, Entry, FAMILIES, Family, Field, GhostRunning, Prox, StandardForm, all, find, from_json,
    };
    use ridgepole::readback::read;
    use ridgepole::segment::{Arena, Segment as _, check_float};
    use ridgepole::tile::{Piece, WINDOW_ALIGN, flat, near, pieces};
    use ridgepole::wgsl::{Decl, LIBRARY, Source, Spec, View, compose, part};
    use ridgepole::{
        Access, Activation, AlphaForm, Approx, Arg, Averaging, BatchedLossKind, Bits, Blend, Bound, Caps, ClipForm, Cost, Cut,
        DType, DecayMode, ElasticNet, EpsPlace, Erasing, Error, Expected, FilterAxis, Gpu, Gram, Group, GroupPenalty,
        GroupWeighting, Holes, HostData, HuberForm, Key, L2Form, Lambda, Layout, LinearModel, LossReduction, Lowered, MAX_TRIPS,
        MaskMode, Matrix, MaxNormForm, NoiseLevel, NonFinite, NonFiniteNorm, OneValue, Op, Params, Partners, Pattern, Per, Plan,
        Rect, Rng, Rounding, RowNorm, Running, RunningUpdate, RunningVariance, Scaling, Segment, Session, Share, Slot, Space,
        SquareForm, Step, Targets, Unit, Warmup, WeightForm, kernel, params, wgpu,
    };
}

#[test]
fn a_storey_and_the_root_name_the_same_things() {
    use ridgepole as root;
    let _: fn(root::types::Segment) -> root::Segment = |s| s;
    let _: fn(root::op::Caps) -> root::Caps = |c| c;
    let _: fn(root::options::OrthogonalSide) -> root::Gram = |g| g;
    let _: fn(root::device::Gpu) -> root::Gpu = |g| g;
    let _: fn(root::verify::Approx) -> root::Approx = |a| a;
    let _: fn(root::ops::norms::BatchNorm) -> root::ops::BatchNorm = |b| b;
    let _: fn(root::reduce::Monoid) -> root::fold::Monoid = |m| m;
    let _: fn(root::partition::Piece) -> root::tile::Piece = |p| p;
    let _: fn(root::op::Limits) -> root::Limits = |l| l;
    let _: fn(root::op::Features) -> root::Features = |f| f;
    let _: fn(root::op::portable::Portable) -> root::Portable = |p| p;
    let (zero, exact) = (root::HostData::U32(vec![0]), root::Expected::Exact(root::HostData::U32(vec![0])));
    assert_eq!(root::check::compare(&zero, &exact), root::verify::compare(&zero, &exact));
    let of = root::Activation::Relu;
    assert_eq!(root::cpu::activation(of, 2.0), root::verify::reference::activation(of, 2.0));
}

#[test]
fn the_part_that_kernels_of_users_know_keeps_its_name() {
    use ridgepole::wgsl::{part, parts};
    assert_eq!(part("lib/grid"), parts::partition::GRID);
    assert_eq!(part("lib/partition/grid"), parts::partition::GRID);
}
