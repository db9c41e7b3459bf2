//! Groups of channels.
use crate::*;

/// Channels and places of what is normalised together, sample after sample.
fn lines(space: Space, groups: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let per = space.c / groups;
    let line = |n: usize, g: usize| {
        let channels: Vec<usize> = (g * per..(g + 1) * per).collect();
        let places = channels.iter().flat_map(|&c| (0..space.s).map(move |s| space.offset(n, c, s))).collect();
        (channels, places)
    };
    (0..space.n).flat_map(|n| (0..groups).map(move |g| (n, g))).map(|(n, g)| line(n, g)).collect()
}

fn of(from: &[f64], at: &[usize]) -> Vec<f64> {
    at.iter().map(|&i| from[i]).collect()
}

type Forward = fn(&[f64], &[f64], &[f64]) -> (Vec<f64>, f64, f64);
type Backward = fn(&[f64], &[f64], f64, f64, &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>);

const EPS: f64 = 1e-5;

/// Holds the formulas against differences, and then the op.
fn check(
    session: &Session,
    op: &dyn Verify,
    (space, groups): (Space, usize),
    forward: Forward,
    backward: Backward,
    affine: bool,
) {
    let (mut rng, all) = (Rng::new(30), lines(space, groups));
    let (x, dy) = (draw(&mut rng, space.len(), -1.0, 2.0), draw(&mut rng, space.len(), -1.0, 1.0));
    let (mut weight, mut bias) = (draw(&mut rng, space.c, 0.5, 1.5), draw(&mut rng, space.c, -1.0, 1.0));
    if !affine {
        (weight, bias) = (vec![1.0; space.c], vec![0.0; space.c]);
    }
    let one = |(channels, at): &(Vec<usize>, Vec<usize>), x: &[f64], w: &[f64], b: &[f64]| {
        forward(&of(x, at), &of(w, channels), &of(b, channels))
    };
    let loss = |x: &[f64], w: &[f64], b: &[f64]| all.iter().map(|l| dot(&one(l, x, w, b).0, &of(&dy, &l.1))).sum::<f64>();
    let want = [
        gradient(&x, |x| loss(x, &weight, &bias)),
        gradient(&weight, |w| loss(&x, w, &bias)),
        gradient(&bias, |b| loss(&x, &weight, b)),
    ];
    let statistics = |round: fn(f64) -> f64| -> [Vec<f64>; 2] {
        let each = all.iter().map(|l| one(l, &x, &weight, &bias)).map(|(_, mean, rstd)| (round(mean), round(rstd)));
        let (mean, rstd) = each.unzip();
        [mean, rstd]
    };
    let formulas = |[mean, rstd]: &[Vec<f64>; 2]| {
        let mut out = [vec![0.0; space.len()], vec![0.0; space.c], vec![0.0; space.c]];
        for (i, (channels, at)) in all.iter().enumerate() {
            let (dx, dweight, dbias) = backward(&of(&x, at), &of(&dy, at), mean[i], rstd[i], &of(&weight, channels));
            at.iter().zip(dx).for_each(|(&i, v)| out[0][i] = v);
            channels.iter().zip(dweight).for_each(|(&c, v)| out[1][c] += v);
            channels.iter().zip(dbias).for_each(|(&c, v)| out[2][c] += v);
        }
        out
    };
    let exact = formulas(&statistics(|v| v));
    for (got, want) in exact.iter().zip(&want) {
        near(&format!("{op:?}, formula"), got, want, |_| TOLERANCE);
    }
    // What the op is given was rounded to f32.
    let given = statistics(|v| DType::F32.nearest(v));
    let rounded = formulas(&given);
    let slack: Vec<f64> = want.iter().zip(&rounded).map(|(a, b)| furthest(a, b)).collect();
    let mut data = vec![f32s(&x), f32s(&dy), f32s(&given[0]), f32s(&given[1])];
    data.extend(affine.then(|| f32s(&weight)));
    let want: Vec<Vec<f64>> = want.into_iter().take(if affine { 3 } else { 1 }).collect();
    data.extend(want.iter().map(|w| f32s(&vec![0.0; w.len()])));
    gpu_near(session, op, &data, &want, |n, _| slack[n]);
}

#[test]
fn group_norm_backward_is_the_derivative_of_group_norm() {
    let session = Session::new().expect("an adapter");
    let shapes = [
        (Space::channels_first(2, 6, 3), 2),
        (Space::channels_last(2, 6, 3), 3),
        (Space::channels_last(3, 4, 4), 1),
        (Space::channels_first(4, 8, 1), 2),
    ];
    for ((space, groups), affine) in shapes.into_iter().flat_map(|s| [(s, true), (s, false)]) {
        let new = ops::GroupNorm::new(DType::F32, space, groups);
        let op = ops::GroupNormBackward::from(ops::GroupNorm { weight: affine, bias: affine, ..new });
        let forward: Forward = |x, w, b| cpu::group_norm(x, w, b, EPS);
        check(&session, &op, (space, groups), forward, cpu::group_norm_backward, affine);
    }
}

#[test]
fn instance_norm_backward_is_the_derivative_of_instance_norm() {
    let session = Session::new().expect("an adapter");
    let shapes = [Space::channels_first(2, 3, 5), Space::channels_last(3, 4, 4)];
    for (space, affine) in shapes.into_iter().flat_map(|s| [(s, true), (s, false)]) {
        let new = ops::InstanceNorm::new(DType::F32, space);
        let op = ops::InstanceNormBackward::from(ops::InstanceNorm { weight: affine, bias: affine, ..new });
        let forward: Forward = |x, w, b| cpu::instance_norm(x, w[0], b[0], EPS);
        let backward: Backward = |x, dy, mean, rstd, w| {
            let (dx, dweight, dbias) = cpu::instance_norm_backward(x, dy, mean, rstd, w[0]);
            (dx, vec![dweight], vec![dbias])
        };
        check(&session, &op, (space, space.c), forward, backward, affine);
    }
}
