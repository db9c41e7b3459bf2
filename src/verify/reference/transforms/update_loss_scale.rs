/// What moves a loss scale, and between which bounds.
#[derive(Clone, Copy, Debug)]
pub struct LossScaling {
    /// What the scale is multiplied with after enough steps without overflow.
    pub growth_factor: f64,
    /// What it is multiplied with after an overflow.
    pub backoff_factor: f64,
    /// How many steps are enough.
    pub growth_interval: u32,
    /// It backs off no further than this.
    pub min: Option<f64>,
    /// It grows no further than this.
    pub max: Option<f64>,
}

/// The next (scale, steps without overflow) of a loss scale. Growth past the range of f32 does not take place.
pub fn update_loss_scale(rule: &LossScaling, scale: f64, tracker: u32, found: bool) -> (f64, u32) {
    if found {
        let less = scale * rule.backoff_factor;
        return (rule.min.filter(|min| less < *min).unwrap_or(less), 0);
    }
    let steps = u64::from(tracker) + 1;
    if steps < u64::from(rule.growth_interval) {
        return (scale, steps as u32);
    }
    let more = scale * rule.growth_factor;
    match rule.max {
        Some(max) if more > max => (max, 0),
        None if more > f64::from(f32::MAX) => (scale, 0),
        _ => (more, 0),
    }
}
