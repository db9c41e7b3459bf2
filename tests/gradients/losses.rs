//! Losses.
use super::*;
use ridgepole::{
    HuberForm, LossReduction, SquareForm, Targets,
    ops::{CrossEntropy, HuberLoss, L1Loss, MseLoss},
};

#[test]
fn cross_entropy_writes_the_derivative_of_its_loss() {
    let (session, mut rng, k, rows) = (Session::new().expect("an adapter"), Rng::new(21), 5, 4);
    // Smoothing, z-loss, confidence penalty, gamma; whether targets are probabilities.
    for (terms, soft) in [
        ([0.0; 4], false),
        ([0.2, 0.0, 0.0, 0.0], false),
        ([0.1, 0.05, 0.3, 0.0], false),
        ([0.0, 0.0, 0.0, 2.0], false),
        ([0.0, 0.1, 0.2, 0.5], false),
        ([0.0; 4], true),
        ([0.2, 0.05, 0.3, 0.0], true),
    ] {
        let z = draw(&mut rng, rows * k, -2.0, 2.0);
        let weight = draw(&mut rng, k, 0.2, 2.0);
        let class: Vec<u32> = (0..rows).map(|_| rng.word() % k as u32).collect();
        let shares = draw(&mut rng, rows * k, 0.0, 0.5);
        let mut want = vec![];
        let (mut loss, mut total) = (0.0, 0.0);
        for r in 0..rows {
            let at = r * k..(r + 1) * k;
            let one_hot = |c| f64::from(u8::from(c == class[r] as usize));
            let target: Vec<f64> = if soft { shares[at.clone()].to_vec() } else { (0..k).map(one_hot).collect() };
            let of_row = if soft { 1.0 } else { weight[class[r] as usize] };
            let value = |z: &[f64]| cpu::cross_entropy(z, &target, &weight, of_row, terms).0;
            let row = z[at].to_vec();
            let moved = |c: usize, to: f64| {
                let mut z = row.clone();
                z[c] = to;
                z
            };
            let d: Vec<f64> = (0..k).map(|c| slope(row[c], |v| value(&moved(c, v)))).collect();
            near("cross_entropy", &cpu::cross_entropy(&row, &target, &weight, of_row, terms).1, &d, |_| TOLERANCE);
            loss += value(&row);
            total += of_row;
            want.extend(d);
        }
        let [label_smoothing, z_loss, confidence_penalty, focal_gamma] = terms;
        let target = if soft { Targets::Probabilities } else { Targets::Classes };
        let given = if soft { f32s(&shares) } else { HostData::U32(class) };
        for (reduction, by) in [(LossReduction::Sum, 1.0), (LossReduction::Mean, total)] {
            let op = CrossEntropy {
                target,
                class_weight: true,
                label_smoothing,
                z_loss,
                confidence_penalty,
                focal_gamma,
                reduction,
                ..CrossEntropy::new(DType::F32, rows, k)
            };
            let data = [f32s(&z), given.clone(), f32s(&weight), f32s(&[0.0]), f32s(&vec![0.0; rows * k])];
            gpu_near(&session, &op, &data, &[vec![loss / by], want.iter().map(|d| d / by).collect()], |_, _| 0.0);
        }
    }
}

/// An op, its loss and derivative by prediction and target, and how far from the target its slope has a bend.
type Loss = (Box<dyn Verify>, Box<dyn Fn(f64, f64) -> (f64, f64)>, f64);

#[test]
fn losses_of_pairs_write_the_derivatives_of_their_losses() {
    let (session, mut rng, n) = (Session::new().expect("an adapter"), Rng::new(22), 37);
    let reduction = LossReduction::None;
    let huber = |delta, form| -> Loss {
        let op = HuberLoss { delta, form, reduction, ..HuberLoss::new(DType::F32, n) };
        (Box::new(op), Box::new(move |p, t| cpu::huber_loss(p, t, delta, form == HuberForm::SmoothL1)), delta)
    };
    let mse = |form, curve| -> Loss {
        let op = MseLoss { form, reduction, ..MseLoss::new(DType::F32, n) };
        (Box::new(op), Box::new(move |p, t| cpu::mse_loss(p, t, curve)), 0.0)
    };
    let l1 = L1Loss { reduction, ..L1Loss::new(DType::F32, n) };
    let all = [
        mse(SquareForm::Whole, 1.0),
        mse(SquareForm::Half, 0.5),
        (Box::new(l1) as Box<dyn Verify>, Box::new(cpu::l1_loss), 0.0),
        huber(1.0, HuberForm::Huber),
        huber(0.5, HuberForm::Huber),
        huber(0.5, HuberForm::SmoothL1),
        huber(0.0, HuberForm::SmoothL1),
    ];
    for (op, loss, knee) in all {
        let target = draw(&mut rng, n, -1.0, 1.0);
        let mut pred = draw(&mut rng, n, -1.0, 1.0);
        for (p, t) in pred.iter_mut().zip(&target) {
            // Not where the slope has a bend, but for the middle, where both sides' slopes cancel.
            let far = (*p - t).abs();
            if far < 3.0 * H || (far - knee).abs() < 3.0 * H {
                *p = *t;
            }
        }
        let value: Vec<f64> = pred.iter().zip(&target).map(|(p, t)| loss(*p, *t).0).collect();
        let d: Vec<f64> = pred.iter().zip(&target).map(|(p, t)| slope(*p, |p| loss(p, *t).0)).collect();
        let got: Vec<f64> = pred.iter().zip(&target).map(|(p, t)| loss(*p, *t).1).collect();
        near(op.name(), &got, &d, |_| TOLERANCE);
        let data = [f32s(&pred), f32s(&target), f32s(&vec![0.0; n]), f32s(&vec![0.0; n])];
        gpu_near(&session, op.as_ref(), &data, &[value, d], |_, _| 0.0);
    }
}
