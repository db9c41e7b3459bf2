//! A dense layer backward, to its weights. Kernel: `cli/shaders/dense_weight_grad.wgsl`.
use super::{DENSE_WEIGHT_GRAD, Tiles, lanes, quads, sum_bound};
use ridgepole::{Arg, Caps, DType, Error, Expected, HostData, Lowered, MAX_TRIPS, Op, Pattern, Slot, Step, params, wgsl::Spec};

params! { WeightGradParams { batch: u32, in_quads: u32, out_quads: u32, tiles: u32 } }

/// `dw = xᵀ·dy`, and the column sums of `dy` behind it if there is a bias.
///
/// Reads `x` f32\[batch, inputs] and `dy` f32\[batch, outputs]; writes `dw` f32\[inputs (+ 1), outputs]. `inputs` and
/// `outputs` are multiples of 4, `batch` is 1 to 8192. Deterministic. No scratch.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseWeightGrad {
    /// Rows of `x` and `dy`.
    pub batch: usize,
    /// Columns of `x`.
    pub inputs: usize,
    /// Columns of `dy`.
    pub outputs: usize,
    /// Whether `dw` ends with the gradient of a bias.
    pub bias: bool,
}

const NAME: &str = "dense_weight_grad";

impl Op for DenseWeightGrad {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::read("x", DType::F32, self.batch * self.inputs),
            Arg::read("dy", DType::F32, self.batch * self.outputs),
            Arg::write("dw", DType::F32, (self.inputs + usize::from(self.bias)) * self.outputs),
        ]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        if self.batch == 0 || self.batch as u64 > MAX_TRIPS {
            return Err(Error::argument(NAME, "batch", format!("is {}, must be in 1..={MAX_TRIPS}", self.batch)));
        }
        let bias = u64::from(self.bias);
        let t = Tiles::new(NAME, caps, [self.batch, self.inputs, self.outputs], |[m, n, _]| (m + bias) * n)?;
        let args = self.args();
        let step = Step {
            spec: Spec {
                shader: DENSE_WEIGHT_GRAD,
                entry: "dense_weight_grad",
                parts: vec![],
                bindings: vec![quads("x", false), quads("dy", false), quads("dw", true)],
                consts: vec![("WG", lanes(caps))],
            },
            params: WeightGradParams { batch: self.batch as u32, in_quads: t.in_quads, out_quads: t.out_quads, tiles: t.tiles }
                .into(),
            slots: args.iter().enumerate().map(|(i, a)| Slot::Arg(i, 0..a.bytes())).collect(),
            workgroups: t.workgroups,
            trips: self.batch as u64,
        };
        let mut out = Lowered::default();
        out.push(step);
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny]
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let (x, dy) = (args[0].to_f64(), args[1].to_f64());
        let (mut value, mut bound) = (Vec::new(), Vec::new());
        for i in 0..self.inputs + usize::from(self.bias) {
            for o in 0..self.outputs {
                let input = |b: usize| if i < self.inputs { x[b * self.inputs + i] } else { 1.0 };
                let terms = (0..self.batch).map(|b| input(b) * dy[b * self.outputs + o]);
                let (sum, size) = terms.fold((0.0, 0.0), |(s, m), t: f64| (s + t, m + t.abs()));
                value.push(sum);
                bound.push(sum_bound(self.batch, size));
            }
        }
        vec![Expected::Within { value, bound }]
    }
}

pub(super) fn cases() -> Vec<Box<dyn Op>> {
    let mut out: Vec<Box<dyn Op>> = Vec::new();
    for (batch, inputs, outputs) in [(1, 4, 4), (3, 8, 12), (50, 64, 128), (37, 12, 68), (130, 20, 4)] {
        for bias in [false, true] {
            out.push(Box::new(DenseWeightGrad { batch, inputs, outputs, bias }));
        }
    }
    out
}
