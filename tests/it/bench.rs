//! The measuring code: its yardstick copies, its times are times, and a wrong op gets none.
use crate::common;
use ridgepole::{bench::*, *};
use std::time::Duration;

const SHORT: Options =
    Options { rounds: 3, sample: Duration::from_millis(1), working_set: 1 << 20, warm_up: Duration::ZERO, cpu_clock: None };

#[test]
fn the_copy_copies_in_every_mode() {
    let rig = common::rig();
    for (mode, caps) in check::modes(&rig.device) {
        let gpu = Gpu::with_caps(&rig.device, caps);
        for len in [0, 1, 3, 4, 2048, 2051, 70_001] {
            for pattern in [Pattern::Ordinary, Pattern::Tiny] {
                let op = CopyOp { len };
                check::Case::new(&op, pattern, 7).run(&gpu, &rig.queue).unwrap_or_else(|e| panic!("{mode}, {op:?}: {e}"));
            }
        }
    }
}

#[test]
fn a_copy_is_about_as_fast_as_a_copy() {
    let rig = common::rig();
    let t = measure(&Gpu::new(&rig.device), &rig.queue, &CopyOp { len: 1 << 20 }, &SHORT).unwrap();
    assert_eq!((t.bytes, t.copy_bytes, t.elements, t.rounds), (8 << 20, 8 << 20, 1 << 20, 3));
    assert!(t.quartiles[0] <= t.seconds && t.seconds <= t.quartiles[1] && t.quartiles[0] > 0.0, "{t:?}");
    // Not a claim about speed: a factor of 20 between two equal copies is a mistake in the arithmetic.
    assert!((0.05..20.0).contains(&t.share), "{t:?}");
}

#[test]
fn a_gpu_times_itself() {
    let rig = common::rig();
    let mut caps = Caps::of(&rig.device);
    // Software devices have timestamps too, so the way that GPUs take can be tried on them.
    caps.cpu = false;
    let stamps = rig.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
    let start = std::time::Instant::now();
    let t = measure(&Gpu::with_caps(&rig.device, caps), &rig.queue, &CopyOp { len: 1 << 20 }, &SHORT).unwrap();
    assert_eq!(t.clock, if stamps { Clock::Timestamps } else { Clock::Wall });
    assert!(t.seconds > 1e-7 && t.seconds < start.elapsed().as_secs_f64() && (0.05..20.0).contains(&t.share), "{t:?}");
}

#[test]
fn software_is_timed_in_processor_time_too_and_a_gpu_is_not() {
    let rig = common::rig();
    // A clock that moves a second at each look: each sample takes one.
    fn ticks() -> Duration {
        static AT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        Duration::from_secs(AT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
    let options = Options { sample: Duration::ZERO, cpu_clock: Some(ticks), ..SHORT };
    for cpu in [true, false] {
        let mut caps = Caps::of(&rig.device);
        caps.cpu = cpu;
        let t = measure(&Gpu::with_caps(&rig.device, caps), &rig.queue, &CopyOp { len: 1 << 20 }, &options).unwrap();
        // Copy and op are the same, and a run takes all of a sample.
        assert_eq!((t.cpu_seconds, t.cpu_share), if cpu { (Some(1.0), Some(1.0)) } else { (None, None) });
    }
}

#[test]
fn the_host_is_timed_apart_from_the_device() {
    let rig = common::rig();
    let start = std::time::Instant::now();
    let c = host(&Gpu::new(&rig.device), &rig.queue, &CopyOp { len: 1 << 10 }, &SHORT).unwrap();
    assert_eq!((c.op.as_str(), c.dispatches), ("copy", 1));
    let parts = [c.compile, c.plan, c.bind, c.record, c.submit];
    assert!(parts.iter().all(|s| *s > 0.0) && parts.iter().sum::<f64>() < start.elapsed().as_secs_f64(), "{c:?}");
    let wrong = ops::PenaltyGrad::new(DType::F32, Segment::one(4), vec![ElasticNet::l1(-1.0)]);
    assert!(host(&Gpu::new(&rig.device), &rig.queue, &wrong, &SHORT).is_err());
}

#[test]
fn cases_have_about_as_many_elements_as_asked_for() {
    // One works on a scale, the other on statistics of channels: no size of a tensor changes what they do.
    let ignore = ["update_loss_scale", "batch_norm_merge"];
    let text = |all: &[Box<dyn Verify>], of: &str| -> String {
        all.iter().filter(|op| op.name() == of).map(|op| format!("{op:?}")).collect()
    };
    let usual = cases("", ELEMENTS);
    for asked in [1 << 10, 1 << 16, 1 << 22, 1 << 26] {
        let all = cases("", asked);
        for entry in ops::all() {
            let mine = text(&all, entry.name);
            assert!(!mine.is_empty(), "{}: no case of {asked} elements", entry.name);
            assert_eq!(mine == text(&usual, entry.name), asked == ELEMENTS || ignore.contains(&entry.name), "{mine}");
        }
        for op in all.iter().filter(|op| !ignore.contains(&op.name())) {
            let elements = op.cost().elements as usize;
            assert!((asked / 2..=2 * asked).contains(&elements), "{elements} elements, asked for {asked}: {op:?}");
        }
    }
}

#[test]
fn cases_differ_and_are_found_by_text_and_by_name() {
    // At the least size rows of 1024 and of 16,384 are the same.
    let texts: Vec<String> = cases("", LEAST).iter().map(|op| format!("{op:?}")).collect();
    let distinct: std::collections::HashSet<&String> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len());
    assert_eq!(cases("", 1).len(), texts.len());
    assert_eq!(cases("RmsNorm {", LEAST).len(), 2);
    assert_eq!(cases("RmsNorm {", ELEMENTS).len(), 4);
    assert!(cases("rms_norm", ELEMENTS).len() == 8 && cases("no such op", ELEMENTS).is_empty());
}

/// A copy that claims to have made zeros.
#[derive(Debug)]
struct Wrong(CopyOp);

impl Op for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn args(&self) -> Vec<Arg> {
        self.0.args()
    }
    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.0.lower(caps)
    }
}

impl Verify for Wrong {
    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        vec![Expected::Exact(vec![0.0; args[0].len()].into())]
    }
}

#[test]
fn a_wrong_result_gets_no_time() {
    let rig = common::rig();
    let e = measure(&Gpu::new(&rig.device), &rig.queue, &Wrong(CopyOp { len: 9 }), &SHORT).unwrap_err();
    assert!(e.contains("`y` run 0: element 0"), "{e}");
}
