//! Rows of a matrix in another order: how shuffled batches are made on the GPU. Kernel: `shaders/batched/gather_rows.wgsl`. Reference:
//! `cpu::gather_rows`.
use crate::{
    kernel,
    kernels::linear_models::all,
    op::{Arg, Caps, Lowered, Op, Step},
    ops::batched::shared::{
        dense::check_columns,
        model_batch::{self, quads},
    },
    params,
    types::{DType, Error, HostData},
    wgsl::{Decl, Spec, View},
};
#[cfg(feature = "verify")]
use crate::{
    op::{Contents, Expected, Pattern, Rng, Verify},
    verify::reference,
};
use ridgepole_derive::op;

params! { GatherParams { rows: u32, row_quads: u32, quads: u32, blocks: u32 } }

/// Gathers rows of a matrix by index: `out[i] = source[order[i]]`; a row of zeros where `order[i]` is out of range.
///
/// Reads `source` f32\[rows, columns] and `order` u32\[picks]; writes `out` f32\[picks, columns]. A row may be picked any
/// number of times. With `order` of \[rows of a batch, models], `out` is the input of a
/// [`BatchedDense`](super::BatchedDense). `columns` is a multiple of 4 up to 32768. Copies: exact, except that a device may
/// flush subnormal numbers to 0. Deterministic. One dispatch without scratch. A device must be able to bind each buffer
/// whole.
#[op(
    name = "gather_rows",
    summary = "rows of a matrix gathered by index, in any order and with repetition: batches of a data set",
    formula = "out[i] = source[order[i]], zeros where that is out of range"
)]
pub struct GatherRows {
    /// Rows of `source`.
    #[field(min = 1)]
    pub rows: usize,
    /// Columns of `source` and `out`.
    #[field(min = 4, max = 32_768, multiple_of = 4)]
    pub columns: usize,
    /// Rows of `out`. May be 0.
    pub picks: usize,
}

impl Op for GatherRows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::read("source", DType::F32, self.rows.saturating_mul(self.columns)),
            Arg::read("order", DType::U32, self.picks),
            Arg::write("out", DType::F32, self.picks.saturating_mul(self.columns)),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        check_columns(NAME, "columns", self.columns)?;
        if self.rows == 0 {
            return Err(Error::argument(NAME, "rows", "is 0, must be at least 1"));
        }
        model_batch::check(NAME, caps, &args)?;
        let total = (self.picks * self.columns / 4) as u64;
        let workgroups = total.div_ceil(u64::from(caps.lanes * caps.quads));
        if total > 0 {
            let order = Decl { name: "order", dtype: DType::U32, view: View::Raw("u32"), writes: false };
            out.steps.push(Step {
                spec: Spec {
                    shader: kernel!("batched/gather_rows"),
                    entry: NAME,
                    parts: vec![],
                    bindings: vec![quads("source", false), order, quads("out", true)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: GatherParams {
                    rows: self.rows as u32,
                    row_quads: (self.columns / 4) as u32,
                    quads: total as u32,
                    blocks: workgroups as u32,
                }
                .into(),
                slots: all(&args),
                workgroups,
                trips: caps.quads.into(),
            });
        }
        Ok(out)
    }
}

#[cfg(feature = "verify")]
impl Verify for GatherRows {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        match arg.dtype {
            // Some picks are past the last row, one of them as far as can be.
            DType::U32 => {
                let pick = |r: &mut Rng| if r.word().is_multiple_of(9) { u32::MAX } else { r.word() % (self.rows as u32 + 1) };
                HostData::U32((0..arg.len).map(|_| pick(rng)).collect())
            }
            _ => rng.fill(arg, self.domain(arg), pattern),
        }
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let of = Contents::new(self.args(), args);
        let (source, order) = (of.f64("source"), of.get("order").words().expect("order is of words"));
        let rows = order.iter().flat_map(|&pick| reference::gather_rows(&source, self.columns, pick));
        vec![Expected::Exact(HostData::from_f64(DType::F32, rows))]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    [(1, 4, 1), (7, 12, 20), (200, 64, 100), (5, 8, 0), (3, 68, 150)]
        .map(|(rows, columns, picks)| Box::new(GatherRows { rows, columns, picks }) as Box<dyn Verify>)
        .into()
}

#[cfg(feature = "verify")]
/// The rows of a small data set, and picks of them.
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    let columns = 64;
    let picks = (elements / columns).max(1);
    vec![Box::new(GatherRows { rows: picks.min(4096), columns, picks })]
}
