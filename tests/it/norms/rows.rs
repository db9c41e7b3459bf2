//! Rows that no small case reaches, and what is promised of them.
use crate::common::{self, entries};
use ridgepole::{Caps, DType, FilterAxis, Gpu, HostData, MAX_TRIPS, Pattern, Session, Verify, check, ops::*, wgpu};

fn family(dtype: DType, rows: usize, cols: usize) -> [Box<dyn Verify>; 4] {
    [
        Box::new(LayerNorm::new(dtype, rows, cols)),
        Box::new(LayerNormBackward::new(dtype, rows, cols)),
        Box::new(RmsNorm::new(dtype, rows, cols)),
        Box::new(RmsNormBackward::new(dtype, rows, cols)),
    ]
}

/// Also where the sum of the values is no such number any more.
#[test]
fn a_constant_row_has_no_variance_in_either_shape_of_workgroups() {
    let session = Session::new().expect("an adapter");
    let mine = session.gpu().caps().clone();
    let mut other = Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), !mine.cpu);
    let plain = other.clone();
    (other.features, other.subgroup) = (mine.features, mine.subgroup);
    let mut session = session;
    for caps in [mine, plain, other] {
        session = session.with_caps(caps);
        for cols in [4, 12, 260, 1000, 4100, 9000, 20_000] {
            let op = LayerNorm { eps: 0.0, weight: false, ..LayerNorm::new(DType::F32, 3, cols) };
            let x: Vec<f32> = (0..3 * cols).map(|i| [0.1, -3e7, 1e-30][i / cols]).collect();
            let bias: Vec<f32> = (0..cols).map(|c| c as f32).collect();
            let out = session.run(&op, &[x.clone().into(), bias.clone().into()]).expect("it runs");
            assert_eq!(out[0], HostData::F32([&bias[..], &bias, &bias].concat()), "{cols}: the bias alone");
            assert_eq!(out[1], HostData::F32(vec![0.1, -3e7, 1e-30]), "{cols}: means");
            assert_eq!(out[2], HostData::F32(vec![0.0; 3]), "{cols}: 1 / σ of no variance");
        }
    }
}

/// Filters, which are rows to some kernels.
fn filters(dtype: DType, rows: usize, cols: usize) -> [Box<dyn Verify>; 4] {
    [
        Box::new(WeightNorm::new(dtype, rows, cols)),
        Box::new(WeightNormBackward::new(dtype, rows, cols)),
        Box::new(WeightStandardization { gain: true, ..WeightStandardization::new(dtype, rows, cols) }),
        Box::new(WeightStandardizationBackward::from(WeightStandardization {
            gain: true,
            ..WeightStandardization::new(dtype, rows, cols)
        })),
    ]
}

#[test]
fn filters_that_fit_a_workgroup_take_one_dispatch() {
    let gpu = common::plain_gpu();
    let cpu = common::plain_cpu();
    for caps in [&gpu, &cpu] {
        for cols in [4, 4608, 8192] {
            let all: Vec<_> = filters(DType::F16, 130, cols).iter().map(|op| entries(op.as_ref(), caps)).collect();
            assert_eq!(all, [["row_forward"], ["line_backward"], ["row_forward"], ["line_backward"]], "{cols}");
        }
        for cols in [4609, 16_388] {
            assert!(filters(DType::F16, 130, cols).iter().all(|op| entries(op.as_ref(), caps).len() > 2), "{cols}");
        }
    }
    // A column is no row, unless it is alone.
    for (cols, fits) in [(2, false), (1, true)] {
        let op = WeightNorm { axis: FilterAxis::Columns, ..WeightNorm::new(DType::F32, 64, cols) };
        assert_eq!(entries(&op, &gpu) == ["row_forward"], fits, "{cols}");
    }
    // A software device wants filters for many cores.
    assert!(
        filters(DType::F16, 127, 64)
            .iter()
            .all(|op| entries(op.as_ref(), &cpu).len() > 2 && entries(op.as_ref(), &gpu).len() == 1)
    );
    // A GPU holds both tensors; a software driver has them in the cache.
    let long = filters(DType::F32, 130, 8196);
    for (op, fits) in long.iter().zip([true, false, true, false]) {
        assert_eq!(entries(op.as_ref(), &gpu).len() == 1, fits, "{op:?}");
        assert_eq!(entries(op.as_ref(), &cpu).len(), 1, "{op:?}");
    }
}

#[test]
fn long_rows_and_wide_ones() {
    let rig = common::rig();
    let gpu = Gpu::with_caps(&rig.device, Caps::of(&rig.device));
    for (rows, cols) in [(2, 300_001), (1, 1 << 20), (3, 65_541), (70_001, 5), (70, 16_384), (3, 16_388), (5000, 260)] {
        for op in family(DType::F32, rows, cols) {
            for pattern in [Pattern::Ordinary, Pattern::Offset] {
                let case = check::Case::new(op.as_ref(), pattern, 1);
                case.run(&gpu, &rig.queue).unwrap_or_else(|why| panic!("{op:?}, {pattern:?}: {why}"));
            }
        }
    }
}

/// Shapes of workgroups that this device has none of by itself: as wide as on a GPU, also with bindings that hold a part of the
/// rows only; and wide with several rows to a lane. A software driver runs a workgroup that is wider than a subgroup part by
/// part, from barrier to barrier: where a turn lacks one, the next turn overwrites what slower lanes have yet to read.
#[test]
fn turns_and_windows_of_wide_workgroups() {
    let rig = common::rig();
    let caps = |cpu, lanes, limit| common::strained(&rig, cpu, lanes, limit);
    let without_subgroups = |mut caps: Caps| {
        caps.features.subgroups = false;
        caps
    };
    let (whole, parts) = (128 << 20, 1 << 20);
    for (caps, rows, cols) in [
        (caps(true, 64, whole), 203, 64),
        (caps(true, 64, whole), 4102, 64),
        (caps(false, 256, whole), 8195, 256),
        (caps(false, 256, parts), 8195, 256),
        // Lanes join by way of workgroup memory.
        (without_subgroups(caps(false, 256, whole)), 8195, 256),
    ] {
        for op in family(DType::F32, rows, cols).into_iter().chain(filters(DType::F32, rows, cols)) {
            let entries = entries(op.as_ref(), &caps);
            let on_chip = entries.iter().filter(|e| e.starts_with("row_") || **e == "line_backward").count();
            assert_eq!(on_chip > 1, caps.limits.max_storage_buffer_binding_size == parts, "{op:?}: {entries:?}");
            common::in_both_orders(&rig, op.as_ref(), &caps);
        }
    }
}

#[test]
fn trips_stay_short_at_any_size() {
    for caps in [common::plain_gpu(), common::plain_cpu()] {
        for (rows, cols) in [(1, 5_000_001), (4_000_001, 1), (1 << 16, 1 << 12), (2, 1 << 22), (1 << 20, 77), (1 << 22, 4)] {
            for op in family(DType::F16, rows, cols).into_iter().chain(filters(DType::F16, rows, cols)) {
                let steps = op.lower(&caps).unwrap_or_else(|e| panic!("{op:?}: {e}")).into_steps();
                assert!(steps.iter().all(|s| s.trips <= MAX_TRIPS && s.grid(&caps).is_some()), "{op:?}");
            }
        }
    }
}

#[test]
fn squares_that_overflow_make_their_row_nan_and_no_other() {
    let session = Session::new().expect("an adapter");
    for cols in [8, 9] {
        let op = RmsNorm { weight: false, ..RmsNorm::new(DType::F32, 3, cols) };
        let mut x = vec![1.0f32; 3 * cols];
        x[cols + 2] = 1e20;
        x[2 * cols..].fill(1e18);
        let got = session.run(&op, &[HostData::F32(x)]).expect("it runs");
        let (y, rstd) = (got[0].to_f64(), got[1].to_f64());
        assert!(y[..cols].iter().all(|v| (v - 1.0).abs() < 1e-5) && (rstd[0] - 1.0).abs() < 1e-5, "{y:?}");
        assert!(y[cols..2 * cols].iter().all(|v| v.is_nan()) && rstd[1].is_nan(), "{y:?}");
        assert!(y[2 * cols..].iter().all(|v| (v - 1.0).abs() < 1e-5), "{y:?}");
    }
}
