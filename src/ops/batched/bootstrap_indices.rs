//! Samples drawn with replacement. Kernel: `shaders/batched/bootstrap_indices.wgsl`. Reference: `cpu::bootstrap_indices`.
use crate::{
    kernel,
    kernels::{
        linear_models::all,
        philox::{self, Draw},
    },
    op::{Arg, ByName, Caps, Lowered, Op, Step},
    ops::batched::shared::model_batch,
    options::Key,
    params,
    types::{DType, Error, HostData},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Expected, Verify},
    verify::reference,
};
use ridgepole_derive::op;

params! { BootstrapParams { blocks: u32, lanes: u32, rows: u32, picks: u32, sets: u32, draw: Draw } }

/// Bootstrap samples: sets of row indices drawn with replacement, uniform over 0 to `rows` - 1.
///
/// Writes `index` u32\[picks, sets]: a column is a set. Pick i of set s is ⌊word·rows / 2^32⌋, with word number n =
/// `first_element` + s·2^34 + i: word n & 3 of Philox call n >> 2, as decisions of 32 bits are numbered. So a set does not
/// depend on how many sets and picks there are; sets from s on are those of a `first_element` that is s·2^34 larger. The
/// probability of a row is within 2^-32 of 1/rows. Exact: the same on every device. [`Plan::update`](crate::Plan::update)
/// takes another key, and another number of rows. One dispatch without scratch. A device must be able to bind `index` whole;
/// it must have fewer than 2^31 elements.
///
/// Efron, "Bootstrap methods: another look at the jackknife", 1979; Breiman, "Bagging predictors", 1996.
#[op(
    name = "bootstrap_indices",
    summary = "bootstrap samples: row indices drawn with replacement; a set does not depend on how many others are drawn",
    formula = "index = ⌊rows·word / 2^32⌋, a Philox word for each pick"
)]
pub struct BootstrapIndices {
    /// Rows to draw from.
    #[field(min = 1, max = 2^32 - 1)]
    pub rows: usize,
    /// Rows that a set has. May be 0.
    pub picks: usize,
    /// Sets. May be 0.
    #[field(max = 2^30)]
    pub sets: usize,
    /// What is drawn from; `first_element` must be a multiple of 4.
    pub key: Key,
}

impl BootstrapIndices {
    fn check(&self, caps: &Caps) -> Result<(), Error> {
        let bad = |arg, why: String| Err(Error::argument(NAME, arg, why));
        if !(1..1 << 32).contains(&(self.rows as u64)) {
            return bad("rows", format!("is {}, must be from 1 to 2^32 - 1", self.rows));
        }
        if self.sets > 1 << 30 {
            return bad("sets", format!("is {}, must be at most 2^30: split it by first_element", self.sets));
        }
        model_batch::check(NAME, caps, &self.args())?;
        let first = self.key.first_element;
        if !first.is_multiple_of(4) {
            return bad("key", format!("has first_element {first}, must be a multiple of 4"));
        }
        let last = (self.sets.saturating_sub(1) as u64) << 34;
        if last.checked_add(self.picks as u64).and_then(|n| n.checked_add(first)).is_none() {
            let Self { picks, sets, .. } = self;
            return bad("key", format!("has first_element {first}: with {sets} sets of {picks} picks it passes 2^64"));
        }
        Ok(())
    }
}

impl Op for BootstrapIndices {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::write("index", DType::U32, model_batch::len(&[self.picks, self.sets]))]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check(caps)?;
        let (args, mut out, first) = (self.args(), Lowered::default(), self.key.first_element);
        if args.arg("index").len == 0 {
            return Ok(out);
        }
        let lanes = (self.picks.div_ceil(4) * self.sets) as u64;
        let blocks = lanes.div_ceil(u64::from(model_batch::lanes(caps)));
        out.steps.push(Step {
            spec: Spec {
                shader: kernel!("batched/bootstrap_indices"),
                entry: NAME,
                parts: vec![philox::mul_wide(caps)],
                bindings: vec![Decl { name: "indices", dtype: DType::U32, view: View::Raw("u32"), writes: true }],
                consts: vec![("WG", model_batch::lanes(caps))],
            },
            params: BootstrapParams {
                blocks: blocks as u32,
                lanes: lanes as u32,
                rows: self.rows as u32,
                picks: self.picks as u32,
                sets: self.sets as u32,
                draw: Draw::new(&self.key, first / 4),
            }
            .into(),
            slots: all(&args),
            workgroups: blocks,
            trips: 10,
        });
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for BootstrapIndices {
    fn reference(&self, _: &[HostData]) -> Vec<Expected> {
        let Key { seed, stream, step, first_element } = self.key;
        let pick = |at: usize| {
            let (i, s) = (at / self.sets, at % self.sets);
            reference::bootstrap_indices(self.rows as u64, first_element, seed, stream, step, s as u64, i as u64)
        };
        vec![Expected::Exact(HostData::U32((0..self.picks * self.sets).map(pick).collect()))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let key = |stream, first_element| Key { seed: 0x0123_4567_89ab_cdef, stream, step: 7, first_element };
    let case = |rows, picks, sets, key| Box::new(BootstrapIndices { rows, picks, sets, key }) as Box<dyn Verify>;
    vec![
        case(1, 1, 1, key(0, 0)),
        case(10, 0, 3, key(0, 0)),
        case(10, 3, 0, key(0, 0)),
        case(1797, 179, 70, key(3, 0)),
        case(50, 50, 150, key(1, 12)),
        case(u32::MAX as usize, 5, 257, key(u32::MAX, 1 << 34)),
        // The low word of the call's number carries into that of the set; the last numbers there are.
        case(1 << 16, 9001, 1, key(0, (1 << 34) - 800)),
        case(1000, 402, 3, key(5, u64::MAX - 3 - (2 << 34) - 400)),
    ]
}

#[cfg(feature = "verify")]
/// As many picks as rows, which is usual: 1000, or fewer where the size is smaller.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let rows = elements.clamp(1, 1000);
    vec![Box::new(BootstrapIndices { rows, picks: rows, sets: (elements / rows).max(1), key: Key { seed: 1, ..Key::default() } })]
}
