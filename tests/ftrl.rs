//! FTRL-proximal, which neither PyTorch nor optax has: its reference against what it must be by definition.
use ridgepole::{
    Rng,
    cpu::{AdagradStep, Descent, FtrlStep, adagrad, ftrl},
};

const STEPS: usize = 50;

fn descent(rate: f64) -> Descent {
    Descent { grad_scale: 1.0, rate, coupled: [0.0; 2], decay: 0.0, threshold: 0.0, divisor: 1.0 }
}

/// McMahan, "Follow-the-regularized-leader and mirror descent", 2011: without penalty, the leader is where descent goes.
#[test]
fn without_a_penalty_it_is_adagrad() {
    let mut rng = Rng::new(1);
    for (rate, beta, start) in [(0.1, 1.0, 0.0), (0.5, 0.25, 0.7), (2.0, 3.0, -1.2)] {
        let (leader, plain) = (
            FtrlStep { descent: descent(rate), beta, l1: 0.0, l2: 0.0 },
            AdagradStep { descent: descent(rate), eps: [0.0, beta] },
        );
        let (mut w, mut z, mut n) = (start, -start * beta / rate, 0.0);
        let (mut v, mut sum) = (start, 0.0);
        for _ in 0..STEPS {
            let g = 2.0 * rng.unit() - 1.0;
            (w, z, n) = ftrl(&leader, w, g, z, n);
            (v, sum) = adagrad(&plain, v, g, sum);
            assert!((w - v).abs() <= 1e-12 && (n - sum).abs() <= 1e-12, "{w} and {v}, {n} and {sum}");
        }
    }
}

/// After each step, w is the minimum of Σg·w + ½·Σσ·(w - w_s)² + ½·β/α·w² + λ1·|w| + ½·λ2·w²: its subgradient there holds 0.
#[test]
fn the_weight_is_the_minimum_over_all_steps() {
    let (mut rng, mut zeros, mut others) = (Rng::new(2), 0, 0);
    for (rate, beta, l1, l2) in [(0.1, 1.0, 1.0, 0.0), (0.5, 0.25, 0.3, 0.7), (2.0, 3.0, 2.0, 0.1)] {
        let step = FtrlStep { descent: descent(rate), beta, l1, l2 };
        let (mut w, mut z, mut n) = (0.0, 0.0, 0.0f64);
        let (mut gradients, mut history, mut before) = (0.0, Vec::new(), 0.0);
        for _ in 0..STEPS {
            let g = 2.0 * rng.unit() - 0.7;
            gradients += g;
            let old = w;
            (w, z, n) = ftrl(&step, w, g, z, n);
            history.push(((n.sqrt() - before) / rate, old));
            before = n.sqrt();
            let pulls: f64 = history.iter().map(|(sigma, past)| sigma * (w - past)).sum();
            let smooth = gradients + pulls + (beta / rate + l2) * w;
            if w == 0.0 {
                zeros += 1;
                assert!(smooth.abs() <= l1 + 1e-12, "0 is no minimum: {smooth}");
            } else {
                others += 1;
                assert!((smooth + l1 * f64::signum(w)).abs() <= 1e-11, "{w} is no minimum: {smooth}");
            }
        }
    }
    assert!(zeros > 5 && others > 5, "{zeros} zeros, {others} others: one side was not tried");
}
