//! `lib/philox/normal`: within its bound for every kind of word, and normally distributed.
use ridgepole::{wgsl::*, *};

params! { NormalsParams { blocks: u32, count: u32 } }

const KERNEL: &str = "//!use lib/partition/grid
//!use lib/philox/normal
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>,
        @builtin(local_invocation_index) index: u32) {
    let i = workgroup_index(wid, count) * 64u + index;
    if i < params.count { z_store(i, normals(words[i])); }
}
";

/// The four normal numbers of each four words.
#[derive(Debug)]
struct Normals {
    blocks: usize,
}

impl Op for Normals {
    fn name(&self) -> &'static str {
        "normals"
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::read("words", DType::U32, 4 * self.blocks), Arg::write("z", DType::F32, 4 * self.blocks)]
    }

    fn lower(&self, _: &Caps) -> Result<Lowered, Error> {
        let workgroups = self.blocks.div_ceil(64) as u64;
        let step = Step {
            spec: Spec {
                shader: Source { name: "tests/normals", text: KERNEL },
                entry: "main",
                parts: vec![],
                bindings: vec![
                    Decl { name: "words", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false },
                    Decl { name: "z", dtype: DType::F32, view: View::Quads, writes: true },
                ],
                consts: vec![],
            },
            params: NormalsParams { blocks: workgroups as u32, count: self.blocks as u32 }.into(),
            slots: self.args().iter().enumerate().map(|(i, a)| Slot::Arg(i, 0..a.bytes())).collect(),
            workgroups,
            trips: 0,
        };
        let mut out = Lowered::default();
        out.push(step);
        Ok(out)
    }
}

impl Verify for Normals {
    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let words = args[0].words().expect("words");
        let value: Vec<f64> = words.chunks(4).flat_map(|w| cpu::normals([w[0], w[1], w[2], w[3]])).collect();
        let bound = value.iter().map(|&z| Approx::normal(z).error).collect();
        vec![Expected::Within { value, bound }]
    }
}

/// Words whose upper 24 bits lie at, just before and just behind every place where a kernel's branch or series changes.
fn edges() -> Vec<u32> {
    let mut places: Vec<u32> = (0..25).map(|e| (1 << 24) - (1 << e)).collect();
    places.extend((0..24).map(|e| 1u32 << e));
    places.extend((0..24).map(|e| (1 << 24) - (2f64.powi(e) * std::f64::consts::SQRT_2) as u32));
    places.extend((0..16).map(|eighth| eighth << 20));
    let around = places.iter().flat_map(|&p| (p.saturating_sub(2)..=p + 2).filter(|&k| k < 1 << 24));
    around.map(|k| k << 8 | 0xa5).collect()
}

#[test]
fn every_kind_of_word_stays_within_the_bound() {
    let edges = edges();
    let mut words: Vec<u32> = Vec::new();
    let mut rng = Rng::new(1);
    for (i, &a) in edges.iter().enumerate() {
        let b = edges[(i * 7 + 3) % edges.len()];
        words.extend([a, rng.word(), rng.word(), b]);
        words.extend([a, b, b, a]);
    }
    words.extend((0..1 << 20).map(|_| rng.word()));
    let op = Normals { blocks: words.len() / 4 };
    let data = vec![HostData::U32(words), HostData::F32(vec![0.0; 4 * op.blocks])];
    let case = check::Case::with_data(&op, data.clone());
    let expected = op.reference(&data);
    for adapter in Session::adapters() {
        let session = Session::open(&adapter).expect("an adapter that opens");
        case.run(session.gpu(), session.queue()).unwrap_or_else(|e| panic!("{}: {e}", session.info().name));
        let got = session.run(&op, &data[..1]).expect("it runs")[0].to_f64();
        let Expected::Within { value, bound } = &expected[0] else { unreachable!("floats") };
        let worst = (0..got.len()).filter(|&i| bound[i] > 0.0).map(|i| (got[i] - value[i]).abs() / bound[i]).fold(0.0, f64::max);
        eprintln!("{}: {worst:.3} of the bound", session.info().name);
        assert!(worst > 0.05, "a bound that is twenty times what happens says little");
    }
}

/// Over n numbers: moments within five standard errors, pairs and neighbours without correlation, and the empirical
/// distribution within Kolmogorov's distance that one sample in a million exceeds.
#[test]
fn the_numbers_are_normally_distributed() {
    let n = 1 << 18;
    let mut z: Vec<f64> = (0..n as u64).map(|i| cpu::normal(42, 3, 7, i)).collect();
    let mean = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
    let error = 5.0 / (n as f64).sqrt();
    // The k-th power has the variance (2k-1)!! - ((k-1)!!)², for even k.
    for (power, want, deviation) in [(1, 0.0, 1.0), (2, 1.0, 2f64.sqrt()), (3, 0.0, 15f64.sqrt()), (4, 3.0, 96f64.sqrt())] {
        let got = mean(&|i| z[i].powi(power));
        assert!((got - want).abs() < error * deviation, "moment {power} is {got}");
    }
    for lag in [1, 2, 3, 4, 8] {
        let got = mean(&|i| z[i] * z[(i + lag) % n]);
        assert!(got.abs() < error, "elements {lag} apart correlate by {got}");
        let squares = mean(&|i| z[i].powi(2) * z[(i + lag) % n].powi(2)) - 1.0;
        assert!(squares.abs() < error * 8f64.sqrt(), "squares {lag} apart correlate by {squares}");
    }
    z.sort_by(f64::total_cmp);
    assert!(z[0] > -5.78 && z[n - 1] < 5.78, "the largest radius is √(2·24·ln 2)");
    let distance = z.iter().enumerate().map(|(i, &z)| ((i as f64 + 0.5) / n as f64 - distribution(z)).abs()).fold(0.0, f64::max);
    assert!(distance < 2.69 / (n as f64).sqrt(), "Kolmogorov's distance is {distance}");
}

/// Φ by Simpson's rule, far better than the test needs.
fn distribution(z: f64) -> f64 {
    let (n, h) = (200, z / 200.0);
    let density = |x: f64| (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let weight = |i: i32| if i == 0 || i == n { 1.0 } else { f64::from(2 + i % 2 * 2) };
    0.5 + (0..=n).map(|i| weight(i) * density(f64::from(i) * h)).sum::<f64>() * h / 3.0
}
