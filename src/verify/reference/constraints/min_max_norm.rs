/// What the weights of a unit are multiplied by so that their norm comes nearer to min..max: a share `rate` of the way there.
pub fn min_max_norm(min: f64, max: f64, rate: f64, eps: f64, norm: f64) -> f64 {
    let desired = rate * norm.max(min).min(max) + (1.0 - rate) * norm;
    desired / (eps + norm)
}
