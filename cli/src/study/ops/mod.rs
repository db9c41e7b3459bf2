//! The dense layers and losses that the study trains with: ops of this program's own, through the library's public
//! [`ridgepole::Op`] trait, held against their f64 references by the library's own harness.
//!
//! Every matrix is f32, row-major, and its rows are whole quads: columns that are there only to fill a quad hold zeros.
mod dense;
mod dense_input_grad;
mod dense_weight_grad;
mod gather_rows;
mod loss;
mod relu;

pub use dense::Dense;
pub use dense_input_grad::DenseInputGrad;
pub use dense_weight_grad::DenseWeightGrad;
pub use gather_rows::GatherRows;
pub use loss::{CrossEntropy, ROWS_PER_BLOCK, SquaredError};
pub use relu::Relu;

use ridgepole::{
    Caps, DType, Error, MAX_TRIPS, Op,
    wgsl::{Decl, Source, View},
};

macro_rules! sources {
    ($($id:ident = $name:literal),* $(,)?) => {
        $(const $id: Source = Source { name: $name, text: include_str!(concat!("../../../shaders/", $name, ".wgsl")) };)*
    };
}
sources! {
    CROSS_ENTROPY = "cross_entropy",
    DENSE = "dense",
    DENSE_INPUT_GRAD = "dense_input_grad",
    DENSE_WEIGHT_GRAD = "dense_weight_grad",
    FOLD_TALLY = "fold_tally",
    GATHER_ROWS = "gather_rows",
    RELU = "relu",
    SQUARED_ERROR = "squared_error",
}

/// Small cases of every op, for the cross-check.
pub fn cases() -> Vec<Box<dyn Op>> {
    [dense::cases(), dense_input_grad::cases(), dense_weight_grad::cases(), gather_rows::cases(), loss::cases(), relu::cases()]
        .into_iter()
        .flatten()
        .collect()
}

fn quads(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Quads, writes }
}

/// Lanes of a workgroup in kernels of one tile or row per lane: these matrices are small, wide workgroups would leave
/// most of a GPU idle.
fn lanes(caps: &Caps) -> u32 {
    caps.lanes.min(64)
}

/// Rows must be whole quads, so that every load and store is one.
fn check_columns(op: &'static str, field: &'static str, n: usize) -> Result<(), Error> {
    if n == 0 || !n.is_multiple_of(4) || n / 4 > MAX_TRIPS as usize {
        let most = 4 * MAX_TRIPS;
        return Err(Error::argument(op, field, format!("is {n}, must be a multiple of 4 from 4 to {most}: fill up with zeros")));
    }
    Ok(())
}

/// The shape of a dense layer, in quads and tiles.
struct Tiles {
    in_quads: u32,
    out_quads: u32,
    /// Tiles of 4 by 4, and the workgroups that handle them.
    tiles: u32,
    workgroups: u64,
}

impl Tiles {
    /// `tiles` gets the quads of inputs, outputs and batch rows.
    fn new(
        op: &'static str,
        caps: &Caps,
        [batch, inputs, outputs]: [usize; 3],
        tiles: impl Fn([u64; 3]) -> u64,
    ) -> Result<Self, Error> {
        check_columns(op, "inputs", inputs)?;
        check_columns(op, "outputs", outputs)?;
        let most = 1 << 30;
        if batch > most {
            return Err(Error::argument(op, "batch", format!("is {batch}, must be at most {most}")));
        }
        let tiles = tiles([inputs as u64 / 4, outputs as u64 / 4, batch.div_ceil(4) as u64]);
        let Ok(count) = u32::try_from(tiles) else {
            return Err(Error::argument(op, "batch", format!("is {batch}: {tiles} tiles are more than 2^32")));
        };
        let workgroups = tiles.div_ceil(u64::from(lanes(caps)));
        Ok(Self { in_quads: inputs as u32 / 4, out_quads: outputs as u32 / 4, tiles: count, workgroups })
    }
}

/// The error bound of a sum of `terms` rounded products whose magnitudes add up to `magnitude`, in any order: each product
/// and each sum rounds once (to either neighbour: one ulp), so no term passes through more than `terms + 1` roundings.
/// Every one of them may also be flushed to zero below the least normal number.
fn sum_bound(terms: usize, magnitude: f64) -> f64 {
    let n = terms as f64 + 1.0;
    n * (DType::F32.epsilon() * magnitude + 2.0 * DType::F32.least_normal()) * (1.0 + n * DType::F32.epsilon())
}
