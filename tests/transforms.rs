//! Gradient transforms where a random case does not look: the seams of a norm's scales, and what ends up where.
use ridgepole::{ops::*, *};

fn session() -> Session {
    Session::new().expect("the tests need a GPU adapter; `cargo xtask test` installs a software one")
}

/// The norm of `g` on the GPU, once it agrees with its reference in hostile memory.
fn norm(session: &Session, g: &[f32]) -> f64 {
    let op = GlobalNorm::new(DType::F32, g.len(), 1.0);
    let data = vec![g.to_vec().into(), vec![0.0].into(), vec![0.0].into()];
    check::Case::with_data(&op, data).run(session.gpu(), session.queue()).unwrap_or_else(|e| panic!("{} numbers: {e}", g.len()));
    session.run(&op, &[g.to_vec().into()]).expect("it runs")[0].to_f64()[0]
}

#[test]
fn norms_are_right_at_the_seams_of_their_scales() {
    let session = session();
    let (big, small) = (2f32.powi(40), 2f32.powi(-40));
    // What is just below a threshold and much of it, beside one number above: each scale must take the other in.
    for seam in [big, small] {
        let below = f32::from_bits(seam.to_bits() - 1);
        for many in [1, 7, 5000] {
            let mut g = vec![below; many];
            g.push(seam);
            norm(&session, &g);
            g[0] = 3.0 * seam;
            norm(&session, &g);
        }
        norm(&session, &[seam]);
        norm(&session, &[below]);
    }
    for magnitude in [f32::MAX / 256.0, 1e19, 1e-19, 1e-30, f32::MIN_POSITIVE] {
        let g: Vec<f32> =
            (0..3000).map(|i| magnitude * (1.0 + (i % 7) as f32 / 8.0) * if i % 3 == 0 { -1.0 } else { 1.0 }).collect();
        let n = norm(&session, &g);
        assert!(n.is_finite() && n > 0.0, "{magnitude:e}: {n}");
    }
    // All three scales at once.
    norm(&session, &[1e30, 1e25, 1.0, 1e-30]);
    norm(&session, &[1.0, 1e-13, 1e-30]);
    assert_eq!(norm(&session, &[3e38, 3e38]), f64::INFINITY, "past f32");
    assert_eq!(norm(&session, &[0.0, -0.0, 0.0]), 0.0);
}

#[test]
fn an_optimizer_with_the_factor_does_what_clipping_first_does() {
    let session = session();
    let mut rng = Rng::new(5);
    let mut draw = |len| rng.fill(&Arg::read("x", DType::F32, len), [-1.0, 1.0], Pattern::Ordinary);
    let (grad, weight) = (draw(1000), draw(1000));
    let clipped = session.run(&ClipByGlobalNorm::new(DType::F32, 1000, 0.5), std::slice::from_ref(&grad)).expect("clips");
    let found = session.run(&GlobalNorm::new(DType::F32, 1000, 0.5), std::slice::from_ref(&grad)).expect("measures");
    assert_eq!(clipped[1..], found[..], "norm and factor of both ops");
    let sgd = Sgd::new(DType::F32, 1000, 0.1);
    let first = session.run(&sgd, &[clipped[0].clone(), weight.clone()]).expect("steps")[0].to_f64();
    let fused = Sgd { gpu_scale: true, ..sgd };
    let second = session.run(&fused, &[grad, found[1].clone(), weight]).expect("steps")[0].to_f64();
    for (a, b) in first.iter().zip(second) {
        assert!((a - b).abs() <= 2.0 * f64::from(f32::EPSILON), "{a} and {b}");
    }
}
