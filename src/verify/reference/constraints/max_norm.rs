/// What the weights of a unit are multiplied by so that their norm is at most `max`: `max` / (norm + `eps`) if it is larger, else 1;
/// or, `always`, min(norm, `max`) / (norm + `eps`) in either case.
pub fn max_norm(max: f64, eps: f64, always: bool, norm: f64) -> f64 {
    if !always && norm <= max { 1.0 } else { norm.min(max) / (norm + eps) }
}
