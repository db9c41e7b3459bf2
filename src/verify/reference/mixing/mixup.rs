/// own·x + rest·z for an element and its partner's; own is λ and rest 1 - λ. What has no share does not count, whatever it is.
pub fn mixup(x: f64, own: f64, z: f64, rest: f64) -> f64 {
    let ours = if own == 0.0 { 0.0 } else { own * x };
    let theirs = if rest == 0.0 { 0.0 } else { rest * z };
    ours + theirs
}
