//! What all optimizer ops have in common, written down once: fields, their defaults and their documentation, and the words
//! with which their kernels' parameters begin.
//!
//! Macros, since a struct that is flattened into another by serde cannot refuse unknown fields.

/// Declares an optimizer: its own fields between those that all have, and `common`, which hands the latter on. What its groups must
/// say or must not stands before its fields.
macro_rules! optimizer {
    ($(#[$doc:meta])* pub struct $name:ident {
        $(groups: $(#[$groups:meta])*;)?
        $($(#[$about:meta])* pub $field:ident: $ty:ty,)*
    }) => {
        $(#[$doc])*
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
            fn common(
                &self,
                name: &'static str,
                state: &'static [&'static str],
                lr: f64,
                step: u64,
            ) -> crate::kernels::optimizer::Optimizer<'_> {
                crate::kernels::optimizer::Optimizer {
                    name,
                    dtype: self.dtype,
                    segments: &self.segments,
                    groups: &self.groups,
                    state,
                    lr,
                    step,
                    grad_scale: self.grad_scale,
                    gpu_scale: self.gpu_scale,
                    non_finite: self.non_finite,
                    ema: self.ema,
                    master: self.master,
                    rounding: self.rounding,
                    counter: None,
                }
            }
        }
    };
}
pub(crate) use optimizer;

/// Declares the parameters of an optimizer's kernel: those of all, then its own.
macro_rules! optimizer_params {
    ($name:ident { $($field:ident: $ty:ident),* $(,)? }) => {
        crate::params! {
            $name {
                segments: u32, first: u32, blocks: u32, lo: u32, hi: u32, base: u32, end: u32,
                grad_scale: f32, average: f32, key_lo: u32, key_hi: u32, step: u32, stream: u32, draw_lo: u32, draw_hi: u32,
                $($field: $ty),*
            }
        }
    };
}
pub(crate) use optimizer_params;

/// Such parameters, from a [`Words`](crate::kernels::optimizer::Words) and the op's own fields.
macro_rules! optimizer_words {
    ($name:ident, $words:expr; $($own:tt)*) => {{
        let crate::kernels::optimizer::Words { window: w, grad_scale, average, key, draw } = $words;
        let ([key_lo, key_hi, step, stream], [draw_lo, draw_hi]) = (key, draw);
        crate::op::Params::from($name {
            segments: w.segments,
            first: w.first,
            blocks: w.blocks,
            lo: w.lo,
            hi: w.hi,
            base: w.base,
            end: w.end,
            grad_scale,
            average,
            key_lo,
            key_hi,
            step,
            stream,
            draw_lo,
            draw_hi,
            $($own)*
        })
    }};
}
pub(crate) use optimizer_words;
