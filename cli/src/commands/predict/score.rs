//! How far predictions are from a target that the table has.
use crate::{
    model::{Model, Predicted},
    number::{percent, significant},
    text::{count, quoted},
};

/// What the errors are, and which rows have nothing to compare with; `target` has a number, or the place of a class, for each row.
pub fn lines(model: &Model, predicted: &Predicted, target: &[Option<f64>], lines: &[usize]) -> Vec<String> {
    let name = quoted(&model.target);
    let known: Vec<(usize, f64)> = target.iter().enumerate().filter_map(|(i, v)| Some((i, (*v)?))).collect();
    let mut out = Vec::new();
    if let Some(first) = target.iter().position(Option::is_none) {
        let none = target.len() - known.len();
        let what = if model.classes.is_some() { "class that the model knows" } else { "number" };
        out.push(format!(
            "notice: {} no {what} in column {name}, the first in line {}: the error is that of the others",
            if none == 1 { "1 row has".into() } else { format!("{none} rows have") },
            lines[first]
        ));
    }
    if known.is_empty() {
        return out;
    }
    let n = known.len() as f64;
    let mean = |of: &dyn Fn(usize, f64) -> f64| known.iter().map(|&(i, y)| of(i, y)).sum::<f64>() / n;
    let rows = count(known.len(), "row");
    out.push(match &predicted.class {
        None => {
            let mse = mean(&|i, y| (y - predicted.response[i]).powi(2));
            format!(
                "column {name} is in the table: mean squared error {}, its root {}, in {rows}",
                significant(mse, 6),
                significant(mse.sqrt(), 6)
            )
        }
        Some(class) => {
            let right = mean(&|i, y| f64::from(u8::from(f64::from(class[i]) == y)));
            let loss = mean(&|i, y| loss(&predicted.link[i * predicted.links..][..predicted.links], y as usize));
            format!(
                "column {name} is in the table: accuracy {}, mean loss {} nats, in {rows}",
                percent(right),
                significant(loss, 6)
            )
        }
    });
    out
}

/// Minus the logarithm of the probability of a class, from log odds of the second of two, or from a logit for each: without the digits that
/// a probability near 0 or 1 has lost.
fn loss(link: &[f64], class: usize) -> f64 {
    let logits = if let [odds] = link { &[0.0, *odds] } else { link };
    let most = logits.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    let sum: f64 = logits.iter().map(|v| (v - most).exp()).sum();
    most - logits[class] + sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_has_its_digits_at_any_odds() {
        for (link, class, expected) in
            [(&[0.0][..], 0, 2f64.ln()), (&[800.0], 0, 800.0), (&[800.0], 1, 0.0), (&[-2.0], 1, (1.0 + 2f64.exp()).ln())]
        {
            assert!((loss(link, class) - expected).abs() < 1e-14 * expected.max(1.0), "{link:?}");
        }
        assert!((loss(&[1.0, 2.0, 3.0], 2) - (1.0 + (-1f64).exp() + (-2f64).exp()).ln()).abs() < 1e-15);
    }
}
