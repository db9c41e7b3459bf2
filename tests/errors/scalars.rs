//! Numbers that devices do not agree on: below f32's least normal number, and what is derived from fields and falls there. The rule is
//! one, so its words are; here they stand once for each way in which a number is named.
use crate::text;
use ridgepole::ops;

/// What lowering says of an op in JSON.
fn of(json: &str) -> String {
    text(ops::from_json(json).unwrap_or_else(|e| panic!("{json}: {e}")).as_ref())
}

const SMALL: &str = "must be 0 or at least 1.1754944e-38: f32's least normal number, below which devices flush to 0";
const LARGE: &str = "must be finite in f32, whose largest number is 3.4028235e38";

#[test]
fn a_number_below_the_least_normal_one_is_refused_by_the_name_of_its_field() {
    let dropout = r#""dtype": "f32", "space": {"n": 2, "c": 3, "s": 4}, "key": {"seed": 1, "stream": 2, "step": 3}"#;
    let arena = r#""dtype": "f32", "segments": [{"start": 0, "len": 8}]"#;
    for (json, want) in [
        (r#""op": "layer_norm", "dtype": "f32", "rows": 2, "cols": 4, "eps": 1e-38"#.into(), "layer_norm: `eps` is 1e-38"),
        (r#""op": "batch_norm", "dtype": "f32", "space": {"n": 2, "c": 3, "s": 4}, "eps": 5e-324"#.into(), "batch_norm: `eps` is 5e-324"),
        (
            r#""op": "batch_norm", "dtype": "f32", "space": {"n": 2, "c": 3, "s": 4}, "running": {"update": {"momentum": 1e-40}}"#.into(),
            "batch_norm: `running` has momentum 1e-40",
        ),
        (
            r#""op": "batch_norm", "dtype": "f32", "space": {"n": 2, "c": 3, "s": 4}, "activation": {"leaky_relu": {"slope": 1e-39}}"#
                .into(),
            "batch_norm: `activation` has slope 1e-39",
        ),
        (format!(r#""op": "dropout", {dropout}, "p": 1e-300"#), "dropout: `p` is 1e-300"),
        (format!(r#""op": "gaussian_dropout", {dropout}, "p": 1e-46"#), "gaussian_dropout: `p` is 1e-46"),
        (format!(r#""op": "gaussian_noise", {dropout}, "deviation": 1e-46"#), "gaussian_noise: `deviation` is 1e-46"),
        (format!(r#""op": "sgd", {arena}, "groups": [{{}}], "lr": 1e-39, "step": 1"#), "sgd: `lr` is 1e-39"),
        (format!(r#""op": "adamw", {arena}, "groups": [{{"decay": 0}}], "lr": 1, "step": 1, "eps": 1e-39"#), "adamw: `eps` is 1e-39"),
        (format!(r#""op": "lion", {arena}, "groups": [{{"decay": 0}}], "lr": 1, "beta1": 1e-39"#), "lion: `beta1` is 1e-39"),
        (
            format!(r#""op": "sgd", {arena}, "groups": [{{"decay": 1e-39}}], "lr": 1, "step": 1"#),
            "sgd: `groups` [0] has decay = 1e-39",
        ),
        (
            format!(r#""op": "sgd", {arena}, "groups": [{{}}, {{"prox": {{"l1": 1e-39}}}}], "lr": 1, "step": 1"#),
            "sgd: `groups` [1] has l1 = 1e-39",
        ),
        (
            format!(r#""op": "sgd", {arena}, "groups": [{{}}], "lr": 1, "step": 1, "ema": {{"decay": 1e-39}}"#),
            "sgd: `ema` has decay 1e-39",
        ),
        (format!(r#""op": "ema", {arena}, "decay": 1e-39"#), "ema: `decay` is 1e-39"),
        (format!(r#""op": "prox", {arena}, "groups": [{{"l2": 1e-39}}], "step": 1"#), "prox: `groups` [0] has l2 = 1e-39"),
        (format!(r#""op": "prox", {arena}, "groups": [{{}}], "step": 1e-39"#), "prox: `step` is 1e-39"),
        (format!(r#""op": "global_norm", {arena}, "max_norm": 1e-39"#), "global_norm: `max_norm` is 1e-39"),
        (
            r#""op": "mixup", "dtype": "f32", "space": {"n": 1, "c": 3, "s": 4}, "lambda": {"given": [1e-39]}, "key": {"seed": 1, "stream": 2, "step": 3}"#
                .into(),
            "mixup: `lambda` gives [0] = 1e-39",
        ),
        (
            r#""op": "cutout", "dtype": "f32", "space": {"n": 1, "c": 3, "s": 4}, "width": 2, "holes": {"square": 1}, "value": 1e-39, "key": {"seed": 1, "stream": 2, "step": 3}"#
                .into(),
            "cutout: `value` is 1e-39",
        ),
    ] {
        assert_eq!(of(&format!("{{{json}}}")), format!("{want}, {SMALL}"));
    }
    let negative = format!(r#"{{"op": "clip_by_value", {arena}, "min": -1e-40}}"#);
    let want = SMALL.replace("at least 1", "at most -1");
    assert_eq!(of(&negative), format!("clip_by_value: `min` is -1e-40, {want}"));
}

#[test]
fn a_number_that_is_derived_from_fields_is_named_by_its_formula() {
    let arena = r#""dtype": "f32", "segments": [{"start": 0, "len": 8}]"#;
    let space = r#""dtype": "f32", "space": {"n": 2, "c": 3, "s": 4}"#;
    for (json, want, range) in [
        (
            format!(r#""op": "sgd", {arena}, "groups": [{{"lr_scale": 1e-20}}], "lr": 1e-20, "step": 1"#),
            "sgd: `groups` makes [0]: lr · lr_scale = 1e-40",
            SMALL,
        ),
        (
            format!(r#""op": "sgd", {arena}, "groups": [{{"decay": 1e-20}}], "lr": 1e-20, "step": 1"#),
            "sgd: `groups` makes [0]: lr · lr_scale · decay = 1e-40",
            SMALL,
        ),
        (
            format!(r#""op": "sgd", {arena}, "groups": [{{"prox": {{"l1": 1e-20}}}}], "lr": 1e-20, "step": 1"#),
            "sgd: `groups` makes [0]: lr · lr_scale · prox.l1 = 1e-40",
            SMALL,
        ),
        (
            format!(r#""op": "adagrad", {arena}, "groups": [{{}}], "lr": 1e-20, "lr_decay": 1e20, "step": 2"#),
            "adagrad: `lr_decay` makes lr / (1 + (step - 1) · lr_decay) = 1e-40",
            SMALL,
        ),
        (
            format!(r#""op": "ftrl", {arena}, "groups": [{{}}], "beta": 1, "lr": 1.25e38"#),
            "ftrl: `groups` makes [0]: 1 / (lr · lr_scale) = 8e-39",
            SMALL,
        ),
        (
            format!(r#""op": "penalty_grad", {arena}, "groups": [{{"l1": 1e-38}}], "per": {{"batch": 4}}"#)
                .replace("1e-38", "2e-38"),
            "penalty_grad: `groups` makes [0]: l1 of a sample = 5e-39",
            SMALL,
        ),
        (
            format!(r#""op": "penalty", {arena}, "groups": [{{"l2": 2e-38, "l2_form": "half"}}]"#),
            "penalty: `groups` makes [0]: the factor of l2 = 1e-38",
            SMALL,
        ),
        (
            format!(r#""op": "prox", {arena}, "groups": [{{"l1": 1e-20}}], "step": 1e-20"#),
            "prox: `step` makes step · l1 of groups[0] = 1e-40",
            SMALL,
        ),
        (format!(r#""op": "unscale", {arena}, "scale": 1.25e38"#), "unscale: `scale` makes 1 / scale = 8e-39", SMALL),
        (
            format!(
                r#""op": "gradient_noise", {arena}, "level": {{"annealed": {{"eta": 1, "gamma": 100}}}}, "key": {{"seed": 1, "stream": 2, "step": 9}}"#
            ),
            "gradient_noise: `level` makes σ = 1e-50",
            SMALL,
        ),
        (
            r#""op": "mse_loss", "dtype": "f32", "len": 4, "grad_scale": 2e-38"#.into(),
            "mse_loss: `grad_scale` makes grad_scale / len = 5e-39",
            SMALL,
        ),
        (
            r#""op": "cross_entropy", "dtype": "f32", "rows": 2, "classes": 4, "label_smoothing": 2e-38"#.into(),
            "cross_entropy: `label_smoothing` makes label_smoothing / classes = 5e-39",
            SMALL,
        ),
        (
            r#""op": "cross_entropy", "dtype": "f32", "rows": 2, "classes": 4, "z_loss": 2e38"#.into(),
            "cross_entropy: `z_loss` makes 2 · z_loss = 4e38",
            LARGE,
        ),
        (
            format!(r#""op": "batch_renorm", {space}, "running": {{"update": {{"momentum": 0.1}}}}, "r_max": 1.25e38"#),
            "batch_renorm: `r_max` makes 1 / r_max = 8e-39",
            SMALL,
        ),
        (
            r#""op": "weight_standardization", "dtype": "f32", "rows": 2, "cols": 4, "form": "fan_in_inside", "eps": 1e38"#
                .into(),
            "weight_standardization: `eps` makes m · eps = 4e38",
            LARGE,
        ),
        (
            format!(r#""op": "local_response_norm", {space}, "size": 3, "k": 1e-30, "beta": 2"#),
            "local_response_norm: `k` makes k^-beta = 1e60",
            LARGE,
        ),
        (
            format!(r#""op": "local_response_norm_backward", {space}, "size": 3, "k": 1e-20, "beta": 1"#),
            "local_response_norm_backward: `k` makes k^(-beta - 1) = 1e40",
            LARGE,
        ),
        (
            r#""op": "update_loss_scale", "growth_factor": 4, "max": 2e-38"#.into(),
            "update_loss_scale: `max` makes max / growth_factor = 5e-39",
            SMALL,
        ),
    ] {
        let got = of(&format!("{{{json}}}"));
        // The last digit of a quotient is not the text's concern.
        let (what, shown) = want.rsplit_once(" = ").expect("a value");
        let rest = got.strip_prefix(&format!("{what} = ")).unwrap_or_else(|| panic!("{got}\nwant {want}"));
        let (value, rest) = rest.split_once(", which ").unwrap_or_else(|| panic!("{got}"));
        let [value, shown]: [f64; 2] = [value, shown].map(|v| v.parse().expect("a number"));
        assert!((value / shown - 1.0).abs() < 1e-6, "{got}\nwant {want}");
        assert_eq!(rest, range, "{got}");
    }
}

/// A number that only rounds to 1 in f32 loses nothing where the kernel takes 1 less it from the host.
#[test]
fn what_only_rounds_to_one_is_taken() {
    let caps = crate::plain_gpu();
    let arena = r#""dtype": "f32", "segments": [{"start": 0, "len": 8}]"#;
    let keys = r#""key": {"seed": 1, "stream": 2, "step": 3}"#;
    for json in [
        format!(r#"{{"op": "ema", {arena}, "decay": 0.999999999999}}"#),
        format!(r#"{{"op": "dropout", "dtype": "f32", "space": {{"n": 2, "c": 3, "s": 4}}, {keys}, "p": 0.999999999999}}"#),
        format!(r#"{{"op": "sgd", {arena}, "groups": [{{}}], "lr": 1, "step": 2, "momentum": 0.999999999999}}"#),
    ] {
        ops::from_json(&json).expect("an op").lower(&caps).unwrap_or_else(|e| panic!("{json}: {e}"));
    }
}
