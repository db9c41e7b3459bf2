//! Optimizers: their scalars, and how weights are kept: masters, averages, rounding at random.
use crate::{op, plain_gpu, refused, text};
use ridgepole::{Averaging, Caps, DType, ElasticNet, EpsPlace, Group, Key, NonFinite, Op, Rounding, ops::*};

fn sgd(change: impl FnOnce(&mut Sgd)) -> Box<dyn Op> {
    let mut it = Sgd::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn adamw(change: impl FnOnce(&mut Adamw)) -> Box<dyn Op> {
    let mut it = Adamw::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn adam(change: impl FnOnce(&mut Adam)) -> Box<dyn Op> {
    let mut it = Adam::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn adamax(change: impl FnOnce(&mut Adamax)) -> Box<dyn Op> {
    let mut it = Adamax::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn nadam(change: impl FnOnce(&mut Nadam)) -> Box<dyn Op> {
    let mut it = Nadam::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn lion(change: impl FnOnce(&mut Lion)) -> Box<dyn Op> {
    let mut it = Lion::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn rmsprop(change: impl FnOnce(&mut RmsProp)) -> Box<dyn Op> {
    let mut it = RmsProp::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn adagrad(change: impl FnOnce(&mut Adagrad)) -> Box<dyn Op> {
    let mut it = Adagrad::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn ftrl(change: impl FnOnce(&mut Ftrl)) -> Box<dyn Op> {
    let mut it = Ftrl::new(DType::F32, 4, 0.1);
    change(&mut it);
    op(it)
}

fn group(change: impl FnOnce(&mut Group)) -> Vec<Group> {
    let mut bad = Group::default();
    change(&mut bad);
    vec![Group::default(), bad]
}

#[test]
fn scalars_of_sgd() {
    refused(&[
        (sgd(|o| o.step = 0), "sgd: `step` is 0, must be at least 1: steps are counted from 1"),
        (sgd(|o| o.lr = -0.1), "sgd: `lr` is -0.1, must be finite in f32 and at least 0"),
        (sgd(|o| o.lr = f64::NAN), "sgd: `lr` is NaN, must be finite in f32 and at least 0"),
        (sgd(|o| o.lr = 1e39), "sgd: `lr` is 1000000000000000000000000000000000000000, must be finite in f32 and at least 0"),
        (sgd(|o| o.lr = 1e300), &format!("sgd: `lr` is {}, must be finite in f32 and at least 0", 1e300)),
        (sgd(|o| o.momentum = 1.5), "sgd: `momentum` is 1.5, must be finite in f32 and in 0..=1"),
        (sgd(|o| o.momentum = f64::NAN), "sgd: `momentum` is NaN, must be finite in f32 and in 0..=1"),
        (sgd(|o| o.dampening = -1.0), "sgd: `dampening` is -1, must be finite in f32 and in 0..=1"),
        (sgd(|o| (o.momentum, o.dampening) = (0.9, -1.0)), "sgd: `dampening` is -1, must be finite in f32 and in 0..=1"),
        (sgd(|o| o.dampening = 0.5), "sgd: `dampening` is 0.5, must be 0 without momentum and with nesterov"),
        (sgd(|o| o.nesterov = true), "sgd: `nesterov` is true and momentum is 0: give a momentum, or leave nesterov out"),
        (
            sgd(|o| (o.nesterov, o.momentum, o.dampening) = (true, 0.9, 0.5)),
            "sgd: `dampening` is 0.5, must be 0 without momentum and with nesterov",
        ),
        (sgd(|o| o.grad_scale = f64::NAN), "sgd: `grad_scale` is NaN, must be finite in f32"),
        (sgd(|o| o.grad_scale = f64::INFINITY), "sgd: `grad_scale` is inf, must be finite in f32"),
    ]);
}

#[test]
fn scalars_of_adamw() {
    refused(&[
        (adamw(|o| o.step = 0), "adamw: `step` is 0, must be at least 1: steps are counted from 1"),
        (adamw(|o| o.lr = f64::NAN), "adamw: `lr` is NaN, must be finite in f32 and at least 0"),
        (adamw(|o| o.beta1 = 1.0), "adamw: `beta1` is 1, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta1 = -0.1), "adamw: `beta1` is -0.1, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta1 = f64::NAN), "adamw: `beta1` is NaN, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta2 = -0.1), "adamw: `beta2` is -0.1, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta2 = f64::NAN), "adamw: `beta2` is NaN, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta2 = 0.99999999), "adamw: `beta2` is 0.99999999, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta2 = 0.999999999), "adamw: `beta2` is 0.999999999, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.eps = -1e-8), "adamw: `eps` is -0.00000001, must be finite in f32 and at least 0"),
        (adamw(|o| o.eps = f64::NAN), "adamw: `eps` is NaN, must be finite in f32 and at least 0"),
        (adamw(|o| o.grad_scale = f64::NAN), "adamw: `grad_scale` is NaN, must be finite in f32"),
        (adamw(|o| (o.gpu_step, o.step) = (true, 7)), "adamw: `step` is 7, must be 1 with gpu_step: the argument steps counts"),
        (adamw(|o| (o.gpu_step, o.step) = (true, 0)), "adamw: `step` is 0, must be 1 with gpu_step: the argument steps counts"),
    ]);
}

/// Inside the root, eps stands beside a moment that is not corrected: what is left of it there must be a number for every device.
#[test]
fn eps_inside_the_root_is_no_less_than_a_device_holds() {
    let inside = |eps, step, gpu_step| Adamw {
        eps,
        eps_place: EpsPlace::InsideRoot,
        beta2: 0.75,
        step,
        gpu_step,
        ..Adamw::new(DType::F32, 4, 0.1)
    };
    let why = "adamw: `eps` is 1e-37 with inside_root: eps · (1 - beta2^step) is 2.5e-38, must be 0 or at least 4.71e-38";
    refused(&[(op(inside(1e-37, 1, false)), why), (op(inside(1e-37, 1, true)), why)]);
    for fine in [inside(1e-37, 100, false), inside(2e-37, 1, true), inside(0.0, 1, false), inside(1e-3, 1, true)] {
        assert!(fine.lower(&plain_gpu()).is_ok(), "{fine:?}");
    }
    refused(&[(op(inside(0.5, 0, false)), "adamw: `step` is 0, must be at least 1: steps are counted from 1")]);
}

#[test]
fn scalars_of_adam() {
    refused(&[
        (adam(|o| o.step = 0), "adam: `step` is 0, must be at least 1: steps are counted from 1"),
        (adam(|o| o.lr = -1.0), "adam: `lr` is -1, must be finite in f32 and at least 0"),
        (adam(|o| o.beta1 = 1.0), "adam: `beta1` is 1, must be at least 0 and, in f32, below 1"),
        (adam(|o| o.beta2 = f64::NAN), "adam: `beta2` is NaN, must be at least 0 and, in f32, below 1"),
        (adam(|o| o.eps = -1.0), "adam: `eps` is -1, must be finite in f32 and at least 0"),
        (adam(|o| o.grad_scale = f64::NAN), "adam: `grad_scale` is NaN, must be finite in f32"),
        (adam(|o| (o.gpu_step, o.step) = (true, 2)), "adam: `step` is 2, must be 1 with gpu_step: the argument steps counts"),
    ]);
}

#[test]
fn scalars_of_lion() {
    refused(&[
        (lion(|o| o.lr = f64::NAN), "lion: `lr` is NaN, must be finite in f32 and at least 0"),
        (lion(|o| o.beta1 = -0.5), "lion: `beta1` is -0.5, must be at least 0 and, in f32, below 1"),
        (lion(|o| o.beta2 = 1.0), "lion: `beta2` is 1, must be at least 0 and, in f32, below 1"),
        (lion(|o| o.grad_scale = f64::NAN), "lion: `grad_scale` is NaN, must be finite in f32"),
    ]);
}

#[test]
fn scalars_of_adamax() {
    refused(&[
        (adamax(|o| o.step = 0), "adamax: `step` is 0, must be at least 1: steps are counted from 1"),
        (adamax(|o| o.lr = -0.1), "adamax: `lr` is -0.1, must be finite in f32 and at least 0"),
        (adamax(|o| o.beta1 = 1.0), "adamax: `beta1` is 1, must be at least 0 and, in f32, below 1"),
        (adamax(|o| o.beta2 = f64::NAN), "adamax: `beta2` is NaN, must be at least 0 and, in f32, below 1"),
        (adamax(|o| o.eps = -1.0), "adamax: `eps` is -1, must be finite in f32 and at least 0"),
    ]);
}

#[test]
fn scalars_of_nadam() {
    refused(&[
        (nadam(|o| o.step = 0), "nadam: `step` is 0, must be at least 1: steps are counted from 1"),
        (nadam(|o| o.lr = f64::NAN), "nadam: `lr` is NaN, must be finite in f32 and at least 0"),
        (nadam(|o| o.beta1 = -0.5), "nadam: `beta1` is -0.5, must be at least 0 and, in f32, below 1"),
        (nadam(|o| o.beta2 = 1.0), "nadam: `beta2` is 1, must be at least 0 and, in f32, below 1"),
        (nadam(|o| o.eps = f64::INFINITY), "nadam: `eps` is inf, must be finite in f32 and at least 0"),
        (nadam(|o| o.momentum_decay = -1.0), "nadam: `momentum_decay` is -1, must be finite in f32 and at least 0"),
    ]);
}

#[test]
fn scalars_of_rmsprop() {
    refused(&[
        (rmsprop(|o| o.lr = -2.0), "rmsprop: `lr` is -2, must be finite in f32 and at least 0"),
        (rmsprop(|o| o.alpha = 1.0), "rmsprop: `alpha` is 1, must be at least 0 and, in f32, below 1"),
        (rmsprop(|o| o.eps = f64::NAN), "rmsprop: `eps` is NaN, must be finite in f32 and at least 0"),
        (rmsprop(|o| o.momentum = 1.5), "rmsprop: `momentum` is 1.5, must be finite in f32 and in 0..=1"),
        (rmsprop(|o| o.nesterov = true), "rmsprop: `nesterov` is true and momentum is 0: give a momentum, or leave nesterov out"),
        (rmsprop(|o| o.grad_scale = f64::INFINITY), "rmsprop: `grad_scale` is inf, must be finite in f32"),
    ]);
}

#[test]
fn scalars_of_adagrad() {
    refused(&[
        (adagrad(|o| o.step = 0), "adagrad: `step` is 0, must be at least 1: steps are counted from 1"),
        (adagrad(|o| o.lr = f64::INFINITY), "adagrad: `lr` is inf, must be finite in f32 and at least 0"),
        (adagrad(|o| o.lr_decay = -0.5), "adagrad: `lr_decay` is -0.5, must be finite in f32 and at least 0"),
        (adagrad(|o| o.eps = -1.0), "adagrad: `eps` is -1, must be finite in f32 and at least 0"),
        (adagrad(|o| o.grad_scale = f64::NAN), "adagrad: `grad_scale` is NaN, must be finite in f32"),
    ]);
}

#[test]
fn scalars_of_ftrl() {
    refused(&[
        (ftrl(|o| o.lr = -1.0), "ftrl: `lr` is -1, must be finite in f32 and at least 0"),
        (ftrl(|o| o.lr = 0.0), "ftrl: `groups` [0]: lr · lr_scale is 0, must be at least 1.2e-38: it is divided by"),
        (ftrl(|o| o.beta = f64::NAN), "ftrl: `beta` is NaN, must be finite in f32 and at least 0"),
        (ftrl(|o| o.grad_scale = f64::NAN), "ftrl: `grad_scale` is NaN, must be finite in f32"),
        (
            ftrl(|o| o.groups = group(|g| g.lr_scale = 0.0)),
            "ftrl: `groups` [1]: lr · lr_scale is 0, must be at least 1.2e-38: it is divided by",
        ),
        (
            ftrl(|o| o.groups = group(|g| g.decay = 0.5)),
            "ftrl: `groups` [1] has decay = 0.5, must be 0: the weight is made anew; use prox or coupled",
        ),
    ]);
}

#[test]
fn settings_of_groups_are_named_by_index() {
    let cases: Vec<(Vec<Group>, &str)> = vec![
        (group(|g| g.lr_scale = -1.0), "`groups` [1] has lr_scale = -1, must be finite and at least 0"),
        (group(|g| g.lr_scale = f64::NAN), "`groups` [1] has lr_scale = NaN, must be finite and at least 0"),
        (group(|g| g.decay = f64::INFINITY), "`groups` [1] has decay = inf, must be finite and at least 0"),
        (group(|g| g.prox = ElasticNet::l1(-1.0)), "`groups` [1] has l1 = -1, must be finite, at least 0 and at most 1e38"),
        (group(|g| g.coupled = ElasticNet::l1(-1.0)), "`groups` [1] has l1 = -1, must be finite, at least 0 and at most 1e38"),
        (group(|g| g.prox = ElasticNet::l1(f64::NAN)), "`groups` [1] has l1 = NaN, must be finite, at least 0 and at most 1e38"),
        (
            group(|g| g.coupled = ElasticNet::weight_decay(-1.0)),
            "`groups` [1] has l2 = -1, must be finite, at least 0 and at most 1e38",
        ),
        (
            group(|g| (g.lr_scale, g.prox) = (1e20, ElasticNet::l1(1e30))),
            "`groups` [1]: a product with lr = 0.1 is past the range of f32 (3.4e38)",
        ),
    ];
    for (groups, want) in cases {
        let (a, b) = (groups.clone(), groups);
        refused(&[(sgd(|o| o.groups = a), &format!("sgd: {want}")), (adamw(|o| o.groups = b), &format!("adamw: {want}"))]);
    }
    let huge = group(|g| g.prox = ElasticNet::l1(1e30));
    refused(&[
        (
            sgd(|o| (o.lr, o.groups) = (1e30, huge)),
            &format!("sgd: `groups` [1]: a product with lr = {} is past the range of f32 (3.4e38)", 1e30),
        ),
        (sgd(|o| o.groups = vec![]), "sgd: `segments` [0] is of group 0, and there are 0 groups"),
    ]);
}

/// Where frameworks would train different things, JSON must say which.
#[test]
fn what_json_must_say() {
    let read = |op: &str, groups: &str, more: &str| {
        let start = r#""dtype": "f32", "segments": [{"start": 0, "len": 8}], "lr": 0.1"#;
        let text = format!(r#"{{"op": "{op}", {start}, "groups": {groups}{more}}}"#);
        ridgepole::ops::from_json(&text).map(|_| ()).map_err(|e| e.to_string())
    };
    let step = r#", "step": 1"#;
    let adamw = "adamw: `groups` [1] has no decay, must have one, at least 0, since frameworks differ (PyTorch: 0.01, optax: 0.0001, \
                 Keras: 0.004); 0 is none";
    assert_eq!(read("adamw", r#"[{"decay": 0.01}, {"lr_scale": 2}]"#, step), Err(adamw.into()));
    let lion = "lion: `groups` [0] has no decay, must have one, at least 0, since frameworks differ (optax: 0.001, Keras: none); 0 is none";
    assert_eq!(read("lion", "[{}]", ""), Err(lion.into()));
    let coupled = |op: &str| {
        format!(
            "{op}: `groups` [0] has coupled.l2 = 0.0001 and no l2_form, must have half (gradient l2·w, PyTorch's and optax' \
             weight_decay) or sum (gradient 2·l2·w, Keras' L2)"
        )
    };
    let groups = |form: &str| format!(r#"[{{"decay": 0, "coupled": {{"l1": 0.1, "l2": 1e-4{form}}}}}]"#);
    let more = |op: &str| match op {
        "sgd" | "adam" | "adamax" | "adamw" | "adagrad" => step,
        _ => r#", "beta": 1"#,
    };
    for op in ["sgd", "adam", "adamax", "adamw", "adagrad", "ftrl"] {
        assert_eq!(read(op, &groups(""), more(op)), Err(coupled(op)));
        for form in ["half", "sum"] {
            assert_eq!(read(op, &groups(&format!(r#", "l2_form": "{form}""#)), more(op)), Ok(()), "{op}, {form}");
        }
    }
    for op in ["lion", "rmsprop"] {
        assert_eq!(read(op, &groups(""), ""), Err(coupled(op)));
    }
    for fine in [r#"[{"coupled": {"l1": 0.1}}]"#, r#"[{"coupled": {"l2": 0}}]"#, r#"[{"prox": {"l2": 0.1}}]"#, "[{}]"] {
        assert_eq!(read("sgd", fine, step), Ok(()), "{fine}");
    }
    let beta = read("ftrl", "[{}]", "").expect_err("no beta");
    assert!(beta.contains("missing field `beta`"), "{beta}");
    // What is no group is refused as such.
    for odd in ["7", "[7]", r#"[{"decay": 0, "coupled": 3}]"#, r#"[{"decay": 0, "coupled": {"l2": "a"}}]"#] {
        let why = read("adamw", odd, step).expect_err(odd);
        assert!(why.starts_with("adamw: invalid type"), "{odd}: {why}");
    }
}

type Make = fn(DType, Option<Averaging>, bool, Rounding) -> Box<dyn Op>;

/// Every optimizer: its name, and how to make it.
const OPTIMIZERS: &[(&str, Make)] = &[
    ("sgd", |dtype, ema, master, rounding| op(Sgd { ema, master, rounding, ..Sgd::new(dtype, 8, 0.1) })),
    ("adam", |dtype, ema, master, rounding| op(Adam { ema, master, rounding, ..Adam::new(dtype, 8, 0.1) })),
    ("adamw", |dtype, ema, master, rounding| op(Adamw { ema, master, rounding, ..Adamw::new(dtype, 8, 0.1) })),
    ("rmsprop", |dtype, ema, master, rounding| op(RmsProp { ema, master, rounding, ..RmsProp::new(dtype, 8, 0.1) })),
    ("adamax", |dtype, ema, master, rounding| op(Adamax { ema, master, rounding, ..Adamax::new(dtype, 8, 0.1) })),
    ("nadam", |dtype, ema, master, rounding| op(Nadam { ema, master, rounding, ..Nadam::new(dtype, 8, 0.1) })),
    ("adagrad", |dtype, ema, master, rounding| op(Adagrad { ema, master, rounding, ..Adagrad::new(dtype, 8, 0.1) })),
    ("lion", |dtype, ema, master, rounding| op(Lion { ema, master, rounding, ..Lion::new(dtype, 8, 0.1) })),
    ("ftrl", |dtype, ema, master, rounding| op(Ftrl { ema, master, rounding, ..Ftrl::new(dtype, 8, 0.1) })),
];

fn stochastic(first_element: u64) -> Rounding {
    Rounding::Stochastic(Key { first_element, ..Key::default() })
}

#[test]
fn masters_averages_and_rounding() {
    let nearest = Rounding::Nearest;
    for (name, make) in OPTIMIZERS {
        let bad = |dtype, ema, master, rounding| text(make(dtype, ema, master, rounding).as_ref());
        assert_eq!(
            bad(DType::F32, None, true, nearest),
            format!("{name}: `master` is true and dtype is f32: such weights need none, leave it out")
        );
        for (decay, shown) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            assert_eq!(
                bad(DType::F32, Some(Averaging::constant(decay)), false, nearest),
                format!("{name}: `ema` has decay {shown}, must be in 0..=1: the share of the old average that remains")
            );
        }
        for (dtype, shown) in [(DType::F32, "F32"), (DType::F16, "F16")] {
            assert_eq!(
                bad(dtype, None, false, stochastic(0)),
                format!("{name}: `rounding` is stochastic and dtype is {shown}, must be bf16")
            );
        }
        assert_eq!(
            bad(DType::Bf16, None, true, stochastic(0)),
            format!("{name}: `rounding` is stochastic and master is true: the master loses nothing, use nearest")
        );
        assert_eq!(
            bad(DType::Bf16, None, false, stochastic(6)),
            format!("{name}: `rounding` has first_element 6, must be a multiple of 4, as the start of a tensor is")
        );
        assert_eq!(
            bad(DType::Bf16, None, false, stochastic(u64::MAX - 3)),
            format!("{name}: `rounding` has first_element 18446744073709551612: with 8 elements it passes 2^64")
        );
        for (dtype, ema, master, rounding) in [
            (DType::F16, Some(Averaging::polyak(0)), true, nearest),
            (DType::Bf16, Some(Averaging::constant(1.0)), false, stochastic(4)),
        ] {
            assert!(make(dtype, ema, master, rounding).lower(&plain_gpu()).is_ok(), "{name}");
        }
    }
}

#[test]
fn more_buffers_than_a_shader_may_have() {
    let (ema, skip) = (Some(Averaging::constant(0.999)), NonFinite::Skip);
    let all = Adam { ema, master: true, amsgrad: true, gpu_scale: true, non_finite: skip, ..Adam::new(DType::F16, 8, 0.1) };
    let why = "adam: not possible on this device: needs 9 storage buffers in a shader (grad, weight, m, v, v_max, master, ema, \
               table, flag), max_storage_buffers_per_shader_stage is 8; leave out ema (which the op `ema` keeps in a pass of its \
               own) or master or amsgrad";
    assert_eq!(text(&all), why);
    // Any of them helps; so does another device.
    for fewer in
        [Adam { ema: None, ..all.clone() }, Adam { master: false, ..all.clone() }, Adam { amsgrad: false, ..all.clone() }]
    {
        assert!(fewer.lower(&plain_gpu()).is_ok(), "{fewer:?}");
    }
    // The counter's corrections lie behind the flag: a buffer more only where no step is skipped.
    let counting = |non_finite| Adamw { ema, master: true, gpu_step: true, non_finite, ..Adamw::new(DType::F16, 8, 0.1) };
    assert!(counting(skip).lower(&plain_gpu()).is_ok());
    let scaled = Adamw { gpu_scale: true, ..counting(NonFinite::Propagate) };
    assert_eq!(
        text(&scaled),
        "adamw: not possible on this device: needs 9 storage buffers in a shader (grad, scale, weight, m, v, master, ema, table, \
         flag), max_storage_buffers_per_shader_stage is 8; leave out ema (which the op `ema` keeps in a pass of its own) or master \
         or gpu_scale or gpu_step"
    );
    assert!(Adamw { gpu_step: false, ..scaled }.lower(&plain_gpu()).is_ok());
    let mut larger: Caps = plain_gpu();
    larger.limits.max_storage_buffers_per_shader_stage = 9;
    assert!(all.lower(&larger).is_ok());
    let rmsprop =
        RmsProp { ema, master: true, centered: true, momentum: 0.9, gpu_scale: true, ..RmsProp::new(DType::Bf16, 8, 0.1) };
    assert_eq!(
        text(&rmsprop),
        "rmsprop: not possible on this device: needs 9 storage buffers in a shader (grad, scale, weight, square_avg, grad_avg, \
         momentum_buffer, master, ema, table), max_storage_buffers_per_shader_stage is 8; leave out ema (which the op `ema` keeps \
         in a pass of its own) or master or centered or momentum or gpu_scale"
    );
    let mut small = plain_gpu();
    small.limits.max_storage_buffers_per_shader_stage = 2;
    assert_eq!(
        Sgd::new(DType::F32, 8, 0.1).lower(&small).expect_err("too small").to_string(),
        "sgd: not possible on this device: needs 3 storage buffers in a shader (grad, weight, table), \
         max_storage_buffers_per_shader_stage is 2"
    );
}
