//! Projections and dynamic loss scaling where a random case does not look: signs of zeros, and the ops one behind the other.
use ridgepole::{ops::*, *};

fn session() -> Session {
    Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one")
}

#[test]
fn a_zero_that_may_not_be_negative_has_no_sign() {
    let session = session();
    for dtype in DType::FLOATS {
        let weights = HostData::from_f64(dtype, [-0.0, 0.0, -1.5, 1.5, f64::NEG_INFINITY, -0.0]);
        let got = session.run(&NonNegative::new(dtype, 6), &[weights]).expect("it runs");
        let want = HostData::from_f64(dtype, [0.0, 0.0, 0.0, 1.5, 0.0, 0.0]);
        assert_eq!(got[0].bytes(), want.bytes(), "{dtype:?}");
        // A NaN has a sign bit too.
        let nan = session.run(&NonNegative::new(dtype, 1), &[HostData::from_f64(dtype, [-f64::NAN])]).expect("it runs");
        assert!(nan[0].to_f64()[0].is_nan(), "{dtype:?}");
    }
}

#[test]
fn noise_is_that_of_the_element_wherever_the_arena_is_cut() {
    let session = session();
    let key = Key { seed: 7, stream: 2, step: 5, first_element: 0 };
    let noise = |first_element, len| {
        let op = GradientNoise::new(DType::F32, len, 0.3, Key { first_element, ..key });
        session.run(&op, &[vec![0.0; len].into()]).expect("it runs")[0].to_f64()
    };
    let whole = noise(0, 1000);
    assert_eq!(whole[400..], noise(400, 600));
    // Other tensors of the arena change nothing.
    let op = GradientNoise { segments: Segment::pack(&[399, 600], 4), ..GradientNoise::new(DType::F32, 1000, 0.3, key) };
    let parts = session.run(&op, &[vec![0.0; 1000].into()]).expect("it runs")[0].to_f64();
    assert_eq!((&parts[..399], parts[399], &parts[400..]), (&whole[..399], 0.0, &whole[400..]));
    let mean = whole.iter().map(|z| z * z).sum::<f64>() / 1000.0;
    let want = 0.3 / 6f64.powf(0.55);
    assert!((mean / want - 1.0).abs() < 5.0 * (2.0f64 / 1000.0).sqrt(), "a variance of {mean}, not {want}");
}

/// Without a GPU: a device of narrow workgroups (8 lanes of 64 quads) needs three levels for 2^33 elements, and none loops long.
#[test]
fn tensors_of_any_length_take_few_dispatches_and_short_loops() {
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 40, ..Default::default() };
    let caps = Caps::new(limits, wgpu::Features::empty(), true);
    let dispatches = |lens: &[usize]| -> Vec<(&str, u64)> {
        let op = ClipByNorm { segments: Segment::pack(lens, 4), ..ClipByNorm::new(DType::F32, 0, 1.0) };
        let steps = op.lower(&caps).expect("it lowers").into_steps();
        assert!(steps.iter().all(|s| s.trips <= 128));
        steps.iter().map(|s| (s.spec.entry, s.workgroups)).collect()
    };
    let long = 1 << 22;
    assert_eq!(
        dispatches(&[5, 1 << 33, 0, 7]),
        [
            ("norm_partials", long + 2),
            ("norm_partials", 1),
            ("tensor_fold", 1 + 8192 + 1),
            ("tensor_fold", 1 + 16 + 1),
            ("tensor_fold", 4),
            ("clip_by_norm", long + 2),
            ("clip_by_norm", 1),
        ]
    );
    assert_eq!(dispatches(&[100; 300]), [("norm_partials", 300), ("tensor_fold", 300), ("clip_by_norm", 300)]);
    assert_eq!(dispatches(&[0, 0]), [("tensor_fold", 2)]);
    assert!(dispatches(&[]).is_empty());
}

/// The buffers of a training step, by name.
const BUFFERS: &[(&str, usize)] = &[
    ("grad", LEN),
    ("weight", LEN),
    ("m", LEN),
    ("v", LEN),
    ("scale", 1),
    ("clip", 1),
    ("norm", 1),
    ("found", 1),
    ("skipped", 1),
    ("growth_tracker", 1),
];
const LEN: usize = 1000;

/// Three steps of scaled training, the gradients of the second being past f32, in one submission: nothing is read in between.
#[test]
fn a_step_that_overflows_changes_no_weight_and_halves_the_scale_without_a_read_back() {
    let session = session();
    let (device, queue) = (session.device(), session.queue());
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let buffer = |label, size| {
        device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
    };
    let all: Vec<wgpu::Buffer> = BUFFERS.iter().map(|(name, len)| buffer(*name, 4 * *len as u64)).collect();
    let find = |name: &str| &all[BUFFERS.iter().position(|(n, _)| *n == name).expect("a buffer of this name")];
    let mut rng = Rng::new(11);
    let mut draw = |range| rng.fill(&Arg::read("x", DType::F32, LEN), range, Pattern::Ordinary);
    // Gradients of 65536 times the loss, and once one that passed the range on its way.
    let grads: Vec<HostData> = (0..3)
        .map(|step| match (step, draw([-1e5, 1e5])) {
            (1, HostData::F32(mut g)) => {
                g[LEN - 1] = f32::INFINITY;
                g.into()
            }
            (_, g) => g,
        })
        .collect();
    let sources: Vec<wgpu::Buffer> = grads
        .iter()
        .map(|g| {
            let source = buffer("gradients", 4 * LEN as u64);
            queue.write_buffer(&source, 0, g.bytes());
            source
        })
        .collect();
    queue.write_buffer(find("weight"), 0, draw([-1.0, 1.0]).bytes());
    queue.write_buffer(find("scale"), 0, &65536f32.to_le_bytes());

    let unscale = Unscale::new(DType::F32, LEN);
    let norm = GlobalNorm::new(DType::F32, LEN, 0.5);
    let adamw = |step| Adamw { gpu_scale: true, non_finite: NonFinite::Skip, step, ..Adamw::new(DType::F32, LEN, 0.01) };
    let update = UpdateLossScale { growth_interval: 2, ..UpdateLossScale::default() };
    let mut encoder = device.create_command_encoder(&Default::default());
    // The weights and the scale after each step.
    let seen: Vec<[wgpu::Buffer; 2]> =
        (0..3).map(|_| [buffer("weights seen", 4 * LEN as u64), buffer("scale seen", 4)]).collect();
    for (step, source) in sources.iter().enumerate() {
        encoder.copy_buffer_to_buffer(source, 0, find("grad"), 0, 4 * LEN as u64);
        let ops: [(&dyn Op, &[&str], &[&str]); 4] = [
            (&unscale, &["scale"], &["grad", "found"]),
            (&norm, &["grad"], &["norm", "clip"]),
            (&adamw(step as u64 + 1), &["grad", "clip"], &["weight", "m", "v", "skipped"]),
            (&update, &["found"], &["scale", "growth_tracker"]),
        ];
        for (op, reads, writes) in ops {
            let plan = session.gpu().plan(op).expect("it plans");
            let scratch = buffer("scratch", plan.scratch_size().max(16));
            let slices = |names: &[&str]| -> Vec<wgpu::BufferSlice> { names.iter().map(|n| find(n).slice(..)).collect() };
            let bound = plan.bind(&slices(reads), &slices(writes), Some(scratch.slice(..plan.scratch_size().max(16))));
            bound.expect("it binds").record(&mut encoder.begin_compute_pass(&Default::default()));
        }
        for (to, name) in seen[step].iter().zip(["weight", "scale"]) {
            encoder.copy_buffer_to_buffer(find(name), 0, to, 0, to.size());
        }
    }
    queue.submit([encoder.finish()]);

    let read = |b: &wgpu::Buffer, dtype| session.download(b, dtype, b.size() as usize / 4).expect("it can be read");
    let scales: Vec<f64> = seen.iter().map(|[_, scale]| read(scale, DType::F32).to_f64()[0]).collect();
    assert_eq!(scales, [65536.0, 32768.0, 32768.0]);
    let weights: Vec<HostData> = seen.iter().map(|[weight, _]| read(weight, DType::F32)).collect();
    assert!(weights[0] == weights[1], "the step that overflowed changed a weight");
    assert!(weights[1] != weights[2], "the step behind it changed none");
    assert!(weights[2].to_f64().iter().all(|w| w.is_finite()));
    let word = |name| read(find(name), DType::U32).words().expect("a count")[0];
    assert_eq!((word("skipped"), word("growth_tracker"), word("found")), (1, 1, 0));
}
