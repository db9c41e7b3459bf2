/// The equal average of `averaged` + 1 weights, from that of the first ones and the last.
pub fn swa(averaged: u64, average: f64, w: f64) -> f64 {
    if averaged == 0 { w } else { average + (w - average) / (averaged as f64 + 1.0) }
}
