//! Rows of a matrix in another order: how a shuffled batch is made on the GPU. Kernel: `cli/shaders/gather_rows.wgsl`.
use super::{GATHER_ROWS, check_columns, quads};
use ridgepole::{
    Arg, Caps, DType, Error, Expected, HostData, Lowered, Op, Pattern, Rng, Slot, Step, params,
    wgsl::{Decl, Spec, View},
};

params! { GatherParams { rows: u32, row_quads: u32, quads: u32, blocks: u32 } }

/// `out[i] = source[order[i]]`, row by row; a row of zeros where `order[i]` is no row.
///
/// Reads `source` f32\[rows, columns] and `order` u32\[picks]; writes `out` f32\[picks, columns]. `columns` is a multiple of
/// 4. Exact. No scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct GatherRows {
    /// Rows of `source`.
    pub rows: usize,
    /// Columns of `source` and `out`.
    pub columns: usize,
    /// Rows of `out`.
    pub picks: usize,
}

const NAME: &str = "gather_rows";

impl Op for GatherRows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::read("source", DType::F32, self.rows * self.columns),
            Arg::read("order", DType::U32, self.picks),
            Arg::write("out", DType::F32, self.picks * self.columns),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        check_columns(NAME, "columns", self.columns)?;
        if self.rows == 0 || self.rows >= 1 << 31 {
            return Err(Error::argument(NAME, "rows", format!("is {}, must be in 1..2^31", self.rows)));
        }
        let total = (self.picks as u64).saturating_mul(self.columns as u64 / 4);
        if total >= 1 << 32 {
            return Err(Error::argument(NAME, "picks", format!("is {}: more than 2^34 elements", self.picks)));
        }
        let workgroups = total.div_ceil(u64::from(caps.lanes * caps.quads));
        let mut out = Lowered::default();
        if total > 0 {
            let args = self.args();
            let order = Decl { name: "order", dtype: DType::U32, view: View::Raw("u32"), writes: false };
            out.push(Step {
                spec: Spec {
                    shader: GATHER_ROWS,
                    entry: "gather_rows",
                    parts: vec![],
                    bindings: vec![quads("source", false), order, quads("out", true)],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: GatherParams {
                    rows: self.rows as u32,
                    row_quads: self.columns as u32 / 4,
                    quads: total as u32,
                    blocks: workgroups as u32,
                }
                .into(),
                slots: args.iter().enumerate().map(|(i, a)| Slot::Arg(i, 0..a.bytes())).collect(),
                workgroups,
                trips: caps.quads.into(),
            });
        }
        Ok(out)
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
        let (source, order) = (args[0].to_f64(), args[1].words().expect("order is of words"));
        let row = |&i: &u32| match i as usize {
            i if i < self.rows => source[i * self.columns..][..self.columns].to_vec(),
            _ => vec![0.0; self.columns],
        };
        vec![Expected::Exact(HostData::from_f64(DType::F32, order.iter().flat_map(row)))]
    }
}

pub(super) fn cases() -> Vec<Box<dyn Op>> {
    [(1, 4, 1), (7, 12, 20), (200, 64, 100), (5, 8, 0), (3, 68, 150)]
        .into_iter()
        .map(|(rows, columns, picks)| Box::new(GatherRows { rows, columns, picks }) as Box<dyn Op>)
        .collect()
}
