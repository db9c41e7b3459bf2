//! How kernels round to halves: every tie and every neighbor of a tie, bit for bit, by every part that packs, in every view that is
//! written. What must come out is known from how the numbers are made; no rounding enters.
use crate::common::{self, plain_cpu, plain_gpu};
use ridgepole::{
    check::Case,
    ops::{SamRestore, Sgd},
    wgsl::{Decl, LIBRARY, Source, Spec, View, compose, part, parts},
    *,
};
use std::{collections::BTreeSet, fs, path::Path};

params! { PackParams { quads: u32, end: u32, key_lo: u32, key_hi: u32, step: u32, stream: u32, draw_lo: u32, draw_hi: u32 } }

const KERNEL: &str = "//!use lib/partition/grid
@compute @workgroup_size(64)
fn pack(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
    let i = workgroup_index(wid, count) * 64u + index;
    if i < params.quads { y_store(i, as_stored(i, x_load(i))); }
}
";

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 3, step: 5, first_element: (1 << 35) - 64 };

/// y = x, rounded by a part or by the store, or by neither.
#[derive(Debug)]
struct Pack {
    from: DType,
    to: DType,
    len: usize,
    view: View,
    /// What `as_stored` is; behind `mul_wide`, which only the random one needs.
    by: Source,
    wanted: Vec<Expected>,
}

impl Op for Pack {
    fn name(&self) -> &'static str {
        "pack"
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("x", self.from, self.len), Arg::write("y", self.to, self.len)]
    }

    fn lower(&self, _: &Caps) -> Result<Lowered, Error> {
        let args = self.args();
        let (quads, draw) = (self.len.div_ceil(4), KEY.first_element / 4);
        let decl = |a: &Arg| Decl { name: a.name, dtype: a.dtype, view: self.view, writes: a.access != Access::Read };
        let slot = |(i, a): (usize, &Arg)| Slot::Arg(i, 0..a.bytes().next_multiple_of(4));
        let mut out = Lowered::default();
        out.push(Step {
            spec: Spec {
                shader: Source { name: "tests/pack", text: KERNEL },
                entry: "pack",
                parts: vec![parts::philox::MUL_WIDE, self.by],
                bindings: args.iter().map(decl).collect(),
                consts: vec![],
            },
            params: PackParams {
                quads: quads as u32,
                end: self.len as u32,
                key_lo: KEY.seed as u32,
                key_hi: (KEY.seed >> 32) as u32,
                step: KEY.step,
                stream: KEY.stream,
                draw_lo: draw as u32,
                draw_hi: (draw >> 32) as u32,
            }
            .into(),
            slots: args.iter().enumerate().map(slot).collect(),
            workgroups: quads.div_ceil(64) as u64,
            trips: 0,
        });
        Ok(out)
    }
}

impl Verify for Pack {
    fn reference(&self, _: &[HostData]) -> Vec<Expected> {
        self.wanted.clone()
    }
}

/// What a half type is made of: bits of the significand that are stored, the exponent of the least normal number.
fn format(dtype: DType) -> (u32, i32) {
    if dtype == DType::F16 { (10, -14) } else { (7, -126) }
}

/// The half with these bits, sign aside, by definition; in place of infinity the number that would follow the largest.
fn number(dtype: DType, bits: u16) -> f64 {
    let (stored, least) = format(dtype);
    let (field, fraction) = ((bits >> stored) as i32, u32::from(bits) & ((1 << stored) - 1));
    let significand = if field == 0 { fraction } else { fraction | 1 << stored };
    f64::from(significand) * 2f64.powi(field.max(1) - 1 + least - stored as i32)
}

fn infinity(dtype: DType) -> u16 {
    let stored = format(dtype).0;
    0x7fff >> stored << stored
}

/// An f32 as far as it goes: the end of bf16 is past the end of f32, which stops at its own largest number.
fn f32_of(v: f64) -> f32 {
    assert!(v > f64::from(f32::MAX) || f64::from(v as f32) == v, "{v:e} is no f32");
    if v > f64::from(f32::MAX) { f32::MAX } else { v as f32 }
}

/// Every half, the middle of each two neighbors, and the f32 numbers on both sides of these, with the half that is nearest to each;
/// of two equally near ones the even one.
fn numbers(dtype: DType) -> Vec<(f32, u16)> {
    let (mut out, end) = (vec![], infinity(dtype));
    for below in 0..end {
        let (low, high) = (number(dtype, below), number(dtype, below + 1));
        let (at, middle) = (f32_of(low), f32_of((low + high) / 2.0));
        let beside = |v: f32, by: i32| f32::from_bits(v.to_bits().wrapping_add_signed(by));
        out.extend([(at, below), (beside(at, 1), below), (beside(middle, -1), below)]);
        out.extend([(middle, below + below % 2), (beside(middle, 1), below + 1)]);
        if below > 0 {
            out.push((beside(at, -1), below));
        }
    }
    out.extend([(f32::MAX, end), (f32::INFINITY, end)]);
    if dtype == DType::F16 {
        out.extend([(65519.99, end - 1), (65520.0, end), (1e30, end), (1e-30, 0)]);
    }
    let negative: Vec<_> = out.iter().map(|&(x, h)| (-x, h | 0x8000)).collect();
    out.extend(negative);
    out
}

fn halves(dtype: DType, bits: impl IntoIterator<Item = u16>) -> HostData {
    let bytes: Vec<u8> = bits.into_iter().flat_map(u16::to_le_bytes).collect();
    HostData::from_bytes(dtype, &bytes)
}

/// The same in f32, which holds every half.
fn widened(data: &HostData) -> HostData {
    HostData::from_f64(DType::F32, data.to_f64())
}

/// A software device and a GPU, on whatever device there is: f16 is packed in another way on each.
fn devices(rig: &common::Rig) -> [(&'static str, Gpu); 2] {
    [false, true].map(|cpu| {
        let mut caps = Caps::of(&rig.device);
        caps.cpu = cpu;
        (if cpu { "as a software device" } else { "as a GPU" }, Gpu::with_caps(&rig.device, caps))
    })
}

/// Runs it in the views that end with a whole quad and within one.
fn run(rig: &common::Rig, [from, to]: [DType; 2], by: Source, x: &HostData, want: &Expected) {
    for (name, gpu) in devices(rig) {
        for (view, short) in [(View::Quads, 0), (View::Ragged, 0), (View::Ragged, 1), (View::Ragged, 2), (View::Ragged, 3)] {
            let len = x.len() / 4 * 4 - short;
            let cut = |data: &HostData| HostData::from_bytes(data.dtype(), &data.bytes()[..len * data.dtype().size() as usize]);
            let wanted = match want {
                Expected::Exact(data) => Expected::Exact(cut(data)),
                Expected::Within { value, bound } => {
                    Expected::Within { value: value[..len].to_vec(), bound: bound[..len].to_vec() }
                }
            };
            let op = Pack { from, to, len, view, by, wanted: vec![wanted] };
            let y = HostData::from_bytes(to, &vec![0; len * to.size() as usize]);
            let result = Case::with_data(&op, vec![cut(x), y]).run(&gpu, &rig.queue);
            result.unwrap_or_else(|why| {
                let at = why.split_once("element ").and_then(|(_, rest)| rest.split(':').next()?.parse::<usize>().ok());
                let x = at.map_or(String::new(), |i| format!(", x is {:e}", x.to_f64()[i]));
                panic!("{to:?} by {}, {view:?}, {name}, {len} elements: {why}{x}", by.name)
            });
        }
    }
}

/// What rounds where `lower` says so, beside what every store does.
fn stored(dtype: DType) -> Source {
    if dtype == DType::F16 { parts::optimizer::STORED_F16 } else { parts::optimizer::STORED_BF16 }
}

#[test]
fn every_tie_and_its_neighbors_are_stored_as_the_nearest_half() {
    let rig = common::rig();
    for dtype in [DType::F16, DType::Bf16] {
        let mut all = numbers(dtype);
        assert!(all.len() > 300_000, "{} numbers", all.len());
        // Each number in each place of a quad.
        for _ in 0..4 {
            let x = HostData::F32(all.iter().map(|n| n.0).collect());
            let want = halves(dtype, all.iter().map(|n| n.1));
            run(&rig, [DType::F32, dtype], parts::optimizer::STORED_EXACT, &x, &Expected::Exact(want.clone()));
            run(&rig, [DType::F32, DType::F32], stored(dtype), &x, &Expected::Exact(widened(&want)));
            all.rotate_left(1);
        }
    }
}

#[test]
fn the_reference_rounds_alike() {
    for dtype in [DType::F16, DType::Bf16] {
        for (x, want) in numbers(dtype) {
            let got = HostData::from_f64(dtype, [f64::from(x)]);
            assert_eq!(got.bytes(), want.to_le_bytes(), "{x:e} as {dtype:?}");
        }
    }
}

#[test]
fn a_nan_stays_one_in_halves() {
    let rig = common::rig();
    let payloads = [0x7f80_0001, 0x7f80_8000, 0x7fbf_ffff, 0x7fc0_0000, 0x7fff_8000, 0x7fff_ffff];
    let bits = payloads.into_iter().flat_map(|p| [p, p | 0x8000_0000, 0x3f80_0000, 0x7f80_0000]);
    let x = HostData::F32(bits.map(f32::from_bits).collect());
    let want = Expected::Within { value: x.to_f64(), bound: vec![0.0; x.len()] };
    for dtype in [DType::F16, DType::Bf16] {
        run(&rig, [DType::F32, dtype], parts::optimizer::STORED_EXACT, &x, &want);
        run(&rig, [DType::F32, DType::F32], stored(dtype), &x, &want);
    }
    run(&rig, [DType::F32, DType::F32], parts::optimizer::STORED_RANDOM, &x, &want);
}

/// Elements of a quad that a kernel leaves alone are unpacked and packed again.
#[test]
fn every_half_is_read_and_written_back_as_it_is() {
    let rig = common::rig();
    for dtype in [DType::F16, DType::Bf16] {
        let end = infinity(dtype);
        let x = halves(dtype, (0..=end).chain((0..=end).map(|h| h | 0x8000)).chain([0; 2]));
        let numbers = (0..end).map(|h| number(dtype, h)).chain([f64::INFINITY]);
        let signed: Vec<f64> = numbers.clone().chain(numbers.map(|v| -v)).chain([0.0; 2]).collect();
        let exact = parts::optimizer::STORED_EXACT;
        run(&rig, [dtype, DType::F32], exact, &x, &Expected::Exact(HostData::from_f64(DType::F32, signed)));
        run(&rig, [dtype, dtype], exact, &x, &Expected::Exact(x.clone()));
        run(&rig, [dtype, dtype], stored(dtype), &x, &Expected::Exact(x.clone()));
    }
}

/// What rounding at random makes of a number: the bf16 toward zero, or the next one where the 16 random bits carry.
#[test]
fn rounding_at_random_takes_one_of_the_two_neighbors() {
    let rig = common::rig();
    let all = numbers(DType::Bf16);
    let x = HostData::F32(all.iter().map(|n| n.0).collect());
    let want = all.iter().enumerate().map(|(e, n)| {
        let i = KEY.first_element + e as u64;
        let call = i / 8;
        let words =
            cpu::philox([call as u32, (call >> 32) as u32, KEY.step, KEY.stream], [KEY.seed as u32, (KEY.seed >> 32) as u32]);
        let random = if i % 8 < 4 { words[(i % 4) as usize] & 0xffff } else { words[(i % 4) as usize] >> 16 };
        let bits = n.0.to_bits();
        (bits >> 16) as u16 + u16::from((bits & 0xffff) + random > 0xffff)
    });
    let want = halves(DType::Bf16, want);
    run(&rig, [DType::F32, DType::F32], parts::optimizer::STORED_RANDOM, &x, &Expected::Exact(widened(&want)));
    run(&rig, [DType::F32, DType::Bf16], parts::optimizer::STORED_RANDOM, &x, &Expected::Exact(want));
}

/// A step that changes nothing: the weight is the master as a half holds it. Whole quads, and tensors that end within one.
#[test]
fn a_weight_is_its_master_to_the_bit() {
    let rig = common::rig();
    for dtype in [DType::F16, DType::Bf16] {
        // A device may flush what is below the normal numbers of f32, and a proximal step makes +0 of -0.
        let all: Vec<_> = numbers(dtype).into_iter().filter(|n| n.0.is_normal() || n.0.to_bits() == 0).collect();
        for len in [all.len() / 4 * 4, all.len() / 4 * 4 - 1, all.len() / 4 * 4 - 2] {
            let op = Sgd { master: true, ..Sgd::new(dtype, len, 0.0) };
            let master = HostData::F32(all[..len].iter().map(|n| n.0).collect());
            let zeros = HostData::from_f64(dtype, vec![0.0; len]);
            for (name, gpu) in devices(&rig) {
                let data = vec![zeros.clone(), zeros.clone(), master.clone()];
                let want = [halves(dtype, all[..len].iter().map(|n| n.1)), master.clone()];
                let step = Known { op: op.clone(), want };
                Case::with_data(&step, data).run(&gpu, &rig.queue).unwrap_or_else(|e| panic!("{dtype:?}, {len}, {name}: {e}"));
            }
        }
    }
}

/// An op whose results are known to the bit.
#[derive(Debug)]
struct Known {
    op: Sgd,
    want: [HostData; 2],
}

impl Op for Known {
    fn name(&self) -> &'static str {
        self.op.name()
    }

    fn args(&self) -> Vec<Arg> {
        self.op.args()
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.op.lower(caps)
    }
}

impl Verify for Known {
    fn reference(&self, _: &[HostData]) -> Vec<Expected> {
        self.want.iter().cloned().map(Expected::Exact).collect()
    }
}

/// Copies keep every bit of every pattern, at ends within a word and within a quad.
#[test]
fn copies_keep_every_half() {
    let rig = common::rig();
    for dtype in [DType::F16, DType::Bf16] {
        for len in [1 << 16, (1 << 16) - 1, (1 << 16) - 2, (1 << 16) - 3] {
            let saved = halves(dtype, (0..len as u32).map(|h| h as u16));
            let op = SamRestore { dtype, segments: Segment::one(len) };
            for (name, gpu) in devices(&rig) {
                let data = vec![saved.clone(), halves(dtype, vec![0x5555; len])];
                Case::with_data(&op, data).run(&gpu, &rig.queue).unwrap_or_else(|e| panic!("{dtype:?}, {len}, {name}: {e}"));
            }
        }
    }
}

/// The shader files that make halves of f32 numbers: those that the tests above run. A new one belongs among them.
#[test]
fn no_other_file_packs_halves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut folders = vec![root.clone()];
    let (mut packing, mut files) = (BTreeSet::new(), 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = fs::read_to_string(&path).expect("a shader");
            let code = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            let makes = ["pack2x16", "pack4x", "pack_f16(", "pack_bf16(", "upper_halves(", "0xffff0000u", "0x7fffu", "f16("];
            if makes.iter().any(|m| code.contains(m)) {
                let name = path.strip_prefix(&root).expect("below").with_extension("");
                packing.insert(name.to_str().expect("a name").replace('\\', "/"));
            }
        }
    }
    assert!(files > LIBRARY.len(), "{files} files");
    let pack = |dtype, by| {
        let op = Pack { from: DType::F32, to: dtype, len: 8, view: View::Quads, by, wanted: vec![] };
        let lowered = op.lower(&plain_gpu()).expect("it lowers");
        compose(&lowered.steps()[0].spec, lowered.steps()[0].params.fields, false)
    };
    let run = [
        pack(DType::F16, parts::optimizer::STORED_F16),
        pack(DType::Bf16, parts::optimizer::STORED_BF16),
        pack(DType::Bf16, parts::optimizer::STORED_RANDOM),
    ];
    for name in packing {
        assert!(LIBRARY.iter().any(|s| s.name == name), "{name} packs halves and is no part: no test holds it to its rounding");
        let text = part(&name).text;
        assert!(run.iter().any(|module| module.contains(text)), "{name} packs halves: add it to the tests of this file");
    }
}

/// Kernels write halves by these views only; what the views do is the host's text.
#[test]
fn halves_are_written_in_the_views_that_are_tried() {
    let mut views = BTreeSet::new();
    for op in ops::all().flat_map(|e| (e.cases)()) {
        for caps in [plain_cpu(), plain_gpu()] {
            let lowered = op.lower(&caps).unwrap_or_else(|e| panic!("{op:?}: {e}"));
            for step in lowered.steps() {
                let halves = step.spec.bindings.iter().filter(|d| d.writes && d.dtype.size() == 2);
                views.extend(halves.map(|d| format!("{:?}", d.view)));
            }
        }
    }
    assert_eq!(views.into_iter().collect::<Vec<_>>(), ["Bits(false)", "Bits(true)", "Quads", "Ragged"]);
}
