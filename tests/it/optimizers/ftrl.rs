//! FTRL-proximal, which neither PyTorch nor optax has: its reference against what it must be by definition.
use ridgepole::{
    Averaging, DType, ElasticNet, Group, HostData, Key, Rng, Rounding, Session, Warmup,
    cpu::{AdagradStep, Descent, FtrlStep, adagrad, ftrl},
    ops::Ftrl,
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

/// What is kept beside the weight, from the step in f64: a master that loses nothing, the average of what is stored, and one
/// of the two neighbours in bf16.
#[test]
fn masters_averages_and_rounding_follow_the_step() {
    let (session, len, decay) = (Session::new().expect("an adapter"), 67, 0.75);
    let step = FtrlStep { descent: descent(0.5), beta: 1.0, l1: 0.05, l2: 0.6 };
    let key = Key { seed: 7, stream: 1, step: 2, first_element: 0 };
    for (dtype, master, rounding) in [
        (DType::F32, false, Rounding::Nearest),
        (DType::F16, true, Rounding::Nearest),
        (DType::Bf16, false, Rounding::Stochastic(key)),
    ] {
        let ema = Some(Averaging { decay, warmup: Warmup::None });
        let groups = vec![Group { prox: ElasticNet::new(0.05, 0.3), ..Group::default() }];
        let op = Ftrl { groups, ema, master, rounding, ..Ftrl::new(dtype, len, 0.5) };
        let mut rng = Rng::new(4);
        let mut draw =
            |dtype: DType, lo: f64| -> Vec<f64> { (0..len).map(|_| dtype.nearest(lo + (1.0 - lo) * rng.unit())).collect() };
        let (g, w, z, n, average) =
            (draw(dtype, -1.0), draw(dtype, -1.0), draw(DType::F32, -1.0), draw(DType::F32, 0.0), draw(DType::F32, -1.0));
        let mut inputs = vec![(dtype, &g), (dtype, &w), (DType::F32, &z), (DType::F32, &n)];
        inputs.extend(master.then_some((DType::F32, &w)));
        inputs.push((DType::F32, &average));
        let inputs: Vec<HostData> = inputs.into_iter().map(|(d, v)| HostData::from_f64(d, v.iter().copied())).collect();
        let out: Vec<Vec<f64>> = session.run(&op, &inputs).expect("the op runs").iter().map(HostData::to_f64).collect();
        let mut elsewhere = 0;
        for i in 0..len {
            let (weight, z1, n1) = ftrl(&step, w[i], g[i], z[i], n[i]);
            let near = |got: f64, want: f64| assert!((got - want).abs() <= 2e-6, "{op:?}, element {i}: got {got}, want {want}");
            near(out[1][i], z1);
            near(out[2][i], n1);
            let stored = out[0][i];
            match dtype {
                DType::F32 => near(stored, weight),
                DType::F16 => {
                    near(out[3][i], weight);
                    assert_eq!(stored, dtype.nearest(out[3][i]), "{op:?}, element {i}");
                }
                _ => {
                    assert!(
                        (stored - weight).abs() <= weight.abs() * dtype.epsilon() + 1e-6,
                        "{op:?}, element {i}: {stored}, {weight}"
                    );
                    elsewhere += usize::from(stored != dtype.nearest(weight));
                }
            }
            near(out[out.len() - 1][i], decay * average[i] + (1.0 - decay) * if master { weight } else { stored });
        }
        assert_eq!(elsewhere > 5, dtype == DType::Bf16, "{elsewhere} of {len} went to the farther neighbour");
    }
}
