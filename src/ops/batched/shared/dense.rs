//! Dense layers of many models of one shape: what their three ops have in common.
use crate::{
    kernels::linear_models::{all, items},
    op::{Access, Arg, Caps, Lowered, MAX_TRIPS, Step},
    ops::batched::shared::model_batch,
    params,
    types::Error,
    wgsl::{Source, Spec},
};
#[cfg(feature = "verify")]
use crate::{op::Verify, types::DType, verify::Approx};

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

/// How the work of one of the ops is divided.
pub(crate) struct Tiling {
    /// The kernel, and the one whose lanes are a [`team`].
    pub kernels: [Source; 2],
    /// The rows of the result, and how many a tile has in either kernel.
    pub down: (usize, [usize; 2]),
    /// The columns of the result.
    pub across: usize,
    /// The longest loop of a lane.
    pub trips: usize,
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

    /// The shape, and that the device can bind each buffer whole.
    pub fn check(&self, caps: &Caps, args: &[Arg]) -> Result<(), Error> {
        check_columns(self.op, "inputs", self.inputs)?;
        check_columns(self.op, "outputs", self.outputs)?;
        model_batch::check(self.op, caps, args)
    }

    /// The dispatch: a lane for each tile, or a workgroup where lanes are a [`team`]. `p` is bound by single values, all else by quads.
    ///
    /// # Errors
    /// As [`Dense::check`].
    pub fn lower(&self, caps: &Caps, args: &[Arg], of: &Tiling) -> Result<Lowered, Error> {
        self.check(caps, args)?;
        let mut out = Lowered::default();
        if self.models == 0 || self.rows == 0 {
            return Ok(out);
        }
        let columns = of.across / QUAD;
        let team = team(columns, caps);
        let which = usize::from(team);
        let across = if team { columns.div_ceil(TEAM) } else { columns };
        let per_model = of.down.0.div_ceil(of.down.1[which]) * across;
        let (tiles, lanes) = (per_model * self.models, model_batch::lanes(caps));
        let binding = |arg: &Arg| {
            let writes = arg.access != Access::Read;
            if arg.name == "p" { items(arg.name, writes) } else { model_batch::quads(arg.name, writes) }
        };
        out.steps.push(Step {
            spec: Spec {
                shader: of.kernels[which],
                entry: self.op,
                parts: vec![],
                bindings: args.iter().map(binding).collect(),
                consts: if team { vec![] } else { vec![("WG", lanes)] },
            },
            params: DenseParams {
                models: self.models as u32,
                rows: self.rows as u32,
                in_quads: (self.inputs / QUAD) as u32,
                out_quads: (self.outputs / QUAD) as u32,
                weights: (self.height() * self.outputs / QUAD) as u32,
                per_model: per_model as u32,
                tiles: tiles as u32,
                bias: self.bias.into(),
            }
            .into(),
            slots: all(args),
            workgroups: if team { tiles as u64 } else { (tiles as u64).div_ceil(u64::from(lanes)) },
            trips: of.trips as u64,
        });
        Ok(out)
    }
}

/// Lanes of a team.
const TEAM: usize = 8;

/// Whether lanes hand one another what they load, for results so many quads wide. A GPU has caches for what neighbours read alike. A
/// software driver makes each load of a quad a loop over the lanes, which costs as much as a hundred products; a broadcast is one
/// instruction. Where most lanes of a team would have no column, it would not win.
fn team(columns: usize, caps: &Caps) -> bool {
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
#[cfg(feature = "verify")]
const SHAPES: [[usize; 4]; 10] = [
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

#[cfg(feature = "verify")]
/// Layers of these shapes that have rows enough, with and without bias.
pub(crate) fn cases(least_rows: usize, op: impl Fn(Dense) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let shapes = SHAPES.into_iter().filter(|[_, rows, ..]| *rows >= least_rows);
    let each = |[models, rows, inputs, outputs]: [usize; 4]| {
        [false, true].map(|bias| op(Dense { op: "", models, rows, inputs, outputs, bias }))
    };
    shapes.flat_map(each).collect()
}

#[cfg(feature = "verify")]
/// The layers of a small network, and models of them until the longest argument has about so many elements.
pub(crate) fn benches(elements: usize, op: impl Fn(Dense) -> Box<dyn Verify>) -> Vec<Box<dyn Verify>> {
    let part = if elements < 1 << 14 { 4 } else { 1 };
    [[64, 128], [128, 64], [64, 12]]
        .map(|[inputs, outputs]| {
            let one = Dense { op: "", models: 1, rows: 50, inputs: inputs / part, outputs: outputs / part, bias: outputs == 12 };
            let longest = one.batch(one.inputs).max(one.batch(one.outputs)).max(one.weights());
            Dense { models: ((elements as f64 / longest as f64).round() as usize).max(1), ..one }
        })
        .into_iter()
        // A quad is the least that there is.
        .filter(|d| d.outputs.is_multiple_of(QUAD))
        .map(op)
        .collect()
}
