//! What all optimizer ops have in common, written down once: fields, their defaults and their documentation, and the words
//! with which their kernels' parameters begin.
//!
//! Macros, since a struct that is flattened into another by serde cannot refuse unknown fields.

/// Makes an op of a [`Rule`](crate::kernels::optimizer::Rule): its own fields stand between those that all have. Before its fields stand
/// the remark and the last values of its `new`, and what its groups must say or must not. The kernel has the op's name, and so does its entry point.
macro_rules! optimizer {
    ($(#[doc = $doc:literal])* #[op(name = $op:literal, $($row:tt)*)] pub struct $name:ident {
        $(#[$new:meta])* new($($last:expr),*);
        $(groups: $(#[$groups:meta])*;)?
        $($(#[$about:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        $(#[doc = $doc])*
        ///
        /// # As every optimizer
        ///
        /// It takes one tensor or a whole model in one dispatch, with every penalty of its [`Group`](crate::options::Group)s in the same
        /// pass. g = `grad_scale` · scale · grad + the gradient of the coupled penalty; w on the right of the formula is the weight as it
        /// was; the proximal step takes the plain rate.
        ///
        /// Reads `grad` and, with `gpu_scale`, `scale` (f32\[1\], on the GPU: a clip factor, the inverse of a loss scale). Updates `weight`
        /// and its state (f32), with `master` and with `ema` f32 buffers of these names, with
        /// [`NonFinite::Skip`](crate::options::NonFinite::Skip) `skipped` (u32\[1\], + 1 for a step that was left out). All but `scale`
        /// and `skipped` hold the arena's elements.
        ///
        /// Deterministic. Scratch: 16 bytes if steps may be skipped. An empty arena is left alone and counts no step. Error: running
        /// analysis of the kernel's own operations, each at WGSL's accuracy ([`Approx`](crate::verify::Approx)).
        #[ridgepole_derive::op(name = $op, $($row)*, parse = |v| crate::kernels::optimizer::json::parse_optimizer::<$name>(NAME, v))]
        pub struct $name {
            /// How weights and gradients are stored.
            pub dtype: crate::types::DType,
            /// The tensors of the arena, in ascending order.
            pub segments: Vec<crate::types::Segment>,
            /// Learning-rate factor and penalties of each parameter group.
            $($(#[$groups])*)?
            pub groups: Vec<crate::options::Group>,
            $($(#[$about])* pub $field: $ty,)*
            /// Multiplies the gradients; -1 ascends.
            #[field(default = 1.0)]
            pub grad_scale: f64,
            /// Whether a second factor is read from the GPU. The product of both is formed first.
            #[field(default)]
            pub gpu_scale: bool,
            /// What to do about NaN and infinities.
            #[field(default)]
            pub non_finite: crate::options::NonFinite,
            /// An average of the weights, kept in the same pass: `ema` (f32, updated) follows the new weight as it is stored, or
            /// the new master. A step that is skipped leaves it.
            #[field(default)]
            pub ema: Option<crate::options::Averaging>,
            /// Whether weights are kept in f32 beside f16 or bf16 ones: `master` (f32, updated) takes the step with all
            /// penalties, and `weight` becomes its rounded copy, exact zeros included. What `weight` held does not matter.
            #[field(default)]
            pub master: bool,
            /// How a weight is rounded to bf16 where it has no master.
            #[field(default)]
            pub rounding: crate::options::Rounding,
        }

        impl $name {
            $(#[$new])*
            pub fn new(dtype: crate::types::DType, len: usize, lr: f64) -> Self {
                let groups = vec![crate::options::Group::default()];
                Self::from_required(dtype, crate::types::Segment::one(len), groups, lr $(, $last)*)
            }

            fn optimizer(&self) -> crate::kernels::optimizer::Optimizer<'_> {
                use crate::kernels::optimizer::Rule;
                let (lr, step) = self.rate();
                crate::kernels::optimizer::Optimizer {
                    name: NAME,
                    dtype: self.dtype,
                    segments: &self.segments,
                    groups: &self.groups,
                    state: Self::STATE.iter().map(|(name, _)| *name).filter(|name| self.keeps(name)).collect(),
                    lr,
                    step,
                    grad_scale: self.grad_scale,
                    gpu_scale: self.gpu_scale,
                    non_finite: self.non_finite,
                    ema: self.ema,
                    master: self.master,
                    rounding: self.rounding,
                    counter: self.counter(),
                }
            }
        }

        impl crate::op::Op for $name {
            fn name(&self) -> &'static str {
                NAME
            }

            fn args(&self) -> Vec<crate::op::Arg> {
                self.optimizer().args()
            }

            fn lower(&self, caps: &crate::op::Caps) -> Result<crate::op::Lowered, crate::types::Error> {
                use crate::kernels::optimizer::Rule;
                self.check()?;
                let kernel = crate::kernel!(concat!("optimizers/", $op));
                self.optimizer().lower(caps, kernel, &self.parts(), |words| self.params(words))
            }

            fn cost(&self) -> crate::op::Cost {
                self.optimizer().cost()
            }
        }

        #[cfg(feature = "verify")]
        impl crate::op::Verify for $name {
            fn patterns(&self) -> Vec<crate::op::Pattern> {
                crate::kernels::optimizer::expected::patterns(self)
            }

            fn domain(&self, arg: &crate::op::Arg) -> [f64; 2] {
                crate::kernels::optimizer::expected::domain(self, arg)
            }

            fn fill(&self, arg: &crate::op::Arg, rng: &mut crate::op::Rng, pattern: crate::op::Pattern) -> crate::types::HostData {
                crate::kernels::optimizer::expected::fill(self, &self.optimizer(), arg, rng, pattern)
            }

            fn reference(&self, args: &[crate::types::HostData]) -> Vec<crate::op::Expected> {
                crate::kernels::optimizer::expected::reference(self, &self.optimizer(), args)
            }
        }

        #[cfg(feature = "verify")]
        fn cases() -> Vec<Box<dyn crate::op::Verify>> {
            crate::kernels::optimizer::cases::all(|dtype, segments, groups, (ema, master, rounding)| {
                $name { segments, groups, ema, master, rounding, ..$name::new(dtype, 0, 0.1) }
            })
        }

        #[cfg(feature = "verify")]
        fn bench(elements: usize) -> Vec<Box<dyn crate::op::Verify>> {
            crate::kernels::optimizer::cases::bench(elements, |dtype, segments, groups| {
                $name { segments, groups, ..$name::new(dtype, 0, 0.1) }
            })
        }
    };
}
pub(crate) use optimizer;

/// Makes an op of Adam's rule, [`Adaptive`](crate::kernels::optimizer::adaptive::Adaptive).
macro_rules! adaptive {
    ($(#[$($doc:tt)*])* pub struct $name:ident { $(groups: $(#[$($groups:tt)*])*;)? } decays = $decays:expr) => {
        crate::kernels::optimizer::macros::optimizer! {
            $(#[$($doc)*])*
            pub struct $name {
                /// Adam with the usual β and eps on one tensor of `len` elements, step 1: no decay, no penalty.
                new(1);
                $(groups: $(#[$($groups)*])*;)?
                /// The learning rate.
                #[field(min = 0)]
                pub lr: f64,
                /// β1, the decay rate of the first moment.
                #[field(default = 0.9, min = 0, below = 1)]
                pub beta1: f64,
                /// β2, the decay rate of the second moment.
                #[field(default = 0.999, min = 0, below = 1)]
                pub beta2: f64,
                /// Keeps the quotient finite: added to the corrected second moment, or to its root.
                #[field(default = 1e-8, min = 0)]
                pub eps: f64,
                /// Where eps is added: to √û, or inside the root, which optax calls `eps_root`.
                #[field(default)]
                pub eps_place: crate::options::EpsPlace,
                /// Divide by the root of the largest second moment so far (AMSGrad), which is one more buffer.
                #[field(default)]
                pub amsgrad: bool,
                /// The number of this step, counted from 1.
                #[field(min = 1)]
                pub step: u64,
                /// Whether the GPU counts the steps that were made, without skipped ones, in the argument `steps`; `step` is then 1.
                #[field(default)]
                pub gpu_step: bool,
            }
        }

        impl $name {
            fn adaptive(&self) -> crate::kernels::optimizer::adaptive::Adaptive {
                let Self { beta1, beta2, eps, eps_place, amsgrad, step, gpu_step, .. } = *self;
                crate::kernels::optimizer::adaptive::Adaptive { name: NAME, beta1, beta2, eps, eps_place, amsgrad, step, gpu_step }
            }
        }

        impl crate::kernels::optimizer::Rule for $name {
            const STATE: &'static [crate::kernels::optimizer::prelude::State] =
                &[("m", [-1.0, 1.0]), ("v", [0.0, 1.0]), ("v_max", [0.0, 1.0])];
            const DECAYS: Option<&'static str> = $decays;

            fn keeps(&self, state: &str) -> bool {
                state != "v_max" || self.amsgrad
            }

            fn rate(&self) -> (f64, u64) {
                (self.lr, self.step)
            }

            fn counter(&self) -> Option<crate::kernels::optimizer::Counter> {
                self.adaptive().counter()
            }

            fn check(&self) -> Result<(), crate::types::Error> {
                self.adaptive().check()
            }

            fn parts(&self) -> Vec<crate::wgsl::Source> {
                self.adaptive().parts()
            }

            fn params(&self, words: crate::kernels::optimizer::Words) -> crate::op::Params {
                self.adaptive().params(words)
            }
        }
    };
}
pub(crate) use adaptive;

/// The parameters of an optimizer's kernel: those of all, which are a [`Words`](crate::kernels::optimizer::Words), then its own, of
/// which name, type and value stand here.
macro_rules! optimizer_words {
    ($words:expr, $($field:ident: $ty:ident = $value:expr),* $(,)?) => {{
        use crate::kernels::{arena::ArenaWindow, philox::Draw};
        crate::params! {
            RuleParams { window: ArenaWindow, grad_scale: f32, average: f32, draw: Draw, $($field: $ty),* }
        }
        let crate::kernels::optimizer::Words { window, grad_scale, average, draw } = $words;
        crate::op::Params::from(RuleParams { window, grad_scale, average, draw, $($field: ($value) as $ty),* })
    }};
}
pub(crate) use optimizer_words;
