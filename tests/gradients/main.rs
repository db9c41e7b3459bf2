//! Every backward, and the proximal step, against finite differences of the forward's f64 reference; then the GPU against the same.
//! Filed by family.
mod batched;
mod dropouts;
mod linear;
mod losses;
mod mixing;
mod norms;
mod penalties;

use ridgepole::{Access, DType, Expected, HostData, Key, Layout, Rng, Scaling, Session, Share, Space, Verify, cpu, ops};

/// Half the distance of the differences; weights closer to a kink than twice this are not drawn.
const H: f64 = 1e-3;

/// df/dx at x by central differences of fourth order: H⁴/30 of the fifth derivative away from it, below 1e-11 for what is
/// differentiated here, and 1e-16/H of the values for their rounding, below 1e-11 for sums of up to 100.
fn slope(x: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(x + H) - f(x - H)) - (f(x + 2.0 * H) - f(x - 2.0 * H))) / (12.0 * H)
}

/// ∂/∂v of `loss`, place by place.
fn gradient(v: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let moved = |i: usize, to: f64| {
        let mut v = v.to_vec();
        v[i] = to;
        v
    };
    (0..v.len()).map(|i| slope(v[i], |to| loss(&moved(i, to)))).collect()
}

/// What a difference may be off by, for derivatives of the order of 1.
const TOLERANCE: f64 = 1e-9;

/// The loss Σ dy·y.
fn dot(y: &[f64], dy: &[f64]) -> f64 {
    y.iter().zip(dy).map(|(y, dy)| y * dy).sum()
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn draw(rng: &mut Rng, len: usize, lo: f64, hi: f64) -> Vec<f64> {
    // Values that f32 can hold, so that the GPU is given the very same.
    (0..len).map(|_| DType::F32.nearest(lo + (hi - lo) * rng.unit())).collect()
}

fn f32s(values: &[f64]) -> HostData {
    HostData::from_f64(DType::F32, values.iter().copied())
}

fn near(what: &str, got: &[f64], want: &[f64], allowed: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= allowed(i), "{what}, element {i}: got {g:e}, differences say {w:e} ± {:e}", allowed(i));
    }
}

/// Runs `op` on the GPU; each written argument must be as near to `want` as the op's own bound, the tolerance of the
/// differences, and `slack` allow.
fn gpu_near(session: &Session, op: &dyn Verify, data: &[HostData], want: &[Vec<f64>], slack: impl Fn(usize, usize) -> f64) {
    let inputs: Vec<HostData> =
        op.args().iter().zip(data).filter(|(a, _)| a.access != Access::Write).map(|(_, d)| d.clone()).collect();
    let got = session.run(op, &inputs).unwrap_or_else(|e| panic!("{op:?}: {e}"));
    for (n, (expected, (got, want))) in op.reference(data).iter().zip(got.iter().zip(want)).enumerate() {
        let bound = match expected {
            Expected::Exact(data) => vec![0.0; data.len()],
            Expected::Within { bound, .. } => bound.clone(),
        };
        near(&format!("{op:?}, output {n}, GPU"), &got.to_f64(), want, |i| bound[i] + TOLERANCE + slack(n, i));
    }
}
