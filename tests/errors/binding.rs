//! Buffers that are wrong, and what must not have happened then.
use ridgepole::{Bound, Caps, DType, ElasticNet, Error, Gpu, HostData, Plan, Segment, ops::*, readback, wgpu};
use wgpu::BufferUsages as Usages;

struct Bench {
    rig: crate::common::Rig,
    gpu: Gpu,
}

const ALL: Usages = Usages::STORAGE.union(Usages::COPY_SRC).union(Usages::COPY_DST);

impl Bench {
    fn new(pooled: bool) -> Self {
        let rig = crate::common::rig();
        let mut caps = Caps::of(&rig.device);
        caps.pooled = pooled;
        // Offsets are held to this, whatever the adapter allows.
        caps.limits.min_storage_buffer_offset_alignment = 256;
        Self { gpu: Gpu::with_caps(&rig.device, caps), rig }
    }

    fn buffer(&self, size: u64, usage: Usages) -> wgpu::Buffer {
        self.rig.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    }

    fn grad(&self) -> Plan {
        self.gpu.plan(&grad(0.5)).expect("valid")
    }

    /// Has a scratch buffer.
    fn prox(&self) -> Plan {
        let (segments, groups) = (Segment::one(100_000), vec![ElasticNet::l1(0.5)]);
        let plan = self.gpu.plan(&Prox { dtype: DType::F32, segments, groups, step: 1.0 }).expect("valid");
        assert!(plan.scratch_size() > 0, "this test needs an op with scratch");
        plan
    }

    fn read(&self, buffer: &wgpu::Buffer) -> Vec<f32> {
        bytemuck::pod_collect_to_vec(&readback::read(&self.rig.device, &self.rig.queue, buffer, buffer.size()).expect("reads"))
    }

    fn submit(&self, bound: &Bound) {
        let mut encoder = self.rig.device.create_command_encoder(&Default::default());
        bound.record(&mut encoder.begin_compute_pass(&Default::default()));
        self.rig.queue.submit([encoder.finish()]);
    }
}

fn grad(l1: f64) -> PenaltyGrad {
    PenaltyGrad::new(DType::F32, Segment::one(100), vec![ElasticNet::l1(l1)])
}

/// The text of an error about an argument.
fn text<T>(result: Result<T, Error>) -> String {
    match result {
        Err(e @ Error::Argument { .. }) => e.to_string(),
        Err(e) => panic!("{e:?} is of another kind"),
        Ok(_) => panic!("must be refused"),
    }
}

#[test]
fn counts_sizes_offsets_and_usages() {
    let b = Bench::new(false);
    let (plan, w, g) = (b.grad(), b.buffer(1024, ALL), b.buffer(1024, ALL));
    let (ws, gs) = (w.slice(..), g.slice(..));
    assert_eq!(
        text(plan.bind(&[ws, gs], &[], None)),
        "penalty_grad: `bind` wants 1 read (weight) and 1 written buffers (grad), got 2 and 0"
    );
    assert_eq!(
        text(plan.bind(&[], &[gs], None)),
        "penalty_grad: `bind` wants 1 read (weight) and 1 written buffers (grad), got 0 and 1"
    );
    assert_eq!(text(plan.bind(&[w.slice(..396)], &[gs], None)), "penalty_grad: `weight` needs 400 bytes, has 396");
    assert_eq!(text(plan.bind(&[ws], &[g.slice(768..)], None)), "penalty_grad: `grad` needs 400 bytes, has 256");
    assert_eq!(
        text(plan.bind(&[w.slice(128..)], &[gs], None)),
        "penalty_grad: `weight` starts at byte 128, not at a multiple of 256"
    );
    let other = b.buffer(1024, Usages::VERTEX | Usages::COPY_DST);
    assert_eq!(
        text(plan.bind(&[ws], &[other.slice(..)], None)),
        "penalty_grad: `grad` has usage BufferUsages(COPY_DST | VERTEX), without STORAGE"
    );
    // The mistakes above are one step away from what is right.
    assert!(plan.bind(&[w.slice(256..656)], &[g.slice(512..)], None).is_ok());
}

#[test]
fn scratch() {
    let b = Bench::new(false);
    let (plan, w, z) = (b.prox(), b.buffer(400_000, ALL), b.buffer(4, ALL));
    let need = plan.scratch_size();
    let bind = |scratch: Option<wgpu::BufferSlice>| plan.bind(&[], &[w.slice(..), z.slice(..)], scratch);
    assert_eq!(text(bind(None)), format!("prox: `scratch` needs {need} bytes, has none: see Plan::scratch_size"));
    let s = b.buffer(need + 256, ALL);
    assert_eq!(text(bind(Some(s.slice(..need - 4)))), format!("prox: `scratch` needs {need} bytes, has {}", need - 4));
    assert_eq!(text(bind(Some(s.slice(4..)))), "prox: `scratch` starts at byte 4, not at a multiple of 256");
    let plain = b.buffer(need, Usages::COPY_DST);
    assert_eq!(text(bind(Some(plain.slice(..)))), "prox: `scratch` has usage BufferUsages(COPY_DST), without STORAGE");
    assert_eq!(text(bind(Some(w.slice(..)))), "prox: `weight` overlaps `scratch`");
    assert!(bind(Some(s.slice(256..))).is_ok());
}

#[test]
fn one_buffer_read_and_written() {
    let b = Bench::new(false);
    let (plan, w) = (b.grad(), b.buffer(2048, ALL));
    // wgpu tracks whole buffers, so this is refused even where the ranges do not meet.
    for writes in [w.slice(..), w.slice(1024..)] {
        assert_eq!(
            text(plan.bind(&[w.slice(..512)], &[writes], None)),
            "penalty_grad: `grad` shares a wgpu::Buffer with `weight`, which is read: use two buffers, or a Gpu with Caps { pooled: true }"
        );
    }
    let pooled = Bench::new(true);
    let (plan, page) = (pooled.grad(), pooled.buffer(2048, ALL));
    assert_eq!(text(plan.bind(&[page.slice(..)], &[page.slice(256..)], None)), "penalty_grad: `grad` overlaps `weight`");
    assert_eq!(text(plan.bind(&[page.slice(512..)], &[page.slice(256..)], None)), "penalty_grad: `grad` overlaps `weight`");
    assert!(plan.bind(&[page.slice(..)], &[page.slice(512..)], None).is_ok(), "behind what is needed of it, a slice may overlap");
}

#[test]
fn an_error_leaves_no_trace() {
    let b = Bench::new(false);
    let (plan, w, g) = (b.grad(), b.buffer(400, ALL), b.buffer(400, ALL));
    b.rig.queue.write_buffer(&w, 0, HostData::F32(vec![2.0; 100]).bytes());
    let scope = b.rig.device.push_error_scope(wgpu::ErrorFilter::Validation);
    assert!(b.gpu.plan(&grad(f64::NAN)).is_err());
    assert!(plan.bind(&[w.slice(..)], &[g.slice(..8)], None).is_err());
    assert!(plan.bind(&[w.slice(..)], &[w.slice(..)], None).is_err());
    assert_eq!(pollster::block_on(scope.pop()).map(|e| e.to_string()), None, "wgpu was not asked");
    assert_eq!(b.read(&g), [0.0; 100]);
    // The plan is as good as before.
    b.submit(&plan.bind(&[w.slice(..)], &[g.slice(..)], None).expect("valid"));
    assert_eq!(b.read(&g), [0.5; 100]);
}

#[test]
fn an_update_that_fails_leaves_the_old_parameters() {
    let b = Bench::new(false);
    let (plan, w, g) = (b.grad(), b.buffer(400, ALL), b.buffer(400, ALL));
    b.rig.queue.write_buffer(&w, 0, HostData::F32(vec![2.0; 100]).bytes());
    let bound = plan.bind(&[w.slice(..)], &[g.slice(..)], None).expect("valid");
    assert_eq!(
        text(plan.update(&b.rig.queue, &grad(-1.0))),
        "penalty_grad: `groups` [0] has l1 = -1, must be finite, at least 0 and at most 1e38"
    );
    let longer = PenaltyGrad { segments: Segment::one(101), ..grad(8.0) };
    let other = Penalty::new(DType::F32, Segment::one(100), vec![ElasticNet::l1(8.0)]);
    let more = "penalty_grad: `update` changes more than scalar parameters: make a new plan";
    assert_eq!(text(plan.update(&b.rig.queue, &longer)), more);
    assert_eq!(text(plan.update(&b.rig.queue, &other)), more);
    b.submit(&bound);
    assert_eq!(b.read(&g), [0.5; 100], "the λ of the plan");
    plan.update(&b.rig.queue, &grad(0.25)).expect("valid");
    b.submit(&bound);
    assert_eq!(b.read(&g), [0.75; 100], "the λ of the update, which does reach the GPU");
}
