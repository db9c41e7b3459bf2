//! The form of `adam` and `adamw`: the same fields and the same rule.

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
            const STATE: &'static [crate::kernels::optimizer::rule::State] =
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
