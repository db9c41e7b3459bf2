//! Weights normalised filter by filter.
use crate::*;
use ridgepole::FilterAxis;
use ridgepole::RunningVariance;
use ridgepole::ops::StandardForm;

/// A matrix with these filters, each as long as the first.
fn laid(filters: &[Vec<f64>], axis: FilterAxis) -> Vec<f64> {
    match axis {
        FilterAxis::Rows => filters.concat(),
        FilterAxis::Columns => (0..filters[0].len()).flat_map(|i| filters.iter().map(move |f| f[i])).collect(),
    }
}

fn matrix(count: usize, len: usize, axis: FilterAxis) -> (usize, usize) {
    if axis == FilterAxis::Rows { (count, len) } else { (len, count) }
}

fn draws(rng: &mut Rng, count: usize, len: usize) -> Vec<Vec<f64>> {
    (0..count).map(|_| draw(rng, len, -1.0, 2.0)).collect()
}

#[test]
fn weight_norm_backward_is_the_derivative_of_weight_norm() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(61));
    for axis in [FilterAxis::Rows, FilterAxis::Columns] {
        let (count, len) = (3, 7);
        let (v, dw, g) = (draws(&mut rng, count, len), draws(&mut rng, count, len), draw(&mut rng, count, 0.5, 2.0));
        let (mut inverse, mut dv, mut dg, mut slack) = (vec![], vec![], vec![], 0.0f64);
        for f in 0..count {
            let loss = |v: &[f64], g: f64| dot(&cpu::weight_norm(v, g).0, &dw[f]);
            let (by_v, by_g) = (gradient(&v[f], |v| loss(v, g[f])), slope(g[f], |g| loss(&v[f], g)));
            let exact = cpu::weight_norm_backward(&v[f], &dw[f], g[f], cpu::weight_norm(&v[f], g[f]).1);
            near("weight_norm_backward: dv", &exact.0, &by_v, |_| TOLERANCE);
            near("weight_norm_backward: dg", &[exact.1], &[by_g], |_| TOLERANCE);
            inverse.push(DType::F32.nearest(cpu::weight_norm(&v[f], g[f]).1));
            let given = cpu::weight_norm_backward(&v[f], &dw[f], g[f], inverse[f]);
            slack = slack.max(furthest(&given.0, &by_v)).max((given.1 - by_g).abs());
            dv.push(by_v);
            dg.push(by_g);
        }
        let (rows, cols) = matrix(count, len, axis);
        let op = ops::WeightNormBackward::from(ops::WeightNorm { axis, ..ops::WeightNorm::new(DType::F32, rows, cols) });
        let zeros = [rows * cols, count].map(|n| f32s(&vec![0.0; n]));
        let mut data = vec![f32s(&laid(&v, axis)), f32s(&laid(&dw, axis)), f32s(&g), f32s(&inverse)];
        data.extend(zeros);
        gpu_near(&session, &op, &data, &[laid(&dv, axis), dg], |_, _| slack);
    }
}

#[test]
fn weight_standardization_backward_is_the_derivative_of_weight_standardization() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(62));
    let forms = [
        (StandardForm::Inside, 1e-3),
        (StandardForm::Outside, 1e-1),
        (StandardForm::FanInFloor, 1e-4),
        // More than any spread here: the floor.
        (StandardForm::FanInFloor, 50.0),
        (StandardForm::FanInInside, 1e-3),
    ];
    for (i, (form, eps)) in forms.into_iter().enumerate() {
        for (axis, variance) in [(FilterAxis::Rows, RunningVariance::Unbiased), (FilterAxis::Columns, RunningVariance::Biased)] {
            let (count, len, unbiased) = (3, 7, variance == RunningVariance::Unbiased);
            let has_gain = i != 0;
            let (x, dy) = (draws(&mut rng, count, len), draws(&mut rng, count, len));
            let gain = if has_gain { draw(&mut rng, count, 0.5, 2.0) } else { vec![1.0; count] };
            let (mut statistics, mut dx, mut dgain, mut slack) = ([(); 3].map(|()| vec![]), vec![], vec![], 0.0f64);
            for f in 0..count {
                let of = |x: &[f64], gain: f64| cpu::weight_standardization(x, gain, form, unbiased, eps);
                let by_x = gradient(&x[f], |x| dot(&of(x, gain[f]).0, &dy[f]));
                let by_gain = slope(gain[f], |gain| dot(&of(&x[f], gain).0, &dy[f]));
                let (_, mean, r, s) = of(&x[f], gain[f]);
                let exact = cpu::weight_standardization_backward(&x[f], &dy[f], gain[f], [mean, r, s]);
                near(&format!("weight_standardization_backward, {form:?}: dx"), &exact.0, &by_x, |_| TOLERANCE);
                near(&format!("weight_standardization_backward, {form:?}: dgain"), &[exact.1], &[by_gain], |_| TOLERANCE);
                let saved = [mean, r, s].map(|v| DType::F32.nearest(v));
                let given = cpu::weight_standardization_backward(&x[f], &dy[f], gain[f], saved);
                slack = slack.max(furthest(&given.0, &by_x)).max((given.1 - by_gain).abs());
                statistics.iter_mut().zip(saved).for_each(|(all, v)| all.push(v));
                dx.push(by_x);
                dgain.push(by_gain);
            }
            let (rows, cols) = matrix(count, len, axis);
            let base = ops::WeightStandardization::new(DType::F32, rows, cols);
            let op = ops::WeightStandardizationBackward::from(ops::WeightStandardization { axis, gain: has_gain, ..base });
            let mut data = vec![f32s(&laid(&x, axis)), f32s(&laid(&dy, axis))];
            data.extend(statistics.iter().map(|v| f32s(v)));
            let mut want = vec![laid(&dx, axis)];
            if has_gain {
                data.push(f32s(&gain));
                want.push(dgain);
            }
            data.extend(want.iter().map(|w| f32s(&vec![0.0; w.len()])));
            gpu_near(&session, &op, &data, &want, |_, _| slack);
        }
    }
}
