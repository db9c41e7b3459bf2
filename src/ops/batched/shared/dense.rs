//! Dense layers of many models of one shape: what their three ops have in common.
#[cfg(feature = "verify")]
use crate::verify::Approx;
use crate::{
    kernels::linear_models::whole,
    op::{Arg, Caps, MAX_TRIPS, Step},
    ops::batched::shared::model_batch,
    params,
    types::{DType, Error},
    wgsl::{Decl, Source, Spec},
};

params! {
    DenseParams {
        models: u32, rows: u32, in_quads: u32, out_quads: u32, weights: u32, per_model: u32, tiles: u32, bias: u32
    }
}

/// The layer, and the op that works on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense {
    pub op: &'static str,
    pub models: usize,
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub bias: bool,
}

/// Elements that every access takes together.
const QUAD: usize = 4;

/// Rows must be whole quads, so that every load and store is one.
pub(crate) fn check_columns(op: &'static str, field: &'static str, n: usize) -> Result<(), Error> {
    if n == 0 || !n.is_multiple_of(QUAD) || (n / QUAD) as u64 > MAX_TRIPS {
        let most = QUAD as u64 * MAX_TRIPS;
        return Err(Error::argument(op, field, format!("is {n}, must be a multiple of 4 from 4 to {most}: fill up with zeros")));
    }
    Ok(())
}

impl Dense {
    /// Elements of what a batch of rows of `width` values is, models side by side.
    pub fn batch(&self, width: usize) -> usize {
        self.rows.saturating_mul(self.models).saturating_mul(width)
    }

    /// Rows of a model's weights.
    pub fn height(&self) -> usize {
        self.inputs.saturating_add(usize::from(self.bias))
    }

    /// Elements of the weights of all models.
    pub fn weights(&self) -> usize {
        self.models.saturating_mul(self.height()).saturating_mul(self.outputs)
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.models == 0 || self.rows == 0
    }

    /// The shape, and that the device can bind each buffer whole.
    pub fn check(&self, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
        check_columns(self.op, "inputs", self.inputs)?;
        check_columns(self.op, "outputs", self.outputs)?;
        model_batch::check(self.op, caps, args)
    }

    /// The dispatch: a lane for each tile. Every model has this many tiles below one another and side by side.
    pub fn step(&self, caps: &Caps, shader: Source, bindings: Vec<Decl>, args: &[Arg], tiles: [usize; 2], trips: usize) -> Step {
        let lanes = model_batch::lanes(caps);
        let workgroups = ((tiles[0] * tiles[1] * self.models) as u64).div_ceil(u64::from(lanes));
        self.over(shader, vec![("WG", lanes)], bindings, args, tiles, (workgroups, trips))
    }

    /// The same where lanes are a [`team`]: a workgroup for each tile.
    pub fn team_step(&self, shader: Source, bindings: Vec<Decl>, args: &[Arg], tiles: [usize; 2], trips: usize) -> Step {
        let workgroups = (tiles[0] * tiles[1] * self.models) as u64;
        self.over(shader, vec![], bindings, args, tiles, (workgroups, trips))
    }

    fn over(
        &self,
        shader: Source,
        consts: Vec<(&'static str, u32)>,
        bindings: Vec<Decl>,
        args: &[Arg],
        tiles: [usize; 2],
        (workgroups, trips): (u64, usize),
    ) -> Step {
        let per_model = tiles[0] * tiles[1];
        Step {
            spec: Spec { shader, entry: self.op, parts: vec![], bindings, consts },
            params: DenseParams {
                models: self.models as u32,
                rows: self.rows as u32,
                in_quads: (self.inputs / QUAD) as u32,
                out_quads: (self.outputs / QUAD) as u32,
                weights: (self.height() * self.outputs / QUAD) as u32,
                per_model: per_model as u32,
                tiles: (per_model * self.models) as u32,
                bias: self.bias.into(),
            }
            .into(),
            slots: (0..args.len()).map(|i| whole(i, args)).collect(),
            workgroups,
            trips: trips as u64,
        }
    }
}

/// Lanes of a team.
pub(crate) const TEAM: usize = 8;

/// Whether lanes hand one another what they load, for results so many quads wide. A GPU has caches for what neighbours read alike. A
/// software driver makes each load of a quad a loop over the lanes, which costs as much as a hundred products; a broadcast is one
/// instruction. Where most lanes of a team would have no column, it would not win.
pub(crate) fn team(columns: usize, caps: &Caps) -> bool {
    let fixed = caps.subgroups() && caps.subgroup == [TEAM as u32; 2];
    caps.cpu && fixed && 2 * columns > columns.next_multiple_of(TEAM)
}

/// What f32 makes of a sum of rounded products, in any order: each product and each sum rounds once (to either neighbour: one ulp),
/// so no term passes through more than one rounding for each term. Every one of them, and every factor, may also be flushed to zero
/// below the least normal number.
#[cfg(feature = "verify")]
pub(crate) fn sum_of_products(first: f64, factors: impl Iterator<Item = (f64, f64)>) -> Approx {
    let (e, least) = (DType::F32.epsilon(), DType::F32.least_normal());
    let (mut value, mut size, mut widest, mut terms) = (first, first.abs(), 1.0f64, 1.0);
    for (a, b) in factors {
        value += a * b;
        size += (a * b).abs();
        widest = widest.max(a.abs()).max(b.abs());
        terms += 1.0;
    }
    Approx { value, error: (terms * e * size + 4.0 * terms * widest * least) * (1.0 + terms * e) }
}

/// Models, rows, inputs and outputs for the checks: nothing; tiles that are whole and not, in each direction; groups of columns that
/// are whole and not; more tiles than a workgroup holds.
pub(crate) const SHAPES: [[usize; 4]; 10] = [
    [1, 1, 4, 4],
    [0, 3, 4, 8],
    [3, 0, 8, 4],
    [2, 3, 8, 12],
    [7, 8, 12, 4],
    [3, 17, 64, 16],
    [2, 50, 32, 68],
    [1, 37, 68, 32],
    [5, 9, 36, 44],
    [40, 5, 4, 12],
];

/// The layers of a small network, and models of them until the longest argument has about so many elements.
pub(crate) fn benches(elements: usize, longest: impl Fn(Dense) -> usize) -> Vec<Dense> {
    let part = if elements < 1 << 14 { 4 } else { 1 };
    [[64, 128], [128, 64], [64, 12]]
        .map(|[inputs, outputs]| {
            let bias = outputs == 12;
            let one = Dense { op: "", models: 1, rows: 50, inputs: inputs / part, outputs: outputs / part, bias };
            Dense { models: ((elements as f64 / longest(one) as f64).round() as usize).max(1), ..one }
        })
        .into_iter()
        // A quad is the least that there is.
        .filter(|d| d.outputs.is_multiple_of(QUAD))
        .collect()
}
