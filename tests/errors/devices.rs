//! A caller's own devices: two of them mixed up, and one that is lost. Nobody handles their errors, so what reaches wgpu's own handler
//! panics.
use crate::common::{Rig, rigs};
use ridgepole::{
    Bound, DType, ElasticNet, Error, Gpu, HostData, Pattern, Plan, Segment, Verify, bench, check,
    ops::{PenaltyGrad, Prox},
    readback, wgpu,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};
use wgpu::BufferUsages as Usages;

fn grad(l1: f64) -> PenaltyGrad {
    PenaltyGrad::new(DType::F32, Segment::one(100), vec![ElasticNet::l1(l1)])
}

/// A device with an op on it, its weights being 2 and its gradients 0.
struct Mine {
    rig: Rig,
    gpu: Gpu,
    plan: Plan,
    weight: wgpu::Buffer,
    grad: wgpu::Buffer,
}

impl Mine {
    fn new(rig: Rig) -> Self {
        let buffer = || {
            let usage = Usages::STORAGE | Usages::COPY_SRC | Usages::COPY_DST;
            rig.device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 400, usage, mapped_at_creation: false })
        };
        let (weight, bytes) = (buffer(), buffer());
        rig.queue.write_buffer(&weight, 0, HostData::F32(vec![2.0; 100]).bytes());
        let gpu = Gpu::new(&rig.device);
        let plan = gpu.plan(&grad(0.5)).expect("valid");
        Self { weight, grad: bytes, gpu, plan, rig }
    }

    fn bound(&self) -> Bound {
        self.plan.bind(&[self.weight.slice(..)], &[self.grad.slice(..)], None).expect("valid")
    }

    /// What the op adds to the gradients.
    fn added(&self, bound: &Bound) -> f32 {
        let before = self.first();
        let mut encoder = self.rig.device.create_command_encoder(&Default::default());
        bound.record(&mut encoder.begin_compute_pass(&Default::default()));
        self.rig.queue.submit([encoder.finish()]);
        self.first() - before
    }

    fn first(&self) -> f32 {
        let bytes = readback::read(&self.rig.device, &self.rig.queue, &self.grad, 4).expect("reads");
        f32::from_le_bytes(bytes.try_into().expect("four bytes"))
    }
}

fn two() -> [Mine; 2] {
    let mut rigs = rigs(2).into_iter().map(Mine::new);
    [(); 2].map(|()| rigs.next().expect("two were made"))
}

fn text<T>(result: Result<T, Error>) -> String {
    result.err().expect("must be refused").to_string()
}

#[test]
fn an_update_by_another_devices_queue() {
    let [a, b] = two();
    let (at_a, at_b) = (a.bound(), b.bound());
    let want = "penalty_grad: `update` has the queue of another device: use that of the device of `Gpu::new`";
    // Whichever of the two has submitted more, and whether or not the right queue is known yet.
    for _ in 0..2 {
        assert_eq!(text(a.plan.update(&b.rig.queue, &grad(8.0))), want);
        assert_eq!(text(b.plan.update(&a.rig.queue, &grad(8.0))), want);
        assert_eq!((a.added(&at_a), b.added(&at_b)), (0.5, 0.5), "nothing has changed");
        b.rig.queue.submit([]);
    }
    a.plan.update(&a.rig.queue, &grad(0.25)).expect("its own");
    assert_eq!(text(a.plan.update(&b.rig.queue, &grad(8.0))), want);
    assert_eq!((a.added(&at_a), b.added(&at_b)), (0.25, 0.5));
    // What one plan of a device has found out, all know.
    let other = a.gpu.plan(&grad(1.0)).expect("valid");
    assert_eq!(text(other.update(&b.rig.queue, &grad(8.0))), want);
    other.update(&a.rig.queue.clone(), &grad(2.0)).expect("its own");
}

/// Threads that poll both devices all the time take the answers away; the question is asked again.
#[test]
fn a_queue_is_told_apart_while_others_poll() {
    let [a, b] = two();
    let over = Arc::new(AtomicBool::new(false));
    std::thread::scope(|threads| {
        for device in [&a.rig.device, &b.rig.device] {
            let over = over.clone();
            threads.spawn(move || {
                while !over.load(Relaxed) {
                    device.poll(wgpu::PollType::Poll).expect("it is alive");
                    std::thread::yield_now();
                }
            });
        }
        for _ in 0..4 {
            // A new one, which knows no queue.
            let plan = Gpu::new(&a.rig.device).plan(&grad(0.5)).expect("valid");
            plan.update(&a.rig.queue, &grad(0.25)).expect("its own");
        }
        let plan = Gpu::new(&a.rig.device).plan(&grad(0.5)).expect("valid");
        plan.update(&b.rig.queue, &grad(0.25)).expect_err("another's");
        over.store(true, Relaxed);
    });
}

#[test]
fn reading_by_another_devices_queue_or_from_its_buffer() {
    let [a, b] = two();
    let read = |queue: &Mine, buffer: &Mine| readback::read(&a.rig.device, &queue.rig.queue, &buffer.weight, 400);
    assert_eq!(read(&a, &a).expect("its own"), HostData::F32(vec![2.0; 100]).bytes());
    assert_eq!(text(read(&b, &a)), "reading a buffer back: the queue is another device's");
    assert_eq!(text(read(&b, &b)), "reading a buffer back: the queue is another device's");
    let got = read(&a, &b);
    assert!(matches!(&got, Err(Error::Device { what, .. }) if what == "reading a buffer back"), "{got:?}");
    assert_eq!(read(&a, &a).expect("as before"), HostData::F32(vec![2.0; 100]).bytes());
}

#[test]
fn reading_what_cannot_be_read() {
    let a = Mine::new(rigs(1).remove(0));
    let Rig { device, queue, .. } = &a.rig;
    for size in [401, 404, u64::MAX - 2, u64::MAX] {
        let got = text(readback::read(device, queue, &a.weight, size));
        assert_eq!(got, format!("reading a buffer back: {size} bytes are more than it has, 400"));
    }
    assert_eq!(readback::read(device, queue, &a.weight, 399).expect("no whole word").len(), 399);
    let usage = Usages::STORAGE;
    let closed = device.create_buffer(&wgpu::BufferDescriptor { label: None, size: 8, usage, mapped_at_creation: false });
    let got = text(readback::read(device, queue, &closed, 8));
    assert!(got.starts_with("reading a buffer back: ") && got.contains("COPY_SRC"), "{got}");
    a.weight.destroy();
    let got = text(readback::read(device, queue, &a.weight, 8));
    assert!(got.starts_with("reading a buffer back: ") && got.contains("destroyed"), "{got}");
}

#[test]
fn binding_another_devices_buffers() {
    let [a, b] = two();
    for (weight, grad) in [(&b.weight, &a.grad), (&a.weight, &b.grad)] {
        let got = a.plan.bind(&[weight.slice(..)], &[grad.slice(..)], None).err();
        assert!(matches!(&got, Some(Error::Device { what, .. }) if what == "penalty_grad: bind"), "{got:?}");
    }
    let op = Prox { dtype: DType::F32, segments: Segment::one(100), groups: vec![ElasticNet::l1(0.5)], step: 1.0 };
    let case = check::Case::new(&op, Pattern::Ordinary, 1);
    assert_eq!(case.run(&a.gpu, &b.rig.queue), Err("prox: the queue is another device's".into()));
    assert_eq!(case.run(&a.gpu, &a.rig.queue), Ok(()));
    let got = bench::host(&a.gpu, &b.rig.queue, &op, &bench::Options::default());
    assert_eq!(text(got), "bench: the queue is another device's");
}

/// Every call on a device that is lost says so; none panics, none passes for done.
#[test]
fn a_lost_device() {
    let a = Mine::new(rigs(1).remove(0));
    let bound = a.bound();
    a.plan.update(&a.rig.queue, &grad(0.25)).expect("alive");
    let fresh = Gpu::new(&a.rig.device).plan(&grad(0.5)).expect("alive");
    let empty = PenaltyGrad { segments: Segment::one(0), ..grad(0.5) };
    let nothing = a.gpu.plan(&empty).expect("alive");
    a.rig.device.destroy();
    let lost = |what: &str, got: Option<Error>| assert!(matches!(got, Some(Error::Lost { .. })), "{what}: {got:?}");
    for _ in 0..2 {
        lost("plan", a.gpu.plan(&grad(0.5)).err());
        lost("plan, another kernel", a.gpu.plan(&PenaltyGrad { dtype: DType::F16, ..grad(0.5) }).err());
        lost("plan, nothing to do", a.gpu.plan(&empty).err());
        lost("plan, a new Gpu", Gpu::new(&a.rig.device).plan(&grad(0.5)).err());
        lost("bind", a.plan.bind(&[a.weight.slice(..)], &[a.grad.slice(..)], None).err());
        lost("bind, nothing to do", nothing.bind(&[a.weight.slice(..)], &[a.grad.slice(..)], None).err());
        lost("update", a.plan.update(&a.rig.queue, &grad(0.125)).err());
        lost("update, queue unknown", fresh.update(&a.rig.queue, &grad(0.125)).err());
        lost("read", readback::read(&a.rig.device, &a.rig.queue, &a.grad, 4).err());
        let op: &dyn Verify = &grad(0.5);
        lost("bench", bench::host(&a.gpu, &a.rig.queue, op, &bench::Options::default()).err());
        let got = check::Case::new(op, Pattern::Ordinary, 1).run(&a.gpu, &a.rig.queue).expect_err("lost");
        assert!(got.starts_with("the device is lost"), "{got}");
        // Recording cannot fail, and what is recorded does nothing.
        let mut encoder = a.rig.device.create_command_encoder(&Default::default());
        bound.record(&mut encoder.begin_compute_pass(&Default::default()));
    }
}
