//! Gradient transforms where a random case does not look: the seams of a norm's scales, what ends up where, noise, long tensors, and
//! dynamic loss scaling with the ops one behind the other.
use crate::common::session;
use ridgepole::{ops::*, *};

/// The norm of `g` on the GPU, once it agrees with its reference in hostile memory.
fn norm(session: &Session, g: &[f32]) -> f64 {
    let op = GlobalNorm::new(DType::F32, g.len(), 1.0);
    let data = vec![g.to_vec().into(), vec![0.0].into(), vec![0.0].into()];
    check::Case::with_data(&op, data).run(session.gpu(), session.queue()).unwrap_or_else(|e| panic!("{} numbers: {e}", g.len()));
    session.run(&op, &[g.to_vec().into()]).expect("it runs")[0].to_f64()[0]
}

#[test]
fn norms_are_right_at_the_seams_of_their_scales() {
    let session = session();
    let (big, small) = (2f32.powi(40), 2f32.powi(-40));
    // What is just below a threshold and much of it, beside one number above: each scale must take the other in.
    for seam in [big, small] {
        let below = f32::from_bits(seam.to_bits() - 1);
        for many in [1, 7, 5000] {
            let mut g = vec![below; many];
            g.push(seam);
            norm(&session, &g);
            g[0] = 3.0 * seam;
            norm(&session, &g);
        }
        norm(&session, &[seam]);
        norm(&session, &[below]);
    }
    for magnitude in [f32::MAX / 256.0, 1e19, 1e-19, 1e-30, f32::MIN_POSITIVE] {
        let g: Vec<f32> =
            (0..3000).map(|i| magnitude * (1.0 + (i % 7) as f32 / 8.0) * if i % 3 == 0 { -1.0 } else { 1.0 }).collect();
        let n = norm(&session, &g);
        assert!(n.is_finite() && n > 0.0, "{magnitude:e}: {n}");
    }
    // All three scales at once.
    norm(&session, &[1e30, 1e25, 1.0, 1e-30]);
    norm(&session, &[1.0, 1e-13, 1e-30]);
    assert_eq!(norm(&session, &[3e38, 3e38]), f64::INFINITY, "past f32");
    assert_eq!(norm(&session, &[0.0, -0.0, 0.0]), 0.0);
}

#[test]
fn an_optimizer_with_the_factor_does_what_clipping_first_does() {
    let session = session();
    let mut rng = Rng::new(5);
    let mut draw = |len| rng.fill(&Arg::read("x", DType::F32, len), [-1.0, 1.0], Pattern::Ordinary);
    let (grad, weight) = (draw(1000), draw(1000));
    let clipped = session.run(&ClipByGlobalNorm::new(DType::F32, 1000, 0.5), std::slice::from_ref(&grad)).expect("clips");
    let found = session.run(&GlobalNorm::new(DType::F32, 1000, 0.5), std::slice::from_ref(&grad)).expect("measures");
    assert_eq!(clipped[1..], found[..], "norm and factor of both ops");
    let sgd = Sgd::new(DType::F32, 1000, 0.1);
    let first = session.run(&sgd, &[clipped[0].clone(), weight.clone()]).expect("steps")[0].to_f64();
    let fused = Sgd { gpu_scale: true, ..sgd };
    let second = session.run(&fused, &[grad, found[1].clone(), weight]).expect("steps")[0].to_f64();
    for (a, b) in first.iter().zip(second) {
        assert!((a - b).abs() <= 2.0 * f64::from(f32::EPSILON), "{a} and {b}");
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
            ("tensor_level", 1 + 8192 + 1),
            ("tensor_level", 1 + 16 + 1),
            ("tensor_level", 4),
            ("clip_by_norm", long + 2),
            ("clip_by_norm", 1),
        ]
    );
    assert_eq!(dispatches(&[100; 300]), [("norm_partials", 300), ("tensor_level", 300), ("clip_by_norm", 300)]);
    assert_eq!(dispatches(&[0, 0]), [("tensor_level", 2)]);
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
        let ops: [(&dyn Verify, &[&str], &[&str]); 4] = [
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
