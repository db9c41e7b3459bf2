//! Rows that no small case reaches, and what is promised of them.
mod common;
use ridgepole::{Caps, DType, Gpu, MAX_TRIPS, Op, Pattern, check, ops::*, wgpu};

#[test]
fn long_rows_and_wide_ones() {
    let rig = common::rig();
    let gpu = Gpu::with_caps(&rig.device, Caps::of(&rig.device));
    for (rows, cols) in [(2, 300_001), (1, 1 << 20), (3, 65_541), (70_001, 5)] {
        let ops: [Box<dyn Op>; 2] =
            [Box::new(LayerNorm::new(DType::F32, rows, cols)), Box::new(LayerNormBackward::new(DType::F32, rows, cols))];
        for op in ops {
            for pattern in [Pattern::Ordinary, Pattern::Offset] {
                let case = check::Case::new(op.as_ref(), pattern, 1);
                case.run(&gpu, &rig.queue).unwrap_or_else(|why| panic!("{op:?}, {pattern:?}: {why}"));
            }
        }
    }
}

#[test]
fn trips_stay_short_at_any_size() {
    for cpu in [false, true] {
        let caps = Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), cpu);
        for (rows, cols) in [(1, 5_000_001), (5_000_001, 1), (1 << 16, 1 << 12), (2, 1 << 22), (1 << 20, 77)] {
            let ops: [Box<dyn Op>; 2] =
                [Box::new(LayerNorm::new(DType::F16, rows, cols)), Box::new(LayerNormBackward::new(DType::F16, rows, cols))];
            for op in ops {
                let steps = op.lower(&caps).unwrap_or_else(|e| panic!("{op:?}: {e}")).steps;
                assert!(steps.iter().all(|s| s.trips <= MAX_TRIPS && s.grid(&caps).is_some()), "{op:?}");
            }
        }
    }
}
