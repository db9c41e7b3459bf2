//! Without a GPU: what the ops of several dispatches lower to, as data.
use crate::common::{entries, plain_gpu};
use ridgepole::{ops::*, *};

/// A device with these limits; on a CPU a block is 8 lanes of 64 quads (2048 elements), and 512 partials merge at once.
fn cpu(binding: u64) -> Caps {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: binding, ..Default::default() };
    Caps::new(limits, wgpu::Features::empty(), true)
}

const LARGE: u64 = 1 << 40;

fn penalty(segments: Vec<Segment>) -> Penalty {
    Penalty::new(DType::F32, segments, vec![ElasticNet::new(0.1, 0.2)])
}

fn prox(segments: Vec<Segment>, step: f64) -> Prox {
    Prox { dtype: DType::F16, segments, groups: vec![ElasticNet::l1(0.1)], step }
}

/// A step's parameter, by the name in the shader.
fn word(step: &Step, name: &str) -> u32 {
    let i = step.params.fields.iter().position(|f| f.0 == name).unwrap_or_else(|| panic!("no parameter {name}"));
    u32::from_le_bytes(step.params.bytes[4 * i..][..4].try_into().expect("a word"))
}

/// Entry point, workgroups, and the parameters with these names.
fn outline(step: &Step, names: &[&str]) -> (&'static str, u64, Vec<u32>) {
    (step.spec.entry, step.workgroups, names.iter().map(|n| word(step, n)).collect())
}

const BLOCKS: &[&str] = &["first", "blocks", "partial", "base"];
const LEVEL: &[&str] = &["workgroups", "per_row", "count", "fan", "row", "stride"];

#[test]
fn a_value_is_a_partial_per_block_and_a_level() {
    let steps = penalty(Segment::one(10_003)).lower(&cpu(LARGE)).unwrap().into_steps();
    assert_eq!(steps.len(), 3);
    assert_eq!(outline(&steps[0], BLOCKS), ("penalty", 5, vec![0, 5, 0, 0]));
    // The ragged end has the entry behind all whole blocks.
    assert_eq!(outline(&steps[1], BLOCKS), ("penalty", 1, vec![4, 1, 5, 0]));
    assert_eq!((word(&steps[1], "end"), word(&steps[1], "lo"), word(&steps[1], "hi")), (10_003, 2500, 2501));
    assert_eq!(outline(&steps[2], LEVEL), ("reduce_level", 1, vec![1, 1, 6, 512, 6, 1]));
    assert_eq!(steps[0].slots[0], Slot::Arg(0, 0..40_000));
    assert_eq!(steps[1].slots[0], Slot::Arg(0, 0..40_012));
    assert_eq!(steps[2].slots, [Slot::Scratch(0..32), Slot::Arg(1, 0..4)]);
}

#[test]
fn a_last_block_of_only_an_incomplete_quad_is_counted_once() {
    for (len, blocks, partials) in [(2047, 1, 2), (2048, 1, 1), (2049, 1, 2), (3, 0, 1)] {
        let steps = prox(Segment::one(len), 0.5).lower(&cpu(LARGE)).unwrap().into_steps();
        let main: u64 = steps.iter().filter(|s| s.spec.entry == "prox").map(|s| s.workgroups).sum();
        assert_eq!(main, partials, "{len} elements: workgroups");
        let last = steps.last().unwrap();
        assert_eq!(outline(last, &["count"]), ("reduce_level", 1, vec![partials as u32]), "{len} elements");
        let ragged = steps.iter().find(|s| s.spec.entry == "prox" && word(s, "hi") == word(s, "lo") + 1 && len % 4 != 0);
        assert_eq!(ragged.map(|s| word(s, "partial")), (len % 4 != 0).then_some(blocks), "{len} elements");
    }
}

#[test]
fn windows_give_the_same_partials() {
    let whole = penalty(Segment::one(100_001)).lower(&cpu(LARGE)).unwrap();
    let cut = penalty(Segment::one(100_001)).lower(&cpu(1 << 16)).unwrap();
    assert_eq!((whole.steps().len(), cut.steps().len()), (3, 9));
    assert_eq!(whole.scratch_bytes(), cut.scratch_bytes());
    assert_eq!(whole.steps().last(), cut.steps().last());
    let mut next = 0;
    for step in &cut.steps()[..8] {
        assert_eq!(word(step, "partial"), next);
        next += step.workgroups as u32;
        let Slot::Arg(0, r) = &step.slots[0] else { panic!("weights first") };
        assert!(r.end - r.start <= 1 << 16);
        assert_eq!(u64::from(word(step, "base")) * 16, r.start);
    }
    assert_eq!(next, 50);
}

#[test]
fn nothing_still_gives_zero() {
    for op in [&penalty(vec![]) as &dyn Verify, &prox(Segment::one(0), 1.0)] {
        let out = op.lower(&cpu(LARGE)).unwrap();
        assert_eq!(out.steps().len(), 1);
        assert_eq!(outline(&out.steps()[0], &["per_row", "count"]), ("reduce_level", 1, vec![1, 0]));
        assert_eq!(out.steps()[0].slots, [Slot::Scratch(0..16), Slot::Arg(1, 0..4)]);
    }
}

#[test]
fn many_tensors_and_long_ones_take_few_dispatches_and_short_loops() {
    // 2500 partials: two levels; the first one's results lie 512 entries apart.
    let steps = penalty(Segment::pack(&[7; 2500], 4)).lower(&cpu(LARGE)).unwrap().into_steps();
    assert_eq!(steps.len(), 4);
    assert_eq!(outline(&steps[2], LEVEL), ("reduce_level", 5, vec![5, 5, 2501, 512, 2501, 1]));
    assert_eq!(outline(&steps[3], LEVEL), ("reduce_level", 1, vec![1, 1, 5, 512, 2501, 512]));
    assert_eq!(steps[2].slots.len(), 1, "a level that stays in scratch works in place");
    // 2^33 elements: 2^22 partials, three levels.
    let steps = prox(Segment::one(1 << 33), 0.5).lower(&cpu(LARGE)).unwrap().into_steps();
    let levels: Vec<_> = steps.iter().skip(1).map(|s| outline(s, &["per_row", "count", "stride"]).2).collect();
    assert_eq!(levels, [[8192, 1 << 22, 1], [16, 8192, 512], [1, 16, 1 << 18]]);
    assert!(steps.iter().all(|s| s.trips <= 128));
}

#[test]
fn a_table_row_per_group() {
    let groups = vec![ElasticNet::l1(0.5), ElasticNet::new(0.25, 3.0), ElasticNet::weight_decay(3.0)];
    let segments = vec![Segment { start: 0, len: 6, group: 2 }];
    let floats = |op: &dyn Verify| -> Vec<f32> {
        let tables = op.lower(&cpu(LARGE)).unwrap().tables().to_vec();
        tables[16..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().expect("a word"))).collect()
    };
    let value = Penalty::new(DType::Bf16, segments.clone(), groups.clone());
    assert_eq!(floats(&value), [0.5, 0.0, 0.0, 0.0, 0.25, 3.0, 0.0, 0.0, 0.0, 1.5, 0.0, 0.0]);
    let step = Prox { dtype: DType::Bf16, segments, groups, step: 0.5 };
    assert_eq!(floats(&step), [0.25, 1.0, 0.0, 0.0, 0.125, 4.0, 0.0, 0.0, 0.0, 2.5, 0.0, 0.0]);
}

#[test]
fn rows_that_fit_a_workgroup_take_one_dispatch_and_the_others_say_by_their_shape_that_they_do_not() {
    let gpu = plain_gpu();
    for caps in [cpu(LARGE), gpu.clone()] {
        for cols in [4, 1024, 16_384] {
            assert_eq!(entries(&LayerNorm::new(DType::F16, 100, cols), &caps), ["row_forward"], "{cols}");
            assert_eq!(entries(&RmsNorm::new(DType::F32, 100, cols), &caps), ["row_forward"], "{cols}");
        }
        // No whole quads; too long.
        for cols in [1023, 16_388] {
            assert_eq!(entries(&RmsNorm::new(DType::F32, 100, cols), &caps).last(), Some(&"channel_apply"), "{cols}");
        }
        let plain = RmsNormBackward::from(RmsNorm { weight: false, ..RmsNorm::new(DType::F32, 100, 1024) });
        assert_eq!(entries(&plain, &caps), ["row_backward"]);
        assert_eq!(entries(&RmsNormBackward::new(DType::F32, 100, 1024), &caps), ["row_backward", "reduce_columns"]);
        assert_eq!(entries(&LayerNormBackward::new(DType::F32, 100, 1024), &caps), ["row_backward", "reduce_columns"]);
        assert!(!entries(&LayerNormBackward::new(DType::F32, 100, 1022), &caps).contains(&"row_backward"));
    }
    // A GPU holds x and dy; a software driver has them in the cache.
    let long = LayerNormBackward::new(DType::F32, 100, 8196);
    assert!(!entries(&long, &gpu).contains(&"row_backward"));
    assert!(entries(&long, &cpu(LARGE)).contains(&"row_backward"));
    // The columns' partial sums would be too many for a binding.
    assert!(!entries(&LayerNormBackward::new(DType::F32, 1 << 20, 4096), &cpu(LARGE)).contains(&"row_backward"));
}

#[test]
fn an_arena_of_matrices_takes_as_many_dispatches_as_one_matrix() {
    let many: Vec<_> = (0..1000).map(|i| (4 + i % 7, 8, [Unit::Rows, Unit::Columns, Unit::Whole][i % 3])).collect();
    for (matrices, alone) in [(Matrix::one(60, 64), true), (Matrix::pack(&many, 4), false)] {
        let clip = AdaptiveClip { dtype: DType::F32, matrices: matrices.clone(), clipping: 0.01, eps: 1e-3 };
        let steps = clip.lower(&cpu(LARGE)).unwrap().into_steps();
        let entries: Vec<_> = steps.iter().map(|s| s.spec.entry).collect();
        assert_eq!(entries, ["unit_partials", "unit_coefs", "unit_partials", "unit_coefs", "unit_map"]);
        let steps = Centralize { dtype: DType::F32, matrices }.lower(&cpu(LARGE)).unwrap().into_steps();
        assert_eq!(steps.len(), 3);
        if alone {
            // A row of 16 quads has all 8 lanes to itself; a lane finishes each unit's only part.
            assert_eq!(outline(&steps[0], &["matrices", "blocks"]), ("unit_partials", 60, vec![1, 60]));
            assert_eq!(outline(&steps[1], &["blocks"]), ("unit_coefs", 8, vec![8]));
            assert_eq!(word(&steps[2], "units"), 60);
        }
    }
}

#[test]
fn windows_give_the_same_partials_of_units() {
    let lower = |unit, limit| {
        let matrices = Matrix::pack(&[(2000, 40, unit)], 4);
        MaxNorm { dtype: DType::F32, matrices, max: 1.0, form: MaxNormForm::Plain }.lower(&cpu(limit)).unwrap()
    };
    for unit in [Unit::Rows, Unit::Columns] {
        let (whole, cut) = (lower(unit, LARGE), lower(unit, 1 << 16));
        assert_eq!(whole.scratch_bytes(), cut.scratch_bytes());
        let first =
            |l: &Lowered| -> Vec<Step> { l.steps().iter().filter(|s| s.spec.entry == "unit_partials").cloned().collect() };
        let (one, parts) = (first(&whole), first(&cut));
        assert!(one.len() == 1 && parts.len() > 4, "{} windows", parts.len());
        let mut next = 0;
        for step in &parts {
            assert_eq!((word(step, "first"), u64::from(word(step, "blocks"))), (next, step.workgroups));
            next += step.workgroups as u32;
            let Slot::Arg(0, r) = &step.slots[0] else { panic!("weights first") };
            assert!(r.end - r.start <= 1 << 16);
            assert_eq!(u64::from(word(step, "base")) * 16, r.start);
        }
        assert_eq!(u64::from(next), one[0].workgroups);
    }
}

/// A backward op holds its forward op, also its fields that JSON does not have there: whatever these are, it is the same op.
#[test]
fn fields_that_a_backward_op_does_not_have_do_not_matter() {
    let (caps, key, space) = (plain_gpu(), Key::default(), Space::channels_first(3, 2, 36));
    let same = |as_made: &dyn Op, changed: &dyn Op| {
        assert_eq!(as_made.args(), changed.args(), "{as_made:?}");
        assert_eq!(as_made.lower(&caps), changed.lower(&caps), "{as_made:?}");
        assert_eq!(format!("{as_made:?}"), format!("{changed:?}"));
    };
    macro_rules! all {
        ($($forward:expr, |$op:ident| $change:expr;)*) => {$({
            let (as_made, mut changed) = ($forward.backward(), $forward.backward());
            let $op = &mut changed.forward;
            $change;
            same(&as_made, &changed);
        })*};
    }
    for (mask, scaling) in [(MaskMode::Store, Scaling::Inverted), (MaskMode::Recompute, Scaling::ScaleAtTest)] {
        all! {
            Dropout { mask, scaling, ..Dropout::new(DType::F32, space, 0.3, key) }, |op| op.training = false;
            AlphaDropout { mask, ..AlphaDropout::new(DType::F32, space, 0.3, key) }, |op| op.training = false;
            DropBlock { mask, ..DropBlock::new(DType::F32, space, 6, 3, 0.3, key) }, |op| op.training = false;
            DropConnect { scaling, ..DropConnect::new(DType::F32, [7, 5], 0.3, key) }, |op| op.training = false;
        }
    }
    all! {
        GaussianDropout::new(DType::F32, space, 0.3, key), |op| op.training = false;
        BiasActDropoutAdd::new(DType::F32, space, 0.3, key), |op| op.residual = false;
        Mixup::new(DType::F32, space, 1.0, key), |op| op.classes = 5;
        CutMix::new(DType::F32, space, 6, 1.0, key), |op| op.classes = 5;
        Cutout::new(DType::F32, space, 6, 3, key), |op| op.value = f64::NAN;
    }
    let as_made = DropoutAddLayerNorm::new(DType::F32, 5, 12, 0.3, key).backward(true);
    let mut changed = as_made.clone();
    (changed.forward.residual, changed.forward.eps) = (false, f64::NAN);
    same(&as_made, &changed);
}
