//! Without a GPU: what the optimizer steps lower to, what they cost, and how JSON describes them.
use crate::common::{self, plain_gpu};
use ridgepole::{
    ops::{Adamw, Sgd},
    *,
};

fn entries(op: &dyn Verify) -> Vec<&'static str> {
    common::entries(op, &plain_gpu())
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
    // A counter on the GPU is moved by a dispatch of its own, behind the decision.
    let counting = Adamw { gpu_step: true, ..skip.clone() };
    assert_eq!(entries(&counting), ["skip_begin", "skip_scan", "skip_end", "count_step", "adamw"]);
    assert_eq!(entries(&Adamw { non_finite: NonFinite::Propagate, ..counting }), ["count_step", "adamw"]);
    // An end inside a quad takes one more of each; no tensors, none.
    segments.last_mut().expect("300").len -= 1;
    assert_eq!(entries(&Sgd { segments, ..sgd.clone() }), ["sgd", "sgd"]);
    assert!(entries(&Sgd { segments: vec![], non_finite: NonFinite::Skip, ..sgd }).is_empty());
    assert!(entries(&Adamw::new(DType::F32, 0, 0.1)).is_empty());
    assert!(entries(&Adamw { gpu_step: true, ..Adamw::new(DType::F32, 0, 0.1) }).is_empty());
}

#[test]
fn everything_fits_webgpus_defaults() {
    let all = Adamw { gpu_scale: true, non_finite: NonFinite::Skip, ..Adamw::new(DType::F32, 1 << 27, 0.1) };
    let lowered = all.lower(&plain_gpu()).expect("128 Mi elements");
    let limits = plain_gpu().limits;
    assert!(lowered.steps().iter().filter(|s| s.spec.entry == "adamw").count() >= 4, "512 MiB in windows of 128");
    for step in lowered.steps() {
        assert!(step.slots.len() <= 8, "{}: {} storage buffers", step.spec.entry, step.slots.len());
        assert!(step.grid(&plain_gpu()).is_some() && step.trips <= MAX_TRIPS);
        for slot in &step.slots {
            let (Slot::Arg(_, r) | Slot::Scratch(r) | Slot::Table(r)) = slot;
            assert!(r.end - r.start <= limits.max_storage_buffer_binding_size && r.start % plain_gpu().alignment() == 0);
        }
    }
}

#[test]
fn penalties_cost_no_traffic() {
    let all = Group { coupled: ElasticNet::new(0.1, 0.1), decay: 0.1, prox: ElasticNet::new(0.1, 0.1), ..Group::default() };
    let per_element = |op: &dyn Verify| op.cost().bytes as f64 / 1000.0;
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
fn json_fills_in_the_defaults() {
    let parse = |text: &str| ops::verify_from_json(text).map(|op| format!("{op:?}"));
    let text = r#"{"op": "adamw", "dtype": "f32", "segments": [{"start": 0, "len": 8}], "groups": [{"decay": 0}], "lr": 0.1, "step": 1}"#;
    assert_eq!(parse(text).expect("valid"), format!("{:?}", Adamw::new(DType::F32, 8, 0.1)));
    let text = r#"{"op": "sgd", "dtype": "bf16", "segments": [{"start": 0, "len": 8}], "lr": 0.1, "step": 2, "momentum": 0.9,
        "groups": [{"decay": 0.1, "decay_mode": "independent", "prox": {"l1": 0.5}}], "non_finite": "skip"}"#;
    let group = Group { decay: 0.1, decay_mode: DecayMode::Independent, prox: ElasticNet::l1(0.5), ..Group::default() };
    let groups = vec![group];
    let want = Sgd { groups, momentum: 0.9, step: 2, non_finite: NonFinite::Skip, ..Sgd::new(DType::Bf16, 8, 0.1) };
    assert_eq!(parse(text).expect("valid"), format!("{want:?}"));
    assert!(parse(&text.replace("decay_mode", "decoy_mode")).expect_err("unknown").to_string().contains("decoy_mode"));
}
