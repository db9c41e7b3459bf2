//! Normalised rows.
use crate::*;
use ridgepole::WeightForm;

#[test]
fn layer_norm_backward_is_the_derivative_of_layer_norm() {
    let (session, mut rng, eps) = (Session::new().expect("an adapter"), Rng::new(6), 1e-5);
    for ((rows, cols), affine) in [((3, 8), true), ((4, 7), true), ((4, 7), false)] {
        let (x, dy) = (draw(&mut rng, rows * cols, -1.0, 2.0), draw(&mut rng, rows * cols, -1.0, 1.0));
        let (mut weight, mut bias) = (draw(&mut rng, cols, 0.5, 1.5), draw(&mut rng, cols, -1.0, 1.0));
        if !affine {
            (weight, bias) = (vec![1.0; cols], vec![0.0; cols]);
        }
        let loss = |x: &[f64], w: &[f64], b: &[f64]| {
            x.chunks(cols).zip(dy.chunks(cols)).map(|(x, dy)| dot(&cpu::layer_norm(x, w, b, eps).0, dy)).sum::<f64>()
        };
        let dx = gradient(&x, |x| loss(x, &weight, &bias));
        let dweight = gradient(&weight, |w| loss(&x, w, &bias));
        let dbias = gradient(&bias, |b| loss(&x, &weight, b));
        let of = |x: &[f64]| cpu::layer_norm(x, &weight, &bias, eps);
        let mean: Vec<f64> = x.chunks(cols).map(|x| of(x).1).collect();
        let rstd: Vec<f64> = x.chunks(cols).map(|x| of(x).2).collect();
        let exact = cpu::layer_norm_backward(&x, &dy, &mean, &rstd, &weight);
        near("layer_norm_backward: dx", &exact.0, &dx, |_| TOLERANCE);
        near("layer_norm_backward: dweight", &exact.1, &dweight, |_| TOLERANCE);
        near("layer_norm_backward: dbias", &exact.2, &dbias, |_| TOLERANCE);
        let f32 = |v: &[f64]| v.iter().map(|&v| DType::F32.nearest(v)).collect::<Vec<_>>();
        let given = cpu::layer_norm_backward(&x, &dy, &f32(&mean), &f32(&rstd), &weight);
        let slack = [furthest(&given.0, &dx), furthest(&given.1, &dweight), furthest(&given.2, &dbias)];
        let mut data = vec![f32s(&x), f32s(&dy), f32s(&mean), f32s(&rstd)];
        let mut want = vec![dx];
        if affine {
            data.push(f32s(&weight));
            want.extend([dweight, dbias]);
        }
        data.extend(want.iter().map(|w| f32s(&vec![0.0; w.len()])));
        let op = ops::LayerNormBackward::from(ops::LayerNorm {
            weight: affine,
            bias: affine,
            ..ops::LayerNorm::new(DType::F32, rows, cols)
        });
        gpu_near(&session, &op, &data, &want, |n, _| slack[n]);
    }
}

#[test]
fn rms_norm_backward_is_the_derivative_of_rms_norm() {
    let (session, mut rng, eps) = (Session::new().expect("an adapter"), Rng::new(7), 1e-6);
    for ((rows, cols), affine, weight_form) in
        [((3, 8), true, WeightForm::Plain), ((4, 7), true, WeightForm::OnePlus), ((4, 7), false, WeightForm::Plain)]
    {
        let (x, dy) = (draw(&mut rng, rows * cols, -1.0, 2.0), draw(&mut rng, rows * cols, -1.0, 1.0));
        let weight = if affine { draw(&mut rng, cols, 0.5, 1.5) } else { vec![1.0; cols] };
        let offset = if weight_form == WeightForm::OnePlus { 1.0 } else { 0.0 };
        let loss = |x: &[f64], w: &[f64]| {
            x.chunks(cols).zip(dy.chunks(cols)).map(|(x, dy)| dot(&cpu::rms_norm(x, w, offset, eps).0, dy)).sum::<f64>()
        };
        let dx = gradient(&x, |x| loss(x, &weight));
        let dweight = gradient(&weight, |w| loss(&x, w));
        let rstd: Vec<f64> = x.chunks(cols).map(|x| cpu::rms_norm(x, &weight, offset, eps).1).collect();
        let exact = cpu::rms_norm_backward(&x, &dy, &rstd, &weight, offset);
        near("rms_norm_backward: dx", &exact.0, &dx, |_| TOLERANCE);
        near("rms_norm_backward: dweight", &exact.1, &dweight, |_| TOLERANCE);
        let rounded: Vec<f64> = rstd.iter().map(|&v| DType::F32.nearest(v)).collect();
        let given = cpu::rms_norm_backward(&x, &dy, &rounded, &weight, offset);
        let slack = [furthest(&given.0, &dx), furthest(&given.1, &dweight)];
        let (mut data, mut want) = (vec![f32s(&x), f32s(&dy), f32s(&rstd)], vec![dx]);
        if affine {
            data.push(f32s(&weight));
            want.push(dweight);
        }
        data.extend(want.iter().map(|w| f32s(&vec![0.0; w.len()])));
        let op =
            ops::RmsNormBackward::from(ops::RmsNorm { weight: affine, weight_form, ..ops::RmsNorm::new(DType::F32, rows, cols) });
        gpu_near(&session, &op, &data, &want, |n, _| slack[n]);
    }
}
