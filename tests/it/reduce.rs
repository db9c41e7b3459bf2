//! Reduction by itself: every monoid of the library, many levels, rows side by side, on devices that merge only a few at once.
use crate::common;
use ridgepole::{
    check::{self, Case},
    fold::{Monoid, Partials},
    wgsl::{Source, Spec},
    *,
};

/// Copies the partials of an argument into scratch, and reduces them into another.
#[derive(Debug)]
struct Reduction {
    monoid: Monoid,
    rows: usize,
    count: usize,
    interleaved: bool,
    /// Into two arguments, the first half of the rows and the second.
    halves: bool,
}

params! { CopyParams { count: u32 } }

fn copy(monoid: Monoid) -> Source {
    // One workgroup per partial: slow and plain.
    let text = "//!use lib/partition/grid\noverride WG: u32 = 8;\n@compute @workgroup_size(WG)\n\
        fn copy(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>,\n\
                @builtin(local_invocation_index) index: u32) {\n    let i = workgroup_index(wid, count);\n    \
        if i < params.count && lane_of(index, WG) == 0u { partials[i] = given[i]; }\n}\n";
    Source { name: if monoid.wgsl == "u32" { "copy_u32" } else { "copy" }, text }
}

impl Reduction {
    fn words(&self) -> usize {
        self.monoid.bytes as usize / 4
    }

    fn dtype(&self) -> DType {
        if self.monoid.wgsl == "u32" { DType::U32 } else { DType::F32 }
    }

    /// Word `k` of partial `p` of row `r`.
    fn at(&self, data: &[f64], r: usize, p: usize, k: usize) -> f64 {
        let i = if self.interleaved { p * self.rows + r } else { r * self.count + p };
        data[i * self.words() + k]
    }
}

impl Op for Reduction {
    fn name(&self) -> &'static str {
        "reduction"
    }

    fn args(&self) -> Vec<Arg> {
        let (d, n) = (self.dtype(), self.rows * self.words());
        let given = Arg::read("given", d, n * self.count);
        if self.halves {
            return vec![given, Arg::write("result", d, n / 2), Arg::write("other", d, n / 2)];
        }
        vec![given, Arg::write("result", d, n)]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let mut out = Lowered::default();
        let (rows, count) = (self.rows as u64, self.count as u64);
        let make = if self.interleaved { Partials::interleaved } else { Partials::new };
        let partials = make("reduction", &mut out, caps, self.monoid, rows, count)?;
        let total = (self.rows * self.count) as u64;
        if total > 0 {
            out.push(Step {
                spec: Spec {
                    shader: copy(self.monoid),
                    entry: "copy",
                    parts: vec![],
                    bindings: vec![self.monoid.decl("given", false), self.monoid.decl("partials", true)],
                    consts: vec![("WG", caps.lanes)],
                },
                params: CopyParams { count: total as u32 }.into(),
                slots: vec![Slot::Arg(0, 0..total * self.monoid.bytes), partials.slot()],
                workgroups: total,
                trips: 0,
            });
        }
        let args = self.args();
        partials.into_args(&mut out, caps, &args.iter().enumerate().skip(1).collect::<Vec<_>>());
        Ok(out)
    }
}

impl Verify for Reduction {
    fn fill(&self, arg: &Arg, rng: &mut Rng, _: Pattern) -> HostData {
        // Whole numbers: their sums are exact in f32, so that none may be missing or twice.
        let shift = if self.dtype() == DType::U32 { 0.0 } else { 256.0 };
        HostData::from_f64(arg.dtype, (0..arg.len).map(|_| f64::from(rng.word() % 512) - shift))
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let data = args[0].to_f64();
        let all = |r: usize, k: usize| (0..self.count).map(|p| self.at(&data, r, p, k)).sum::<f64>();
        let value: Vec<f64> =
            (0..self.rows).flat_map(|r| (0..self.words()).map(move |k| (r, k))).map(|(r, k)| all(r, k)).collect();
        let exact = |value: &[f64]| match self.dtype() {
            DType::U32 => Expected::Exact(HostData::from_f64(DType::U32, value.iter().copied())),
            _ => Expected::Within { value: value.to_vec(), bound: vec![0.0; value.len()] },
        };
        let parts = if self.halves { 2 } else { 1 };
        value.chunks((value.len() / parts).max(1)).map(exact).collect()
    }
}

#[test]
fn every_monoid_reduces_in_any_number_of_levels() {
    let rig = common::rig();
    let mut devices = Vec::new();
    for (mode, caps) in check::modes(&rig.device) {
        // A workgroup merges 4, or 16 partials of one trip.
        for lanes in [4, 16] {
            let mut caps = caps.clone();
            (caps.lanes, caps.quads) = (lanes, 1);
            devices.push((mode, lanes, Gpu::with_caps(&rig.device, caps)));
        }
    }
    for monoid in [Monoid::SUM, Monoid::SUM4, Monoid::COUNT] {
        for (rows, count) in [(1, 0), (3, 0), (1, 1), (1, 3), (2, 4), (1, 5), (3, 17), (1, 257), (7, 65), (2, 511), (22, 130)] {
            for (interleaved, halves) in [(false, false), (true, false), (true, true)] {
                if halves && rows % 2 == 1 {
                    continue;
                }
                let op = Reduction { monoid, rows, count, interleaved, halves };
                let case = Case::new(&op, Pattern::Ordinary, 7);
                for (mode, lanes, gpu) in &devices {
                    case.run(gpu, &rig.queue).unwrap_or_else(|e| panic!("{op:?}, {mode}, {lanes} lanes: {e}"));
                }
            }
        }
    }
}
