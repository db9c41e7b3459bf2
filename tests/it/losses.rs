//! What the losses promise beyond their bounds.
use crate::common;
use ridgepole::{
    DType, Expected, Gpu, HostData, LossReduction, Pattern, Rng, Session, check,
    ops::{CrossEntropy, MseLoss},
};

fn run(op: &dyn ridgepole::Op, inputs: &[HostData]) -> Vec<Vec<f64>> {
    let session = Session::new().expect("an adapter");
    session.run(op, inputs).expect("a valid op").iter().map(HostData::to_f64).collect()
}

/// A vocabulary of the largest size, one that leaves half a quad, and one that leaves three quarters: wider workgroups on
/// software devices, several rows to a block.
#[test]
fn the_longest_rows() {
    let rig = common::rig();
    for (mode, caps) in check::modes(&rig.device) {
        if !["as is", "WebGPU's default limits"].contains(&mode) {
            continue;
        }
        let gpu = Gpu::with_caps(&rig.device, caps);
        for (dtype, rows, classes) in [(DType::F32, 2, 1 << 20), (DType::F16, 3, 250_002), (DType::Bf16, 5, 100_003)] {
            let op = CrossEntropy::new(dtype, rows, classes);
            check::Case::new(&op, Pattern::Ordinary, 5).run(&gpu, &rig.queue).unwrap_or_else(|e| panic!("{mode}, {op:?}: {e}"));
        }
    }
}

/// -ln p of a class that is nearly certain is about 1 - p, of which 1 + (1 - p) keeps nothing in f32.
#[test]
fn what_is_nearly_certain_keeps_its_digits() {
    let op = CrossEntropy { reduction: LossReduction::None, ..CrossEntropy::new(DType::F32, 4, 3) };
    let tops = [10.0f64, 20.0, 40.0, 80.0];
    let logits: Vec<f32> = tops.iter().flat_map(|&z| [0.0, z as f32, -1.0]).collect();
    let focal = CrossEntropy { focal_gamma: 0.5, ..op.clone() };
    for (op, power) in [(op, 1.0), (focal, 1.5)] {
        let loss = run(&op, &[logits.clone().into(), HostData::U32(vec![1; 4])]).remove(0);
        for (loss, z) in loss.iter().zip(tops) {
            let want = ((1.0 + (-1f64).exp()) * (-z).exp()).powf(power);
            // ln(1+x) is x - x²/2, and 1 - p is x - x²: below 1e-4 of x at the first of them.
            let off = (loss / want - 1.0).abs();
            // Below the least normal number a device may have 0.
            assert!(off < 1e-4 || want < f64::from(f32::MIN_POSITIVE), "{loss:e}, want {want:e}");
        }
    }
}

/// Softmax does not change if all logits move, so its gradient adds up to 0 in each row.
#[test]
fn gradients_of_a_row_add_up_to_nothing() {
    let (rows, classes, mut rng) = (6, 50, Rng::new(3));
    let logits: Vec<f32> = (0..rows * classes).map(|_| (6.0 * rng.unit()) as f32).collect();
    let target = HostData::U32((0..rows as u32).map(|r| 7 * r).collect());
    for (label_smoothing, confidence_penalty) in [(0.0, 0.0), (0.2, 0.0), (0.1, 0.5)] {
        let op = CrossEntropy {
            label_smoothing,
            confidence_penalty,
            reduction: LossReduction::Sum,
            ..CrossEntropy::new(DType::F32, rows, classes)
        };
        let grad = run(&op, &[logits.clone().into(), target.clone()]).remove(1);
        for row in grad.chunks(classes) {
            assert!(row.iter().sum::<f64>().abs() < 1e-5, "{op:?}: {row:?}");
            assert!(row.iter().any(|g| g.abs() > 0.1), "{op:?}");
        }
    }
}

/// However many rows there are, each has the loss that it has alone.
#[test]
fn a_row_does_not_depend_on_its_neighbours() {
    let (rows, classes, mut rng) = (130, 7, Rng::new(4));
    let each = |rows| CrossEntropy { reduction: LossReduction::None, ..CrossEntropy::new(DType::F32, rows, classes) };
    let logits: Vec<f32> = (0..rows * classes).map(|_| (6.0 * rng.unit()) as f32).collect();
    let target: Vec<u32> = (0..rows).map(|_| rng.word() % classes as u32).collect();
    let all = run(&each(rows), &[logits.clone().into(), HostData::U32(target.clone())]);
    for r in [0, 1, 63, 64, 129] {
        let row = logits[r * classes..(r + 1) * classes].to_vec();
        let alone = run(&each(1), &[row.into(), HostData::U32(vec![target[r]])]);
        assert_eq!(alone[0][0], all[0][r], "row {r}");
        assert_eq!(alone[1], all[1][r * classes..(r + 1) * classes], "row {r}");
    }
}

/// The scale of the gradient is the gradient's alone.
#[test]
fn a_gradient_is_scaled_and_a_loss_is_not() {
    let inputs: [HostData; 2] = [vec![1.0, 3.0, -2.0].into(), vec![0.5, 5.0, 1.0].into()];
    let plain = run(&MseLoss::new(DType::F32, 3), &inputs);
    let scaled = run(&MseLoss { grad_scale: 1024.0, ..MseLoss::new(DType::F32, 3) }, &inputs);
    assert_eq!(plain[0], scaled[0]);
    assert!(plain[1].iter().zip(&scaled[1]).all(|(a, b)| (a * 1024.0 - b).abs() < 1e-3));
    let [x, target] = inputs;
    let reference =
        ridgepole::Verify::reference(&MseLoss::new(DType::F32, 3), &[x, target, vec![0.0].into(), vec![0.0; 3].into()]);
    assert!(matches!(&reference[0], Expected::Within { value, .. } if value[0] > 0.0));
}
