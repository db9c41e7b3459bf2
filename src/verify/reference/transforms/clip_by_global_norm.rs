/// One gradient of many, whose common norm gives `factor`; `zeroed` where a norm that is not finite makes all of them 0.
pub fn clip_by_global_norm(factor: f64, zeroed: bool, g: f64) -> f64 {
    if zeroed { 0.0 } else { factor * g }
}
