/// What the weights of a unit are multiplied by so that their norm is 1.
pub fn unit_norm(eps: f64, norm: f64) -> f64 {
    1.0 / (eps + norm)
}
