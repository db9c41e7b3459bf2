//! What a device may be too small for. The texts name the limit, its value, and what was needed.
use crate::{op, plain_cpu, plain_gpu};
use ridgepole::{Caps, DType, ElasticNet, Error, Op, Segment, Verify, ops::*};

/// Whether planning on a device with such capabilities is refused as [`Error::Unsupported`], and in which words.
fn unsupported(op: &dyn Op, change: impl Fn(&mut Caps)) -> String {
    let rig = crate::common::rig();
    // Workgroups of a known size, so that the texts are the same everywhere.
    let mut caps = plain_gpu();
    (caps.lanes, caps.quads) = (8, 64);
    change(&mut caps);
    match ridgepole::Gpu::with_caps(&rig.device, caps).plan(op) {
        Err(e @ Error::Unsupported { .. }) => e.to_string(),
        Err(e) => panic!("{e:?} is of another kind"),
        Ok(_) => panic!("{op:?} must be refused"),
    }
}

fn grad(segments: Vec<Segment>) -> Box<dyn Op> {
    op(PenaltyGrad::new(DType::F32, segments, vec![ElasticNet::l1(0.1)]))
}

#[test]
fn a_binding_limit_below_one_block() {
    let got = unsupported(grad(Segment::one(10_000)).as_ref(), |c| c.limits.max_storage_buffer_binding_size = 4096);
    assert_eq!(
        got,
        "penalty_grad: not possible on this device: max_storage_buffer_binding_size is 4096, too small for a block of 2048 elements"
    );
}

#[test]
fn a_table_of_segments_beyond_the_binding_limit() {
    let got = unsupported(grad(Segment::pack(&[1; 1000], 4)).as_ref(), |c| c.limits.max_storage_buffer_binding_size = 8192);
    assert_eq!(
        got,
        "penalty_grad: not possible on this device: needs to bind 16016 bytes at once, max_storage_buffer_binding_size is 8192"
    );
}

#[test]
fn too_few_storage_buffers() {
    let got = unsupported(grad(Segment::one(8)).as_ref(), |c| c.limits.max_storage_buffers_per_shader_stage = 2);
    assert_eq!(
        got,
        "penalty_grad: not possible on this device: needs 3 storage buffers in a shader, max_storage_buffers_per_shader_stage is 2"
    );
}

#[test]
fn a_grid_too_small_even_when_wrapped() {
    let got = unsupported(grad(Segment::one(1 << 15)).as_ref(), |c| {
        (c.fold, c.limits.max_compute_workgroups_per_dimension) = (2, 2);
    });
    assert_eq!(got, "penalty_grad: not possible on this device: 16 workgroups are too many for a grid of 2 cubed");
}

/// Kernels count quads in 32 bits and compare with the number behind the last: at the limit nothing wraps, beyond it ops are refused.
#[test]
fn at_the_longest_length_no_count_wraps() {
    let limit = 1usize << 34;
    for mut caps in [plain_gpu(), plain_cpu()] {
        // Fewer windows to make.
        caps.limits.max_storage_buffer_binding_size = 2 << 30;
        let mut at_limit = 0;
        for entry in ridgepole::ops::all() {
            for elements in [limit - 64, limit - 8, limit - 4, limit - 3, limit - 1, limit, limit + 4] {
                for op in (entry.bench)(elements) {
                    let longest = op.args().iter().map(|a| a.len).max().unwrap_or(0);
                    let lowered = match op.lower(&caps) {
                        Ok(lowered) => lowered,
                        Err(Error::Argument { .. } | Error::Unsupported { .. }) => continue,
                        Err(e) => panic!("{op:?}: {e}"),
                    };
                    assert!(longest <= limit - 4, "{op:?}: {longest} elements must be refused");
                    at_limit += usize::from(longest == limit - 4);
                    for step in lowered.steps() {
                        let word = |name: &str| {
                            let at = step.params.fields.iter().position(|(n, ty)| *n == name && *ty == "u32")?;
                            let bytes = step.params.bytes[4 * at..4 * at + 4].try_into().expect("four bytes");
                            Some(u32::from_le_bytes(bytes))
                        };
                        assert!(step.workgroups > 0, "{op:?}: {} does nothing", step.spec.entry);
                        if let (Some(lo), Some(hi)) = (word("lo"), word("hi")) {
                            assert!(lo < hi, "{op:?}: {} works on quads {lo} to {hi}", step.spec.entry);
                        }
                    }
                }
            }
        }
        assert!(at_limit > 20, "only {at_limit} ops were lowered at the limit itself");
    }
}

/// The copy of the benchmarks, as a user's op whose loops are too long.
#[derive(Clone, Debug)]
struct Long(ridgepole::bench::CopyOp, u64);

impl Op for Long {
    fn name(&self) -> &'static str {
        "long"
    }
    fn args(&self) -> Vec<ridgepole::Arg> {
        self.0.args()
    }
    fn lower(&self, caps: &Caps) -> Result<ridgepole::Lowered, Error> {
        let mut out = ridgepole::Lowered::default();
        for step in self.0.lower(caps)?.into_steps() {
            out.push(ridgepole::Step { trips: self.1, ..step });
        }
        Ok(out)
    }
}

impl Verify for Long {
    fn reference(&self, args: &[ridgepole::HostData]) -> Vec<ridgepole::Expected> {
        self.0.reference(args)
    }
}

#[test]
fn a_loop_that_a_driver_would_cut_short() {
    let long = |trips| Long(ridgepole::bench::CopyOp { len: 64 }, trips);
    let got = unsupported(&long(8193), |_| ());
    let text = "long: not possible on this device: a lane of `copy` makes 8193 loop trips, must be at most 8192: some drivers drop the rest";
    assert_eq!(got, text);
    // Neither may an update lengthen it.
    let rig = crate::common::rig();
    let plan = ridgepole::Gpu::new(&rig.device).plan(&long(8192)).expect("not too long");
    assert_eq!(plan.update(&rig.queue, &long(8193)).expect_err("too long").to_string(), text);
}
