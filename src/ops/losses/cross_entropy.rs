//! Softmax cross-entropy. Kernel: `shaders/losses/cross_entropy.wgsl`. Reference: `cpu::cross_entropy`.
#[cfg(feature = "verify")]
use crate::op::{Expected, Pattern, Rng, Verify};
use crate::{
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    ops::losses::shared,
    options::{LossReduction, Targets, check_derived, check_scalar},
    types::{DType, Error, HostData, Space},
};
use ridgepole_derive::op;

#[cfg(feature = "verify")]
mod cases;
#[cfg(feature = "verify")]
mod expected;
mod steps;

/// Softmax cross-entropy of rows of logits against their targets, and its gradient, in one pass.
///
/// With p = softmax(z) of a row of K logits, the target's shares t (1 for its class, where it is a class), weights w and
/// q_c = w_c·((1-ε)·t_c + ε/K), the loss of a row is (1-p_t)^γ·Σ q_c·(-ln p_c) + r·(λ·(ln Σ exp z)² - β·H(p)). r is the
/// weight of the row: w_t where targets are classes, else 1. H is the entropy, in nats.
///
/// Reads `logits` (rows·classes elements, row after row), `target` (u32\[rows\], or f32\[rows, classes\]: [`Targets`]) and
/// `class_weight` w (f32\[classes\]; absent: 1). Writes `loss`, f32\[1\], or f32\[rows\] if nothing is reduced, and with `grad`
/// `dlogits` (as `logits`): the gradient of `loss` (of its sum) times `grad_scale`.
///
/// The mean is PyTorch's: the sum divided by Σr over the rows that are not ignored; by the number of rows where targets are
/// probabilities. Where it would divide by 0, loss and gradient are 0 (PyTorch: NaN). A row whose target is
/// `ignore_index` has loss and gradient 0, whatever its logits are.
///
/// A logit of -∞ masks its class: p = 0, and its `dlogits` is that of p = 0. If its q is not 0, the loss is +∞, its gradient
/// finite; if its q is 0, it adds nothing. A row becomes NaN, its loss and all of its `dlogits`, if a logit is NaN or +∞,
/// if all are -∞, or if its class does not exist (`classes` or more, and not `ignore_index`); nothing is read out of
/// bounds, and the other rows' `dlogits` stay right: such a class counts as 1 in the mean's divisor, as 0 with `class_weight`.
///
/// Each row is reduced in one pass, measured from its largest logit, by sums whose terms all have one sign; partial sums
/// are added in a fixed order: results are the same bit for bit from run to run on a device. Error: relative to the loss
/// and to p. One dispatch, one for an end that is no whole quad, more for windows and for levels of the sum; two or more
/// before it if the mean's divisor depends on the targets. A device must be able to bind 4 bytes per row and per class, and
/// one to four rows. Rows of up to 1536 classes (384 unless a multiple of 4) stay in workgroup
/// memory between the two passes over them; longer ones are read twice.
///
/// Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016 (ε); Chowdhery et al., "PaLM", 2022 (λ);
/// Pereyra et al., "Regularizing neural networks by penalizing confident output distributions", 2017 (β); Lin et al.,
/// "Focal loss for dense object detection", 2017 (γ; their α is `class_weight`).
#[op(
    name = "cross_entropy",
    summary = "softmax cross-entropy with its gradient, in one pass; label smoothing, class weights, z-loss, focal loss and more",
    formula = "L = (1-p_t)^γ·Σ w·((1-ε)·t + ε/K)·(-ln p) + r·(λ·(ln Σ exp z)² - β·H(p)), p = softmax(z)",
    cases = CrossEntropy::cases,
    bench = CrossEntropy::bench
)]
pub struct CrossEntropy {
    /// How `logits` and `dlogits` are stored.
    pub dtype: DType,
    /// Rows. May be 0.
    #[field(below = 2^32)]
    pub rows: usize,
    /// Classes, K; rows·classes is at most 2^34 - 4.
    #[field(min = 1, max = 2^20)]
    pub classes: usize,
    /// What `target` holds.
    #[field(default)]
    pub target: Targets,
    /// ε of label smoothing: the part of a target spread evenly over all classes.
    #[field(default, min = 0, max = 1)]
    pub label_smoothing: f64,
    /// Whether classes have weights.
    #[field(default)]
    pub class_weight: bool,
    /// The class that stands for a row without target. Needs [`Targets::Classes`].
    #[field(default)]
    pub ignore_index: Option<u32>,
    /// λ of the z-loss, which adds λ·(ln Σ exp z)² and so keeps ln Σ exp z near 0.
    #[field(default, min = 0)]
    pub z_loss: f64,
    /// β of the confidence penalty, which subtracts β times the entropy and so rewards it.
    #[field(default, min = 0)]
    pub confidence_penalty: f64,
    /// γ of the focal loss, which multiplies the loss of a row by (1 - p_t)^γ and so reduces the weight of well-classified rows.
    /// Above 0, it needs [`Targets::Classes`] and no label smoothing.
    #[field(default, min = 0)]
    pub focal_gamma: f64,
    /// How the rows' losses are reduced; a mean is by the rows' weights.
    #[field(default)]
    pub reduction: LossReduction,
    /// Whether `dlogits` is written.
    #[field(default = true)]
    pub grad: bool,
    /// What `dlogits` is multiplied by: loss scaling, for gradients in f16.
    #[field(default = 1.0)]
    pub grad_scale: f64,
}

impl CrossEntropy {
    /// Targets are classes; the mean, with gradient; no further terms.
    pub fn new(dtype: DType, rows: usize, classes: usize) -> Self {
        Self::from_required(dtype, rows, classes)
    }

    fn len(&self) -> usize {
        self.rows.saturating_mul(self.classes)
    }

    /// Whether what the mean divides by depends on the targets.
    fn counts(&self) -> bool {
        self.reduction == LossReduction::Mean
            && self.target == Targets::Classes
            && (self.class_weight || self.ignore_index.is_some())
    }

    fn check(&self) -> Result<(), Error> {
        let bad = |arg, why: String| Err(Error::argument(NAME, arg, why));
        check_float(NAME, self.args().arg("logits"))?;
        let (rows, classes) = (self.rows, self.classes);
        if !(1..=1 << 20).contains(&classes) {
            return bad("classes", format!("is {classes}, must be in 1..=2^20"));
        }
        if rows as u64 >= 1 << 32 || self.len() as u64 > Space::MAX_LEN {
            let why =
                format!("is {rows}, with {classes} classes: must be below 2^32, and at most 2^34 - 4 logits in all: split it");
            return bad("rows", why);
        }
        check_scalar(NAME, "label_smoothing", self.label_smoothing, [0.0, 1.0])?;
        check_derived(NAME, "label_smoothing", "label_smoothing / classes", self.label_smoothing / classes as f64)?;
        check_scalar(NAME, "z_loss", self.z_loss, [0.0, f64::INFINITY])?;
        check_derived(NAME, "z_loss", "2 · z_loss", 2.0 * self.z_loss)?;
        check_scalar(NAME, "confidence_penalty", self.confidence_penalty, [0.0, f64::INFINITY])?;
        check_scalar(NAME, "focal_gamma", self.focal_gamma, [0.0, f64::INFINITY])?;
        shared::check_grad_scale(NAME, self.grad_scale)?;
        let soft = self.target == Targets::Probabilities;
        if let (true, Some(i)) = (soft, self.ignore_index) {
            return bad("ignore_index", format!("is {i}, must be absent where targets are probabilities: give such a row zeros"));
        }
        let gamma = self.focal_gamma;
        if gamma > 0.0 && soft {
            return bad(
                "focal_gamma",
                format!("is {gamma}, must be 0 where targets are probabilities: it is defined for a class"),
            );
        }
        if gamma > 0.0 && self.label_smoothing > 0.0 {
            let why = format!("is {gamma}, must be 0 with label_smoothing ({}): one or the other", self.label_smoothing);
            return bad("focal_gamma", why);
        }
        Ok(())
    }
}

impl Op for CrossEntropy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let mut args = vec![Arg::read("logits", self.dtype, self.len())];
        args.push(match self.target {
            Targets::Classes => Arg::read("target", DType::U32, self.rows),
            Targets::Probabilities => Arg::read("target", DType::F32, self.len()),
        });
        args.extend(self.class_weight.then(|| Arg::read("class_weight", DType::F32, self.classes)));
        let losses = if self.reduction == LossReduction::None { self.rows } else { 1 };
        args.push(Arg::write("loss", DType::F32, losses));
        args.extend(self.grad.then(|| Arg::write("dlogits", self.dtype, self.len())));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        self.lowered(caps)
    }
}

#[cfg(feature = "verify")]
impl Verify for CrossEntropy {
    fn patterns(&self) -> Vec<Pattern> {
        self.kinds()
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        if arg.name == "class_weight" { [0.1, 2.0] } else { [-8.0, 8.0] }
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.contents(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        self.expected(args)
    }
}
