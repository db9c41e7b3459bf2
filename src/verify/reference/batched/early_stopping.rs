/// What is known of one model: its best loss, the epoch of that, the epochs waited since, and the status: 0 going on, 1 improved just
/// now, 2 stopped.
pub type Stopping = [f64; 4];

/// The state after an epoch whose loss is `loss`.
pub fn early_stopping(state: Stopping, loss: f64, epoch: f64, patience: f64, min_delta: f64) -> Stopping {
    let [best, at, waited, status] = state;
    if status == 2.0 {
        state
    } else if loss < best - min_delta {
        [loss, epoch, 0.0, 1.0]
    } else {
        [best, at, waited + 1.0, if waited + 1.0 >= patience { 2.0 } else { 0.0 }]
    }
}
