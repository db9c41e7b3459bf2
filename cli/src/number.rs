//! Numbers as people read them: with the digits that matter, whatever their magnitude. Everything that is printed or drawn for people uses
//! these; files for programs have every digit.

/// With this many significant digits, as a decimal where that is short, else with a power of ten.
pub(crate) fn significant(v: f64, digits: usize) -> String {
    if v == 0.0 || !v.is_finite() {
        return if v == 0.0 { "0".into() } else { v.to_string() };
    }
    let digits = digits.max(1);
    // Rounding may carry into a new digit: the exponent is that of the rounded number.
    let rounded = format!("{v:.*e}", digits - 1);
    let exponent = exponent(&rounded);
    if plain(exponent) { format!("{v:.*}", (digits as i32 - 1 - exponent).max(0) as usize) } else { rounded }
}

/// With so many decimals, as numbers that are compared with each other have; with two significant digits where those would not be enough.
pub(crate) fn decimals(v: f64, decimals: i32) -> String {
    let enough = v == 0.0 || (10f64.powi(1 - decimals)..1e7).contains(&v.abs());
    if enough { format!("{v:.*}", decimals.max(0) as usize) } else { significant(v, 2) }
}

/// The shortest text that reads back as the same number: what a user typed, or can type.
pub(crate) fn exact(v: f64) -> String {
    let text = format!("{v:?}");
    text.strip_suffix(".0").map_or(text.clone(), String::from)
}

/// A mean and how far it is uncertain, to the same decimal place: that of the mean's last of `digits` significant digits, or of the
/// second one of the spread, whichever is further. Only a spread of less than a thousandth of that has digits of its own.
pub(crate) fn pair(mean: f64, spread: f64, digits: usize) -> String {
    if !mean.is_finite() {
        return mean.to_string();
    }
    if !spread.is_finite() {
        return format!("{} ± {spread}", significant(mean, digits));
    }
    let spread = spread.abs();
    let largest = mean.abs().max(spread);
    if largest == 0.0 {
        return "0 ± 0".into();
    }
    let top = magnitude(largest, digits);
    let mut last = top + 1 - digits.max(1) as i32;
    let mut own = None;
    if spread > 0.0 {
        let second = magnitude(spread, 2) - 1;
        if second < last - 3 { own = Some(significant(spread, 2)) } else { last = last.min(second) }
    }
    // One power of ten for both.
    let power = if plain(top) { 0 } else { top };
    let decimals = (power - last).max(0) as usize;
    let text = |v: f64| match power {
        0 => format!("{v:.decimals$}"),
        _ => format!("{:.decimals$}e{power}", scaled(v, -power)),
    };
    let own = own.unwrap_or_else(|| if spread == 0.0 { "0".into() } else { text(spread) });
    format!("{} ± {own}", text(mean))
}

/// Several numbers that are compared, all to the place at which `precision` has two units or more, and with one power of ten: so that
/// they can be subtracted by eye. `least`: decimals that they have at least where they are written out.
pub(crate) fn alike<const N: usize>(values: [f64; N], precision: f64, least: usize) -> [String; N] {
    let largest = values.iter().filter(|v| v.is_finite()).fold(0.0, |most: f64, v| most.max(v.abs()));
    let top = magnitude(largest, 2);
    let known = precision > 0.0 && precision.is_finite();
    // No more than six digits.
    let last = if known { magnitude(0.5 * precision, 1).max(top - 5) } else { top - 2 };
    let power = if largest == 0.0 || plain(top) { 0 } else { top };
    let decimals = ((power - last).max(0) as usize).max(if power == 0 { least } else { 0 });
    values.map(|v| {
        let text = match power {
            0 => format!("{v:.decimals$}"),
            _ if v.is_finite() => format!("{:.decimals$}e{power}", scaled(v, -power)),
            _ => v.to_string(),
        };
        // What is rounded to 0 has no sign.
        if nothing(&text) { text.trim_start_matches('-').into() } else { text }
    })
}

/// Whether a number was rounded to 0.
fn nothing(text: &str) -> bool {
    let digits = text.split('e').next().unwrap_or(text);
    digits.chars().all(|c| matches!(c, '0' | '.' | '-'))
}

/// With its sign, as a difference is written: "+1.2"; 0 has none.
pub(crate) fn signed(text: &str) -> String {
    let positive = text.starts_with(|c: char| c.is_ascii_digit()) && !nothing(text);
    if positive { format!("+{text}") } else { text.into() }
}

/// [`pair`], or the mean alone where there is one value, which has no spread.
pub(crate) fn of_values(mean: f64, spread: f64, digits: usize, values: usize) -> String {
    if values == 1 { significant(mean, digits) } else { pair(mean, spread, digits) }
}

/// A share as a percentage with three significant digits: "12.3 %", "0.00100 %".
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", significant(100.0 * share, 3))
}

/// The power of ten of a number that is rounded to so many digits.
fn magnitude(v: f64, digits: usize) -> i32 {
    exponent(&format!("{v:.*e}", digits.max(1) - 1))
}

fn exponent(scientific: &str) -> i32 {
    scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

/// Whether a number of this power of ten is written out.
fn plain(exponent: i32) -> bool {
    (-4..7).contains(&exponent)
}

/// Times a power of ten, which may itself be no number that is finite.
fn scaled(v: f64, power: i32) -> f64 {
    let half = power / 2;
    v * 10f64.powi(half) * 10f64.powi(power - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let all = [0.0, 1.0, -0.099_96, 123.4, 98_765.4, 1e9, 1.234e-5, f64::NAN, 5e-324, f64::MAX].map(|v| significant(v, 3));
        assert_eq!(all, ["0", "1.00", "-0.100", "123", "98765", "1.00e9", "1.23e-5", "NaN", "4.94e-324", "1.80e308"]);
        assert_eq!([0.5, 1.0, 0.0, 1e-7].map(percent), ["50.0 %", "100 %", "0 %", "1.00e-5 %"]);
    }

    #[test]
    fn decimals_are_enough_or_give_way() {
        assert_eq!(
            [0.909, 2.0, 0.0, 0.001_23, 1.2e9, 0.1].map(|v| decimals(v, 2)),
            ["0.91", "2.00", "0.00", "0.0012", "1.2e9", "0.10"]
        );
    }

    #[test]
    fn a_mean_and_its_spread_have_matching_digits() {
        let all = [
            (91.234, 0.456),
            (0.023_456, 0.001_2),
            (1.234e-10, 4.5e-12),
            (1.234e37, 4.5e35),
            (0.0, 0.5),
            (0.001, 0.5),
            (100.0, 0.0),
            (0.0, 0.0),
            (9.996, 0.2),
            (-3.0, 0.004),
            (1.0, 1e-9),
            (5e-324, 0.0),
            (f64::MAX, 1e307),
            (f64::NAN, f64::NAN),
        ];
        let said = [
            "91.23 ± 0.46",
            "0.0235 ± 0.0012",
            "1.234e-10 ± 0.045e-10",
            "1.234e37 ± 0.045e37",
            "0.000 ± 0.500",
            "0.001 ± 0.500",
            "100 ± 0",
            "0 ± 0",
            "10.00 ± 0.20",
            "-3.0000 ± 0.0040",
            "1.00 ± 1.0e-9",
            "4.94e-324 ± 0",
            "1.80e308 ± 0.10e308",
            "NaN",
        ];
        for ((mean, spread), said) in all.into_iter().zip(said) {
            assert_eq!(pair(mean, spread, 3), said);
        }
        assert_eq!([1, 2].map(|n| of_values(0.123_456, 0.0, 3, n)), ["0.123", "0.123 ± 0"]);
    }

    #[test]
    fn numbers_that_are_compared_have_one_place() {
        assert_eq!(alike([71.234, 84.0, 12.766, -0.04], 1.61, 1), ["71.2", "84.0", "12.8", "0.0"]);
        assert_eq!(alike([71.234, 84.0], 12.0, 1), ["71.2", "84.0"]);
        assert_eq!(alike([71.234, 84.0], 12.0, 0), ["71", "84"]);
        assert_eq!(alike([1.27, -0.34], 0.53, 1), ["1.3", "-0.3"]);
        assert_eq!(alike([1.27, -0.34], 0.153, 1), ["1.27", "-0.34"]);
        assert_eq!(alike([71.234_56, 0.003], 1e-9, 1), ["71.2346", "0.0030"]);
        assert_eq!(alike([1.234e30, -2e29], 3e28, 1), ["1.23e30", "-0.20e30"]);
        assert_eq!(alike([1.234e-30, 0.0], 3e-31, 1), ["1.2e-30", "0.0e-30"]);
        assert_eq!(alike([123_456.0, 3.2], 2_000.0, 0), ["123456", "3"]);
        assert_eq!(alike([0.32, -0.21], 0.53, 1), ["0.3", "-0.2"]);
        assert_eq!(alike([0.0, 0.0], 0.0, 1), ["0.00", "0.00"]);
        assert_eq!(alike([f64::NAN, 1.0], f64::NAN, 1), ["NaN", "1.00"]);
        assert_eq!(alike([f64::INFINITY, 1e300], f64::NAN, 1), ["inf", "1.00e300"]);
        assert_eq!(
            ["1.2", "-1.2", "0.0", "0.00e-30", "1e-30", "NaN"].map(signed),
            ["+1.2", "-1.2", "0.0", "0.00e-30", "+1e-30", "NaN"]
        );
    }

    #[test]
    fn no_magnitude_loses_its_digits() {
        for e in -320..308 {
            let v = 1.234_567 * 10f64.powi(e / 2) * 10f64.powi(e - e / 2);
            let text = pair(v, 0.01 * v, 3);
            let numbers: Vec<f64> = text.split(" ± ").map(|t| t.parse().unwrap()).collect();
            // Below the least normal number an f64 itself has fewer digits.
            let near = |a: f64, b: f64, by: f64| (a - b).abs() <= by * b + 1e-322;
            assert!(near(numbers[0], v, 0.005) && near(numbers[1], 0.01 * v, 0.06), "{v:e}: {text}");
        }
    }

    #[test]
    fn what_was_typed_can_be_typed_again() {
        let all = [0.1, 1.0, 1e-30, 1e37, 0.002, -0.0, 1e-5];
        assert_eq!(all.map(exact), ["0.1", "1", "1e-30", "1e37", "0.002", "-0", "1e-5"]);
        assert!(all.iter().all(|v| exact(*v).parse::<f64>().unwrap().to_bits() == v.to_bits()));
    }
}
