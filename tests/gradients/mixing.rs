//! Samples mixed with one another: the backward pass is the transpose of the forward's map, by differences of its reference.
use super::*;
use ridgepole::{Cut, Erasing, Holes, Lambda, Partners, Rect};

/// ∂/∂x of Σ dy·y, y being the first thing that `forward` writes, by differences of its own reference.
fn differences(forward: &dyn Verify, x: &[f64], dy: &[f64]) -> Vec<f64> {
    let loss = |x: &[f64]| {
        let Expected::Within { value, .. } = forward.reference(&[f32s(x), f32s(dy)]).swap_remove(0) else { panic!("a float") };
        value.iter().zip(dy).map(|(y, dy)| y * dy).sum::<f64>()
    };
    // The map is affine, so any step will do; powers of two leave f32 inputs exact.
    let h = 0.25;
    let moved = |i: usize, by: f64| {
        let mut x = x.to_vec();
        x[i] += by;
        x
    };
    (0..x.len()).map(|i| (loss(&moved(i, h)) - loss(&moved(i, -h))) / (2.0 * h)).collect()
}

fn holds(session: &Session, rng: &mut Rng, forward: &dyn Verify, backward: &dyn Verify, len: usize) {
    // Multiples of 2^-10 below 1, so that x ± h is exact in f32.
    let x: Vec<f64> = (0..len).map(|_| (rng.unit() * 1024.0).floor() / 1024.0).collect();
    let dy = draw(rng, len, -1.0, 1.0);
    let want = differences(forward, &x, &dy);
    let data = [f32s(&dy), f32s(&vec![0.0; len])];
    let Expected::Within { value, .. } = &backward.reference(&data)[0] else { panic!("a float") };
    near(&format!("{backward:?}"), value, &want, |_| TOLERANCE);
    gpu_near(session, backward, &data, &[want], |_, _| 0.0);
}

const SPACES: [Space; 2] =
    [Space { n: 5, c: 2, s: 12, layout: Layout::ChannelsFirst }, Space { n: 5, c: 3, s: 20, layout: Layout::ChannelsLast }];

fn key(step: u32) -> Key {
    Key { seed: 3, stream: 1, step, first_element: 0 }
}

#[test]
fn mixup_backward_is_the_derivative_of_mixup() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(42));
    for (i, space) in SPACES.into_iter().enumerate() {
        for lambda in [Lambda::PerBatch(1.0), Lambda::PerSample(0.4), Lambda::Given(vec![0.0, 0.3, 1.0, 0.5, 0.9])] {
            for partners in [Partners::Shuffle, Partners::Roll, Partners::Flip, Partners::Given(vec![2, 0, 1, 3, 4])] {
                let base = ops::Mixup::new(DType::F32, space, 1.0, key(i as u32));
                let forward = ops::Mixup { lambda: lambda.clone(), partners, ..base };
                holds(&session, &mut rng, &forward, &forward.backward(), space.len());
            }
        }
    }
}

#[test]
fn cutmix_backward_is_the_derivative_of_cutmix() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(43));
    let boxes = |n: usize| (0..n).map(|i| Rect { top: i % 2, left: i % 3, height: 2, width: 1 }).collect();
    for (i, space) in SPACES.into_iter().enumerate() {
        for cut in [Cut::PerBatch(1.0), Cut::PerSample(0.6), Cut::Lambda(vec![0.4]), Cut::Boxes(boxes(5))] {
            for partners in [Partners::Shuffle, Partners::Given(vec![2, 0, 1, 3, 4])] {
                let base = ops::CutMix::new(DType::F32, space, 4, 1.0, key(i as u32));
                let forward = ops::CutMix { cut: cut.clone(), partners, ..base };
                holds(&session, &mut rng, &forward, &forward.backward(), space.len());
            }
        }
    }
}

#[test]
fn cutout_backward_is_the_derivative_of_cutout() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(44));
    for (i, space) in SPACES.into_iter().enumerate() {
        let all = Holes::Boxes(vec![Rect { top: 1, left: 1, height: 2, width: 2 }]);
        for holes in [Holes::Square(3), Holes::Erasing(Erasing { p: 1.0, ..Erasing::default() }), all] {
            let base = ops::Cutout::new(DType::F32, space, 4, 2, key(i as u32));
            let forward = ops::Cutout { holes, value: 0.5, ..base };
            holds(&session, &mut rng, &forward, &forward.backward(), space.len());
        }
    }
}
