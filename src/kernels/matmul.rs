//! The host's side of `shaders/lib/matmul/product.wgsl`: how a product of matrices is cut into tiles, workgroups and chunks.
use crate::{
    op::{Caps, Slot, Step},
    params,
    wgsl::{Decl, Source, Spec, parts},
};

params! {
    ProductParams {
        blocks: u32, across: u32, down: u32, rows: u32, cols: u32, inner: u32, chunk: u32, height: u32, width: u32, quads: u32,
        end: u32, product: u32, per_set: u32, scale: f32
    }
}

/// Steps of a lane before its sum joins the total, as in the shader, and elements of them.
const RUN: u64 = 64;
pub(crate) const RUN_VALUES: u64 = 4 * RUN;

/// The longest chain of additions that a term of a sum of `inner` products goes through: those of a run, of the runs of a
/// chunk, of the chunks, which have a run at least.
pub(crate) fn chain(inner: usize) -> f64 {
    let run = RUN_VALUES as usize;
    (inner.min(run) + 2 * inner.div_ceil(run)) as f64
}

/// How lanes lie in the tiles of a product: how many side by side, and how many below one another.
fn lanes(caps: &Caps) -> [u64; 2] {
    let across = 1 << caps.lanes.ilog2().div_ceil(2);
    [across, u64::from(caps.lanes) / across]
}

/// Workgroups across and down a matrix.
pub(crate) fn tiles(caps: &Caps, rows: u64, cols: u64) -> [u64; 2] {
    let [across, down] = lanes(caps);
    [cols.div_ceil(4 * across), rows.div_ceil(4 * down)]
}

/// Parameters that mean something to the parts of a product only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProductShape {
    /// Rows and columns of the matrix that blocks are taken from.
    pub height: u32,
    pub width: u32,
    /// Quads to a row of a result that is kept in scratch.
    pub quads: u32,
    /// Elements of the buffer that is read by fours.
    pub end: u32,
    /// Where in scratch a product starts, in quads.
    pub product: u32,
    /// Neighbouring columns that belong together.
    pub per_set: u32,
    /// What results are multiplied by.
    pub scale: f32,
}

/// A product of rows × inner by inner × cols.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub rows: u64,
    pub cols: u64,
    pub inner: u64,
    /// Steps of the inner axis that a workgroup takes, a multiple of 4, and how many such chunks there are.
    pub chunk: u64,
    pub chunks: u64,
}

impl Product {
    /// In one chunk.
    pub fn whole([rows, cols, inner]: [u64; 3]) -> Self {
        Self { rows, cols, inner, chunk: inner.next_multiple_of(4).max(4), chunks: 1 }
    }

    /// With enough workgroups to fill the device, if sums are long enough to share; and no sum too long for one. At most `most`
    /// chunks.
    pub fn cut(caps: &Caps, [rows, cols, inner]: [u64; 3], most: u64) -> Self {
        let [across, down] = tiles(caps, rows, cols);
        let full = if caps.cpu { 16 } else { 512 };
        let wanted = full / (across * down).max(1);
        let wanted = wanted.min(inner / RUN_VALUES).max(inner.div_ceil(64 * RUN_VALUES));
        let chunk = inner.div_ceil(wanted.clamp(1, most.clamp(1, 1024))).next_multiple_of(4).max(4);
        Self { rows, cols, inner, chunk, chunks: inner.div_ceil(chunk) }
    }

    /// The longest loop of a lane.
    pub fn trips(&self) -> u64 {
        self.chunk / 4 + self.chunk.div_ceil(RUN_VALUES)
    }

    /// The dispatch; `parts` say what the factors are and where tiles go.
    pub fn step(
        &self,
        caps: &Caps,
        parts: Vec<Source>,
        (bindings, slots): (Vec<Decl>, Vec<Slot>),
        consts: &[(&'static str, u32)],
        of: ProductShape,
    ) -> Step {
        let Self { rows, cols, inner, chunk, chunks } = *self;
        let [across, down] = tiles(caps, rows, cols);
        let ProductShape { height, width, quads, end, product, per_set, scale } = of;
        let params = ProductParams {
            blocks: (across * down * chunks) as u32,
            across: across as u32,
            down: down as u32,
            rows: rows as u32,
            cols: cols as u32,
            inner: inner as u32,
            chunk: chunk as u32,
            height,
            width,
            quads,
            end,
            product,
            per_set,
            scale,
        };
        let mut all = vec![("WG", caps.lanes), ("ACROSS", lanes(caps)[0] as u32)];
        all.extend_from_slice(consts);
        Step {
            spec: Spec { shader: parts::matmul::PRODUCT, entry: "matrix_product", parts, bindings, consts: all },
            params: params.into(),
            slots,
            workgroups: across * down * chunks,
            trips: self.trips(),
        }
    }
}
