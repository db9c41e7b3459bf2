//! What the ops of this family have in common: all but what is drawn, what the kernel's table says of a sample, and the formula of
//! an element.
use crate::{
    kernel,
    kernels::samples::{Images, Map, box_row, table_bytes},
    op::{Arg, ByName, Caps, Lowered, Op, check_float},
    options::Blend,
    types::{DType, Error, Space},
    wgsl::Source,
};
#[cfg(feature = "verify")]
use crate::{
    kernels::samples::{elements, soft_labels},
    op::{Contents, Expected},
    types::HostData,
};

/// An op of this family, forward or backward, as it differs from the others.
pub(super) trait Mixing: Op {
    /// The kernel's rule.
    const RULE: Source;
    /// Whether the rule takes elements of a partner too.
    const PARTNER: bool = true;
    /// What it reads and what it writes.
    const TENSORS: [&'static str; 2] = ["x", "y"];
    /// What the table says of each sample.
    const ROWS: fn(&Blend) -> Vec<[u32; 4]>;

    /// How the batch is stored, and its shape.
    fn batch(&self) -> (DType, Images);

    /// Classes of the labels; 0 without.
    fn classes(&self) -> usize {
        0
    }

    /// What the rule takes from the op itself: a number.
    fn value(&self) -> Result<f64, Error> {
        Ok(0.0)
    }

    /// What is drawn, under the name of `op`. To a backward op, a sample's partner is the one that it was a partner to.
    fn drawn(&self, op: &'static str) -> Result<Blend, Error>;

    /// An element of the result, and its bound: element `e` of sample `i`, of what is read there in each sample.
    #[cfg(feature = "verify")]
    fn element(&self, drawn: &Blend, at: (usize, usize), read: &dyn Fn(usize) -> f64) -> (f64, f64);
}

/// The buffers: the batch and, with classes, its labels, as they are and as they become.
pub(super) fn args<T: Mixing>(op: &T) -> Vec<Arg> {
    let (dtype, Images { space, .. }) = op.batch();
    let [x, y] = T::TENSORS;
    let labels = |name, make: fn(&'static str, DType, usize) -> Arg| {
        (op.classes() > 0).then(|| make(name, DType::F32, space.n.saturating_mul(op.classes())))
    };
    let mut args = vec![Arg::read(x, dtype, space.len())];
    args.extend(labels("labels", Arg::read));
    args.push(Arg::write(y, dtype, space.len()));
    args.extend(labels("mixed", Arg::write));
    args
}

/// The dispatches: one map of the batch, one of its labels.
pub(super) fn lower<T: Mixing>(op: &T, name: &'static str, caps: &Caps) -> Result<Lowered, Error> {
    let (args, [x, y], (_, images), mut out) = (op.args(), T::TENSORS, op.batch(), Lowered::default());
    check_float(name, args.arg(x))?;
    let value = op.value()? as f32;
    let drawn = op.drawn(name)?;
    let labels = of_labels(name, images.space.n, op.classes())?;
    let rows = T::ROWS(&drawn);
    let table = out.table(&table_bytes(rows.iter().copied()), caps);
    let map = Map { source: T::RULE, x, y, partner: T::PARTNER, table, value };
    images.map(name, &mut out, caps, &args, &map)?;
    if op.classes() > 0 {
        // Labels are blended, whatever becomes of the batch.
        let shares = shares(&drawn);
        let table = if shares == rows { map.table } else { out.table(&table_bytes(shares), caps) };
        let map = Map { source: kernel!("mixing/mixup"), x: "labels", y: "mixed", partner: true, table, value: 0.0 };
        labels.map(name, &mut out, caps, &args, &map)?;
    }
    Ok(out)
}

/// Checks labels, and gives the batch that they are.
fn of_labels(op: &'static str, n: usize, classes: usize) -> Result<Images, Error> {
    let of = Images::flat(Space::channels_first(n, classes, 1));
    match of.check(op) {
        Ok(()) => Ok(of),
        Err(_) => Err(Error::argument(op, "classes", format!("is {classes} for {n} samples, must make at most 2^34 - 4 labels"))),
    }
}

/// The partner of each sample, its own share as f32, and what is left to the partner. Shares were drawn so that neither becomes 0 by
/// rounding.
pub(super) fn shares(of: &Blend) -> Vec<[u32; 4]> {
    let row = |(p, lambda): (&usize, &f64)| [*p as u32, (*lambda as f32).to_bits(), ((1.0 - lambda) as f32).to_bits(), 0];
    of.partners.iter().zip(&of.lambda).map(row).collect()
}

/// The box of each sample.
pub(super) fn boxes(of: &Blend) -> Vec<[u32; 4]> {
    of.boxes.iter().map(box_row).collect()
}

/// The partner of each sample, and its box.
pub(super) fn partners_and_boxes(of: &Blend) -> Vec<[u32; 4]> {
    of.partners.iter().zip(&of.boxes).flat_map(|(p, b)| [[*p as u32, 0, 0, 0], box_row(b)]).collect()
}

/// What the batch must become, and its labels.
#[cfg(feature = "verify")]
pub(super) fn expected<T: Mixing>(op: &T, name: &'static str, data: &[HostData]) -> Vec<Expected> {
    let (of, (_, Images { space, .. })) = (Contents::new(op.args(), data), op.batch());
    let (drawn, read, length) = (op.drawn(name).expect("lowered before"), of.f64(T::TENSORS[0]), space.c * space.s);
    let one = |(i, e): (usize, usize)| op.element(&drawn, (i, e), &|sample| read[sample * length + e]);
    let (value, bound) = elements(&space).map(one).unzip();
    let mut out = vec![Expected::Within { value, bound }];
    out.extend((op.classes() > 0).then(|| soft_labels(&of.f64("labels"), op.classes(), &drawn.partners, &drawn.lambda)));
    out
}

/// Makes of a [`Mixing`] what ops are, in its file, where `NAME` is; and of the backward op of one, with its rule and the function that
/// gives an element of its result, a [`Mixing`] before.
macro_rules! mixing {
    ($op:ident, backward of $forward:ident, $rule:expr, $element:ident) => {
        impl $crate::ops::mixing::shared::Mixing for $op {
            const RULE: crate::wgsl::Source = $rule;
            const PARTNER: bool = <$forward>::PARTNER;
            const TENSORS: [&'static str; 2] = ["dy", "dx"];
            const ROWS: fn(&crate::options::Blend) -> Vec<[u32; 4]> = <$forward>::ROWS;

            fn batch(&self) -> (crate::types::DType, crate::kernels::samples::Images) {
                self.forward.batch()
            }

            fn drawn(&self, op: &'static str) -> Result<crate::options::Blend, crate::types::Error> {
                let drawn = self.forward.drawn(op)?;
                Ok(crate::options::Blend { partners: drawn.inverse(), ..drawn })
            }

            #[cfg(feature = "verify")]
            fn element(&self, drawn: &crate::options::Blend, at: (usize, usize), dy: &dyn Fn(usize) -> f64) -> (f64, f64) {
                $element(&self.forward, drawn, at, dy)
            }
        }

        $crate::ops::mixing::shared::mixing!($op);
    };
    ($op:ident) => {
        impl crate::op::Op for $op {
            fn name(&self) -> &'static str {
                NAME
            }

            fn args(&self) -> Vec<crate::op::Arg> {
                $crate::ops::mixing::shared::args(self)
            }

            fn lower(&self, caps: &crate::op::Caps) -> Result<crate::op::Lowered, crate::types::Error> {
                $crate::ops::mixing::shared::lower(self, NAME, caps)
            }
        }

        #[cfg(feature = "verify")]
        impl crate::op::Verify for $op {
            fn patterns(&self) -> Vec<crate::op::Pattern> {
                $crate::kernels::samples::image_patterns(&self.batch().1.space)
            }

            fn fill(
                &self,
                arg: &crate::op::Arg,
                rng: &mut crate::op::Rng,
                pattern: crate::op::Pattern,
            ) -> crate::types::HostData {
                $crate::kernels::samples::image_fill(arg, rng, pattern)
            }

            fn reference(&self, args: &[crate::types::HostData]) -> Vec<crate::op::Expected> {
                $crate::ops::mixing::shared::expected(self, NAME, args)
            }
        }
    };
}
pub(super) use mixing;
