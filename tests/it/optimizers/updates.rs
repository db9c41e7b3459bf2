//! One plan, one binding, many optimizer steps: scalars change by `Plan::update`, nothing is made again.
use ridgepole::{
    ops::{Adamw, Sgd},
    *,
};

/// An op's buffers on the GPU, bound once.
struct Run<'a> {
    session: &'a Session,
    plan: Plan,
    bound: Bound,
    buffers: Vec<wgpu::Buffer>,
}

impl<'a> Run<'a> {
    fn new(session: &'a Session, op: &dyn Verify, data: &[HostData]) -> Self {
        let plan = session.gpu().plan(op).expect("a valid op");
        let buffers: Vec<_> = data.iter().map(|d| session.upload(d).expect("small buffers")).collect();
        let scratch = session.empty(DType::U32, plan.scratch_size() as usize / 4 + 1).expect("a small buffer");
        let slices: Vec<_> = buffers.iter().map(|b| b.slice(..)).collect();
        let reads = plan.args().iter().filter(|a| a.access == Access::Read).count();
        let bound = plan.bind(&slices[..reads], &slices[reads..], Some(scratch.slice(..))).expect("fitting buffers");
        Self { session, plan, bound, buffers }
    }

    fn step(&self, op: &dyn Verify, grad: &HostData) {
        let mut bytes = grad.bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        self.session.queue().write_buffer(&self.buffers[0], 0, &bytes);
        self.plan.update(self.session.queue(), op).expect("only scalars changed");
        let mut encoder = self.session.device().create_command_encoder(&Default::default());
        self.bound.record(&mut encoder.begin_compute_pass(&Default::default()));
        self.session.queue().submit([encoder.finish()]);
    }

    fn state(&self) -> Vec<HostData> {
        let args = self.plan.args().iter().zip(&self.buffers);
        args.map(|(a, b)| self.session.download(b, a.dtype, a.len).expect("a readable buffer")).collect()
    }
}

/// Three tensors with gaps, of two groups: the second has every kind of regularization.
fn arena() -> (Vec<Segment>, Vec<Group>) {
    let mut segments = Segment::pack(&[5, 1000, 7], 16);
    segments[1].group = 1;
    let all = Group {
        lr_scale: 0.5,
        coupled: ElasticNet::new(1e-3, 1e-2),
        decay: 0.05,
        prox: ElasticNet::new(0.5, 0.1),
        ..Group::default()
    };
    (segments, vec![Group::default(), all])
}

fn random(len: usize, seed: u64) -> HostData {
    Rng::new(seed).fill(&Arg::read("x", DType::F32, len), [-1.0, 1.0], Pattern::Ordinary)
}

/// A schedule, so that the table of groups changes too.
fn lr(step: u64) -> f64 {
    0.1 / step as f64
}

const STEPS: u64 = 6;

/// Every weight against the f64 run, and the gaps untouched. In each step a weight takes on three roundings of numbers below
/// 2, and hands them on undiminished; the moments' roundings come in times lr, at most 0.1, together no more than a fourth.
fn assert_near(got: &[f64], want: &[f64], segments: &[Segment], before: &[f64]) {
    let tolerance = STEPS as f64 * 4.0 * f64::from(f32::EPSILON);
    let mut live = vec![false; got.len()];
    segments.iter().for_each(|s| live[s.start..s.start + s.len].fill(true));
    for i in 0..got.len() {
        if live[i] {
            assert!((got[i] - want[i]).abs() <= tolerance, "weight {i}: got {}, want {}", got[i], want[i]);
        } else {
            assert_eq!(got[i], before[i], "element {i}, between tensors");
        }
    }
    let zeros = |w: &[f64]| w.iter().filter(|&&x| x == 0.0).count();
    assert!(zeros(got) > 0, "the proximal step gave no zero");
    assert!(zeros(got).abs_diff(zeros(want)) <= 2, "{} zeros, want {}", zeros(got), zeros(want));
}

#[test]
fn sgd_goes_on_for_six_steps() {
    let session = Session::new().expect("an adapter");
    let (segments, groups) = arena();
    let len = Segment::arena_len(&segments);
    let op = |step| Sgd {
        segments: segments.clone(),
        groups: groups.clone(),
        momentum: 0.9,
        nesterov: true,
        step,
        grad_scale: 0.5,
        ..Sgd::new(DType::F32, 0, lr(step))
    };
    // What the buffer holds before the first step does not matter.
    let garbage = HostData::F32(vec![f32::NAN; len]);
    let run = Run::new(&session, &op(1), &[random(len, 0), random(len, 99), garbage]);
    let before = random(len, 99).to_f64();
    let (mut w, mut buffer) = (before.clone(), vec![f64::NAN; len]);
    for step in 1..=STEPS {
        let grad = random(len, step);
        run.step(&op(step), &grad);
        let g = grad.to_f64();
        for s in &segments {
            let (group, rate) = (&groups[s.group], lr(step) * groups[s.group].lr_scale);
            let scalars = cpu::SgdStep {
                grad_scale: 0.5,
                rate,
                momentum: 0.9,
                dampening: 0.0,
                nesterov: true,
                first: step == 1,
                coupled: [group.coupled.l1, group.coupled.slope()],
                decay: rate * group.decay,
                threshold: rate * group.prox.l1,
                divisor: 1.0 + rate * group.prox.slope(),
            };
            for i in s.start..s.start + s.len {
                (w[i], buffer[i]) = cpu::sgd(&scalars, w[i], g[i], buffer[i]);
            }
        }
    }
    assert_near(&run.state()[1].to_f64(), &w, &segments, &before);
}

#[test]
fn adamw_goes_on_for_six_steps() {
    let session = Session::new().expect("an adapter");
    let (segments, groups) = arena();
    let len = Segment::arena_len(&segments);
    let op = |step| Adamw { segments: segments.clone(), groups: groups.clone(), step, ..Adamw::new(DType::F32, 0, lr(step)) };
    let zeros = || HostData::F32(vec![0.0; len]);
    let run = Run::new(&session, &op(1), &[random(len, 0), random(len, 99), zeros(), zeros()]);
    let before = random(len, 99).to_f64();
    let (mut w, mut m, mut v) = (before.clone(), vec![0.0; len], vec![0.0; len]);
    for step in 1..=STEPS {
        let grad = random(len, step);
        run.step(&op(step), &grad);
        let g = grad.to_f64();
        for s in &segments {
            let (group, rate) = (&groups[s.group], lr(step) * groups[s.group].lr_scale);
            let scalars = cpu::AdamwStep {
                grad_scale: 1.0,
                rate,
                beta1: 0.9,
                beta2: 0.999,
                eps: [0.0, 1e-8],
                step,
                coupled: [group.coupled.l1, group.coupled.slope()],
                decay: rate * group.decay,
                threshold: rate * group.prox.l1,
                divisor: 1.0 + rate * group.prox.slope(),
            };
            for i in s.start..s.start + s.len {
                (w[i], m[i], v[i]) = cpu::adamw(&scalars, w[i], g[i], m[i], v[i]);
            }
        }
    }
    assert_near(&run.state()[1].to_f64(), &w, &segments, &before);
}

/// Steps with a bad gradient or scale leave every bit as it was and are counted; those between them are made.
fn skips_and_goes_on(op: &dyn Verify, dtype: DType) {
    let session = Session::new().expect("an adapter");
    let args = op.args();
    let (len, last) = (args[0].len, args.len() - 1);
    let store = |x: HostData| HostData::from_f64(dtype, x.to_f64());
    let data: Vec<HostData> = args
        .iter()
        .enumerate()
        .map(|(i, a)| match a.name {
            "scale" => HostData::F32(vec![1.0]),
            "skipped" | "steps" => HostData::U32(vec![0]),
            "v" => HostData::F32(vec![0.25; len]),
            _ if a.dtype == dtype => store(random(len, i as u64)),
            _ => random(len, i as u64),
        })
        .collect();
    let run = Run::new(&session, op, &data);
    let spoiled = |at: usize, by: f64| {
        let mut g = random(len, 7).to_f64();
        g[at] = by;
        HostData::from_f64(dtype, g)
    };
    let scale = |by: f32| session.queue().write_buffer(&run.buffers[1], 0, &by.to_le_bytes());
    let mut count = 0;
    // The first and last element of tensors, then one between tensors, which nothing may notice.
    for (at, by, bad) in [(0, f64::NAN, true), (1015, f64::INFINITY, true), (1030, f64::NEG_INFINITY, true), (6, f64::NAN, false)]
    {
        let before = run.state();
        run.step(op, &spoiled(at, by));
        let after = run.state();
        count += u32::from(bad);
        assert_eq!(after[last], HostData::U32(vec![count]), "element {at}: {by}");
        for i in 2..last {
            assert_eq!(bad, after[i].bytes() == before[i].bytes(), "`{}` after {by} in element {at}", args[i].name);
        }
    }
    for bad in [f32::INFINITY, f32::NAN] {
        let before = run.state();
        scale(bad);
        run.step(op, &spoiled(0, 0.5));
        let after = run.state();
        count += 1;
        assert_eq!(after[last], HostData::U32(vec![count]), "the scale is {bad}");
        assert!((2..last).all(|i| after[i].bytes() == before[i].bytes()), "the scale is {bad}");
    }
    let before = run.state();
    scale(0.5);
    run.step(op, &spoiled(0, 0.5));
    let good = run.state();
    assert_eq!(good[last], HostData::U32(vec![count]));
    assert!((2..last).all(|i| good[i].bytes() != before[i].bytes()), "a good step proceeds");
}

#[test]
fn a_step_with_bad_gradients_changes_nothing_and_is_counted() {
    let (segments, groups) = arena();
    assert_eq!((segments[1].start, segments[2].start), (16, 1024), "the elements chosen above are the tensors' ends");
    for dtype in DType::FLOATS {
        let (segments, groups, non_finite) = (segments.clone(), groups.clone(), NonFinite::Skip);
        let sgd = Sgd { momentum: 0.9, step: 2, gpu_scale: true, non_finite, ..Sgd::new(dtype, 0, 0.1) };
        skips_and_goes_on(&Sgd { segments: segments.clone(), groups: groups.clone(), ..sgd }, dtype);
        let adamw = Adamw { step: 2, gpu_scale: true, non_finite, ..Adamw::new(dtype, 0, 0.1) };
        let adamw = Adamw { segments, groups, ..adamw };
        skips_and_goes_on(&adamw, dtype);
        skips_and_goes_on(&Adamw { step: 1, gpu_step: true, ..adamw }, dtype);
    }
}

/// A counter on the GPU counts the steps that are made and no others; each has the bits that the host's own count of them gives, but
/// for the rounding of the corrections.
#[test]
fn the_gpu_counts_the_steps_that_are_made() {
    let session = Session::new().expect("an adapter");
    let len = 1003;
    let op = |gpu_step, step| Adamw {
        gpu_step,
        step,
        eps: 1e-3,
        amsgrad: true,
        non_finite: NonFinite::Skip,
        ..Adamw::new(DType::F32, len, 0.1)
    };
    let (zeros, zero) = (|| HostData::F32(vec![0.0; len]), || HostData::U32(vec![0]));
    let data = || vec![random(len, 0), random(len, 99), zeros(), zeros(), zeros()];
    let counted = Run::new(&session, &op(true, 1), &[data(), vec![zero(), zero()]].concat());
    let told = Run::new(&session, &op(false, 1), &[data(), vec![zero()]].concat());
    let (mut made, mut skipped) = (0, 0);
    for attempt in 0..40u64 {
        let mut grad = random(len, attempt).to_f64();
        let bad = [0, 3, 4, 5, 17, 30].contains(&attempt);
        if bad {
            grad[attempt as usize] = f64::NAN;
        }
        let grad = HostData::from_f64(DType::F32, grad);
        // Without an update in between: nothing about the plan changes from step to step.
        counted.step(&op(true, 1), &grad);
        told.step(&op(false, made + 1), &grad);
        made += u64::from(!bad);
        skipped += u32::from(bad);
        let (got, want) = (counted.state(), told.state());
        assert_eq!([&got[5], &got[6]], [&HostData::U32(vec![made as u32]), &HostData::U32(vec![skipped])], "attempt {attempt}");
        assert_eq!(got[2..5], want[2..5], "attempt {attempt}: moments need no correction");
        // A step is at most 0.1·m̂/√v̂, here below 1; a correction is off by no more than 16 ulp, its root and the quotient by 9.
        let tolerance = made as f64 * 40.0 * f64::from(f32::EPSILON);
        for (i, (a, b)) in got[1].to_f64().iter().zip(want[1].to_f64()).enumerate() {
            assert!((a - b).abs() <= tolerance, "attempt {attempt}, weight {i}: {a}, by the host's count {b}");
        }
    }
}

#[test]
fn update_changes_scalars_and_nothing_else() {
    let session = Session::new().expect("an adapter");
    let op = Sgd::new(DType::F32, 100, 0.1);
    let data = [random(100, 0), random(100, 1)];
    let run = Run::new(&session, &op, &data);
    let refused = |other: &dyn Verify| run.plan.update(session.queue(), other).expect_err("another shape").to_string();
    for other in [Sgd::new(DType::F32, 104, 0.1), Sgd { momentum: 0.5, ..op.clone() }, Sgd { gpu_scale: true, ..op.clone() }] {
        assert!(refused(&other).contains("changes more than scalar parameters"), "{other:?}");
    }
    assert!(refused(&Sgd { lr: f64::NAN, ..op.clone() }).contains("`lr` is NaN"));
    // What was refused left nothing behind.
    run.step(&Sgd { lr: 0.5, ..op }, &data[0]);
    let (got, g, w) = (run.state()[1].to_f64(), data[0].to_f64(), data[1].to_f64());
    assert!((0..100).all(|i| (got[i] - (w[i] - 0.5 * g[i])).abs() < 1e-6));
}
