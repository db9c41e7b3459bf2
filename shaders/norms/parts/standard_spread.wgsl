// What weight standardization divides by. Parameters: divisor, fan, inside, outside, least, form.
//!use lib/channels/inverse_std
const OUTSIDE: u32 = 1u;

// 1 / deviation, and -2 / (divisor * rstd^2) times its derivative by the variance.
fn spread(variance: f32) -> vec2<f32> {
    if params.form == OUTSIDE {
        // The deviation without a root of 0, which not every device has.
        let inverse = inverse_std(variance, 0.0);
        let deviation = variance * inverse + params.outside;
        let none = deviation < 1.17549435e-38;
        return vec2<f32>(select(1.0 / select(deviation, 1.0, none), 0.0, none), inverse / params.divisor);
    }
    let scaled = params.fan * variance;
    let rstd = inverse_std(max(scaled, params.least), params.inside);
    // Below the least, the variance has no say.
    return vec2<f32>(rstd, select(0.0, params.fan * (rstd / params.divisor), scaled >= params.least));
}
