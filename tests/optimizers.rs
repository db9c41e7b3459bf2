//! Without a GPU: what the optimizer steps lower to, what they cost, and every mistake in their fields, in words.
use ridgepole::{
    ops::{Adamw, Sgd},
    *,
};

/// A GPU of WebGPU's default limits.
fn caps() -> Caps {
    Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), false)
}

fn entries(op: &dyn Op) -> Vec<&'static str> {
    op.lower(&caps()).expect("a valid op").steps().iter().map(|s| s.spec.entry).collect()
}

/// 300 tensors of 8 to 2,400 elements, in two groups.
fn model() -> (Vec<Segment>, Vec<Group>) {
    let mut segments = Segment::pack(&(1..=300).map(|i| 8 * i).collect::<Vec<_>>(), 128);
    segments.iter_mut().enumerate().for_each(|(i, s)| s.group = i % 2);
    (segments, vec![Group::default(), Group { prox: ElasticNet::l1(1e-3), ..Group::default() }])
}

#[test]
fn a_whole_model_is_one_dispatch() {
    let (mut segments, groups) = model();
    let sgd = Sgd { segments: segments.clone(), groups: groups.clone(), momentum: 0.9, ..Sgd::new(DType::F16, 0, 0.1) };
    let adamw = Adamw { segments: segments.clone(), groups: groups.clone(), ..Adamw::new(DType::F32, 0, 0.1) };
    assert_eq!(entries(&sgd), ["sgd"]);
    assert_eq!(entries(&adamw), ["adamw"]);
    let skip = Adamw { non_finite: NonFinite::Skip, gpu_scale: true, ..adamw };
    assert_eq!(entries(&skip), ["skip_begin", "skip_scan", "skip_end", "adamw"]);
    // An end inside a quad takes one more of each; no tensors, none.
    segments.last_mut().expect("300").len -= 1;
    assert_eq!(entries(&Sgd { segments, ..sgd.clone() }), ["sgd", "sgd"]);
    assert!(entries(&Sgd { segments: vec![], non_finite: NonFinite::Skip, ..sgd }).is_empty());
    assert!(entries(&Adamw::new(DType::F32, 0, 0.1)).is_empty());
}

#[test]
fn everything_fits_webgpus_defaults() {
    let all = Adamw { gpu_scale: true, non_finite: NonFinite::Skip, ..Adamw::new(DType::F32, 1 << 27, 0.1) };
    let lowered = all.lower(&caps()).expect("128 Mi elements");
    let limits = caps().limits;
    assert!(lowered.steps().iter().filter(|s| s.spec.entry == "adamw").count() >= 4, "512 MiB in windows of 128");
    for step in lowered.steps() {
        assert!(step.slots.len() <= 8, "{}: {} storage buffers", step.spec.entry, step.slots.len());
        assert!(step.grid(&caps()).is_some() && step.trips <= MAX_TRIPS);
        for slot in &step.slots {
            let (Slot::Arg(_, r) | Slot::Scratch(r) | Slot::Table(r)) = slot;
            assert!(r.end - r.start <= limits.max_storage_buffer_binding_size && r.start % caps().alignment() == 0);
        }
    }
}

#[test]
fn penalties_cost_no_traffic() {
    let all = Group { coupled: ElasticNet::new(0.1, 0.1), decay: 0.1, prox: ElasticNet::new(0.1, 0.1), ..Group::default() };
    let per_element = |op: &dyn Op| op.cost().bytes as f64 / 1000.0;
    for groups in [vec![Group::default()], vec![all]] {
        let sgd = |dtype, momentum| Sgd { groups: groups.clone(), momentum, ..Sgd::new(dtype, 1000, 0.1) };
        let adamw = |dtype| Adamw { groups: groups.clone(), ..Adamw::new(dtype, 1000, 0.1) };
        assert_eq!([per_element(&sgd(DType::F32, 0.0)), per_element(&sgd(DType::F32, 0.9))], [12.0, 20.0]);
        assert_eq!([per_element(&adamw(DType::F32)), per_element(&adamw(DType::F16))], [28.0, 22.0]);
        // A master takes the place of the weight, which is only written; an average is read and written.
        let master = Adamw { master: true, ..adamw(DType::Bf16) };
        let averaged = Adamw { ema: Some(Averaging::constant(0.999)), ..adamw(DType::F32) };
        assert_eq!([per_element(&master), per_element(&averaged)], [28.0, 36.0]);
        let skip = Sgd { non_finite: NonFinite::Skip, ..sgd(DType::F32, 0.0) };
        assert_eq!(skip.cost().bytes, 16 * 1000 + 8, "the gradients again, and the counter");
    }
}

#[test]
fn mistakes_are_named() {
    let text = |op: &dyn Op| op.lower(&caps()).expect_err("a mistake").to_string();
    let sgd = || Sgd::new(DType::F32, 8, 0.1);
    let adamw = || Adamw::new(DType::F32, 8, 0.1);
    let group = |g: Group| vec![Group::default(), g];
    let plain = Group::default();
    assert_eq!(text(&Sgd { lr: -0.1, ..sgd() }), "sgd: `lr` is -0.1, must be finite in f32 and at least 0");
    assert_eq!(text(&Adamw { lr: f64::NAN, ..adamw() }), "adamw: `lr` is NaN, must be finite in f32 and at least 0");
    assert_eq!(text(&Sgd { lr: 1e300, ..sgd() }), format!("sgd: `lr` is {}, must be finite in f32 and at least 0", 1e300));
    assert_eq!(text(&Sgd { grad_scale: f64::NAN, ..sgd() }), "sgd: `grad_scale` is NaN, must be finite in f32");
    assert_eq!(text(&Sgd { step: 0, ..sgd() }), "sgd: `step` is 0, must be at least 1: steps are counted from 1");
    assert_eq!(text(&Adamw { step: 0, ..adamw() }), "adamw: `step` is 0, must be at least 1: steps are counted from 1");
    assert_eq!(text(&Sgd { momentum: 1.5, ..sgd() }), "sgd: `momentum` is 1.5, must be finite in f32 and in 0..=1");
    assert_eq!(
        text(&Sgd { momentum: 0.9, dampening: -1.0, ..sgd() }),
        "sgd: `dampening` is -1, must be finite in f32 and in 0..=1"
    );
    let why = "sgd: `dampening` is 0.5, must be 0 without momentum and with nesterov";
    assert_eq!(text(&Sgd { dampening: 0.5, ..sgd() }), why);
    assert_eq!(text(&Sgd { momentum: 0.9, nesterov: true, dampening: 0.5, ..sgd() }), why);
    assert_eq!(
        text(&Sgd { nesterov: true, ..sgd() }),
        "sgd: `nesterov` is true and momentum is 0: give a momentum, or leave nesterov out"
    );
    assert_eq!(text(&Adamw { beta1: 1.0, ..adamw() }), "adamw: `beta1` is 1, must be at least 0 and, in f32, below 1");
    assert_eq!(text(&Adamw { beta2: -0.1, ..adamw() }), "adamw: `beta2` is -0.1, must be at least 0 and, in f32, below 1");
    assert!(text(&Adamw { beta2: 0.999_999_999, ..adamw() }).contains("in f32, below 1"), "it would round to 1");
    assert!(text(&Adamw { beta1: f64::NAN, ..adamw() }).contains("`beta1` is NaN"));
    assert_eq!(text(&Adamw { eps: -1e-8, ..adamw() }), "adamw: `eps` is -0.00000001, must be finite in f32 and at least 0");
    assert_eq!(
        text(&Sgd { groups: group(Group { lr_scale: -1.0, ..plain }), ..sgd() }),
        "sgd: `groups` [1] has lr_scale = -1, must be finite and at least 0"
    );
    assert!(text(&Sgd { groups: group(Group { decay: f64::INFINITY, ..plain }), ..sgd() }).contains("[1] has decay = inf"));
    let negative = ElasticNet::l1(-1.0);
    assert!(text(&Sgd { groups: group(Group { coupled: negative, ..plain }), ..sgd() }).contains("has l1 = -1"));
    assert!(text(&Adamw { groups: group(Group { prox: negative, ..plain }), ..adamw() }).contains("has l1 = -1"));
    let huge = Sgd { lr: 1e30, groups: group(Group { prox: ElasticNet::l1(1e30), ..plain }), ..sgd() };
    assert!(text(&huge).contains("`groups` [1]: a product with lr = 1"), "{}", text(&huge));
    assert!(text(&Sgd { groups: vec![], ..sgd() }).contains("`segments` [0] is of group 0, and there are 0 groups"));
    assert!(text(&Sgd { dtype: DType::U32, ..sgd() }).contains("`dtype` is U32"));
}

#[test]
fn json_fills_in_the_defaults() {
    let parse = |text: &str| ops::from_json(text).map(|op| format!("{op:?}"));
    let text = r#"{"op": "adamw", "dtype": "f32", "segments": [{"start": 0, "len": 8}], "groups": [{}], "lr": 0.1, "step": 1}"#;
    assert_eq!(parse(text).expect("valid"), format!("{:?}", Adamw::new(DType::F32, 8, 0.1)));
    let text = r#"{"op": "sgd", "dtype": "bf16", "segments": [{"start": 0, "len": 8}], "lr": 0.1, "step": 2, "momentum": 0.9,
        "groups": [{"decay": 0.1, "decay_mode": "independent", "prox": {"l1": 0.5}}], "non_finite": "skip"}"#;
    let group = Group { decay: 0.1, decay_mode: DecayMode::Independent, prox: ElasticNet::l1(0.5), ..Group::default() };
    let groups = vec![group];
    let want = Sgd { groups, momentum: 0.9, step: 2, non_finite: NonFinite::Skip, ..Sgd::new(DType::Bf16, 8, 0.1) };
    assert_eq!(parse(text).expect("valid"), format!("{want:?}"));
    assert!(parse(&text.replace("decay_mode", "decoy_mode")).expect_err("unknown").to_string().contains("decoy_mode"));
}
