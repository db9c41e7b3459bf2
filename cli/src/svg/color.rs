//! The scale of a heat map: one hue, perceptually even steps of lightness (Oklch, Ottosson 2020), and the colour of the text on it.

/// Lightness and chroma at the pale and at the deep end.
const ENDS: [[f64; 2]; 2] = [[0.94, 0.028], [0.38, 0.105]];
/// Blue, in radians.
const HUE: f64 = 4.35;

/// The colour at a share from 0, pale, to 1, deep: linear red, green and blue, from 0 to 1.
pub(super) fn ramp(share: f64) -> [f64; 3] {
    let at = |i: usize| ENDS[0][i] + share.clamp(0.0, 1.0) * (ENDS[1][i] - ENDS[0][i]);
    let (lightness, a, b) = (at(0), at(1) * HUE.cos(), at(1) * HUE.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ]
}

/// As HTML.
pub(super) fn hex(linear: [f64; 3]) -> String {
    let byte = |v: f64| {
        let v = v.clamp(0.0, 1.0);
        let encoded = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (255.0 * encoded).round() as u8
    };
    let [r, g, b] = linear.map(byte);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Relative luminance, after WCAG 2.
fn luminance([r, g, b]: [f64; 3]) -> f64 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Whether black has more contrast here than white.
pub(super) fn dark_text(linear: [f64; 3]) -> bool {
    let y = luminance(linear) + 0.05;
    y / 0.05 > 1.05 / y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_a_colour_of_the_screen_and_gets_deeper() {
        let all: Vec<[f64; 3]> = (0..=100).map(|i| ramp(f64::from(i) / 100.0)).collect();
        assert!(all.iter().flatten().all(|v| (0.0..=1.0).contains(v)), "nothing is clamped");
        assert!(all.windows(2).all(|w| luminance(w[1]) < luminance(w[0])));
        assert_eq!((hex([0.0; 3]), hex([1.0; 3])), ("#000000".into(), "#ffffff".into()));
    }

    #[test]
    fn text_is_read_on_all_of_it() {
        for i in 0..=100 {
            let c = ramp(f64::from(i) / 100.0);
            let y = luminance(c) + 0.05;
            let contrast = if dark_text(c) { y / 0.05 } else { 1.05 / y };
            assert!(contrast >= 4.5, "{i}: {contrast}");
        }
    }
}
