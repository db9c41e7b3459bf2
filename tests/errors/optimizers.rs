//! Scalars of the optimizers.
use super::{op, refused};
use ridgepole::{DType, ElasticNet, Group, Op, ops::*};

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
        (sgd(|o| o.momentum = 1.5), "sgd: `momentum` is 1.5, must be finite in f32 and in 0..=1"),
        (sgd(|o| o.momentum = f64::NAN), "sgd: `momentum` is NaN, must be finite in f32 and in 0..=1"),
        (sgd(|o| o.dampening = -1.0), "sgd: `dampening` is -1, must be finite in f32 and in 0..=1"),
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
        (adamw(|o| o.beta2 = f64::NAN), "adamw: `beta2` is NaN, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.beta2 = 0.99999999), "adamw: `beta2` is 0.99999999, must be at least 0 and, in f32, below 1"),
        (adamw(|o| o.eps = -1e-8), "adamw: `eps` is -0.00000001, must be finite in f32 and at least 0"),
        (adamw(|o| o.eps = f64::NAN), "adamw: `eps` is NaN, must be finite in f32 and at least 0"),
        (adamw(|o| o.grad_scale = f64::NAN), "adamw: `grad_scale` is NaN, must be finite in f32"),
    ]);
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
fn scalars_of_rmsprop() {
    refused(&[
        (rmsprop(|o| o.lr = -2.0), "rmsprop: `lr` is -2, must be finite in f32 and at least 0"),
        (rmsprop(|o| o.alpha = 1.0), "rmsprop: `alpha` is 1, must be at least 0 and, in f32, below 1"),
        (rmsprop(|o| o.eps = f64::NAN), "rmsprop: `eps` is NaN, must be finite in f32 and at least 0"),
        (rmsprop(|o| o.momentum = 1.5), "rmsprop: `momentum` is 1.5, must be finite in f32 and in 0..=1"),
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
}
