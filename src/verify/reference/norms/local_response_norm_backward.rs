use super::response_denominator;

/// The gradient of local response normalisation for the channels of one position.
///
/// With d the denominators: dxᵢ = dyᵢ·dᵢ^-β - 2·a·β·xᵢ·Σⱼ dyⱼ·xⱼ·dⱼ^(-β-1) over the j whose neighbourhood holds i; 0 for a d of 0.
pub fn local_response_norm_backward(x: &[f64], dy: &[f64], sides: [usize; 2], k: f64, a: f64, beta: f64) -> Vec<f64> {
    let d: Vec<f64> = (0..x.len()).map(|c| response_denominator(x, c, sides, k, a)).collect();
    let power = |d: f64, e: f64| if d == 0.0 { 0.0 } else { d.powf(-e) };
    let pull = |i: usize| {
        let holds = i.saturating_sub(sides[1])..(i + sides[0] + 1).min(x.len());
        holds.map(|j| dy[j] * x[j] * power(d[j], beta + 1.0)).sum::<f64>()
    };
    (0..x.len()).map(|i| dy[i] * power(d[i], beta) - 2.0 * a * beta * x[i] * pull(i)).collect()
}
