/// Gradients of one channel, of which a mask keeps some values: (dx, dγ, dβ), dx being 0 where it does not.
///
/// Over the m values that are kept, dβ = Σdy, dγ = Σdy·x̂, dx = γ·rstd·(dy - (dβ + x̂·dγ)/m).
pub fn batch_norm_masked_backward(
    x: &[f64],
    dy: &[f64],
    kept: &[bool],
    [mean, rstd]: [f64; 2],
    weight: f64,
) -> (Vec<f64>, f64, f64) {
    let all: Vec<(f64, f64)> = x.iter().zip(dy).zip(kept).filter(|v| *v.1).map(|((x, dy), _)| ((x - mean) * rstd, *dy)).collect();
    let m = all.len() as f64;
    let (dweight, dbias) = all.iter().fold((0.0, 0.0), |(w, b), (xhat, dy)| (w + dy * xhat, b + dy));
    let mut rest = all.iter();
    let dx = kept.iter().map(|kept| match kept {
        true => rest.next().map_or(0.0, |(xhat, dy)| weight * rstd * (dy - (dbias + xhat * dweight) / m)),
        false => 0.0,
    });
    (dx.collect(), dweight, dbias)
}
