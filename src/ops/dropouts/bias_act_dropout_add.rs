//! Bias, activation, dropout and residual in one pass. Kernel: `shaders/dropouts/bias_act_dropout_add.wgsl`. Reference:
//! `cpu::bias_act_dropout_add`.
use crate::{
    Activation, Approx, Arg, Bits, Caps, DType, Error, Expected, HostData, Key, Lowered, Op, Pattern, Rng, Share, Slot, Space,
    channels::{Channels, position, vector, whole},
    cpu, kernel,
    masked::{Decisions, Masked, Rule},
    ops::{Entry, dropouts::dropout::reference::kept},
    tile,
    wgsl::{Decl, View, part},
    words::{self, Tail, windows},
};
use serde::{Deserialize, Serialize};

pub(super) mod table;

/// y = residual + m·act(x + bias)/(1-p): the end of a layer's branch, in one pass. Each of bias, activation and residual
/// may be absent.
///
/// Reads `x` (n·c·s elements), `bias` (c values, f32) and `residual` (as `x`). Writes `y` (as `x`). m is the mask of
/// [`Dropout`](super::Dropout) with these fields, scaled as there ("inverted"), and is drawn again by
/// [`BiasActDropoutAddBackward`](super::BiasActDropoutAddBackward). After training, p is 0. Where the branch is dropped, y is
/// `residual` bit by bit (+0 without one), whatever `x` holds. Deterministic. One dispatch, more for windows; no scratch.
///
/// Error: an ulp for each operation, the error of the activation ([`Activation`]), and the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BiasActDropoutAdd {
    /// How `x`, `residual` and `y` are stored.
    pub dtype: DType,
    /// Their shape. With a bias, c·s is at most 2^30 (channels last: c).
    pub space: Space,
    /// The probability of dropping, 0 to 1, both included.
    pub p: f64,
    /// What the mask is drawn from.
    pub key: Key,
    /// Which elements share a decision.
    #[serde(default)]
    pub share: Share,
    /// Random bits per decision.
    #[serde(default)]
    pub bits: Bits,
    /// The activation.
    #[serde(default)]
    pub act: Activation,
    /// Whether there is a bias.
    #[serde(default = "crate::channels::yes")]
    pub bias: bool,
    /// Whether there is a residual.
    #[serde(default = "crate::channels::yes")]
    pub residual: bool,
}

const NAME: &str = "bias_act_dropout_add";

impl BiasActDropoutAdd {
    /// With bias and residual, without activation; a decision per element of 16 bits.
    pub fn new(dtype: DType, space: Space, p: f64, key: Key) -> Self {
        let (share, bits, act) = Default::default();
        Self { dtype, space, p, key, share, bits, act, bias: true, residual: true }
    }

    /// The backward pass of this.
    pub fn backward(&self) -> super::BiasActDropoutAddBackward {
        let Self { dtype, space, p, key, share, bits, act, bias, .. } = *self;
        super::BiasActDropoutAddBackward { dtype, space, p, key, share, bits, act, bias }
    }

    /// The mask, under the name of `op`; what is kept is multiplied by the factor.
    pub(super) fn masked(&self, op: &'static str) -> (Masked, f64) {
        let Self { dtype, space, p, key, share, bits, .. } = *self;
        let masked = Masked { op, dtype, space, p, key, share, bits };
        (masked, bits.range() as f64 / masked.threshold().max(1) as f64)
    }

    /// What is wrong with the fields, under the name of `op`.
    pub(super) fn check(&self, op: &'static str) -> Result<(), Error> {
        self.masked(op).0.check()?;
        self.act.check_field(op, "act")?;
        let sample = self.sample();
        if self.bias && sample > 1 << 30 {
            return Err(Error::argument(
                op,
                "space",
                format!("has {sample} places after which the bias repeats, must be at most 2^30"),
            ));
        }
        Ok(())
    }

    /// After how many elements the bias repeats.
    fn sample(&self) -> u64 {
        let Channels { channels, inner, .. } = Channels::of(&self.space);
        channels.saturating_mul(inner)
    }

    /// The bindings of `lib/bias_given` for a window.
    pub(super) fn plane(&self, out: &mut Lowered, caps: &Caps, args: &[Arg], piece: &tile::Piece) -> Vec<(Decl, Slot)> {
        let Channels { channels, inner, .. } = Channels::of(&self.space);
        let words = [(piece.elements.start % self.sample()) as u32, inner as u32, channels as u32];
        let table = out.table(bytemuck::cast_slice(&words), caps);
        let plane = Decl { name: "plane", dtype: DType::U32, view: View::Raw("u32"), writes: false };
        let bias = position(args, "bias").expect("an argument");
        vec![(vector("bias", false), whole(args, bias)), (plane, Slot::Table(table))]
    }

    pub(super) fn decisions(&self) -> Decisions<'static> {
        if self.bits.threshold(self.p) == self.bits.range() { Decisions::All } else { Decisions::Drawn(None) }
    }

    /// Which elements are kept, and the factor as the kernel has it.
    pub(super) fn mask(&self) -> (Vec<bool>, f64) {
        let keep = cpu::keep(self.p, if self.bits == Bits::Sixteen { 16 } else { 32 });
        let factor = if keep == 0.0 { 0.0 } else { f64::from((1.0 / keep) as f32) };
        (kept(&self.space, self.p, &self.key, self.share, self.bits), factor)
    }

    /// The bias of every element, in the order of memory.
    pub(super) fn biases(&self, bias: Option<&HostData>) -> Vec<f64> {
        let (mut out, space) = (vec![0.0; self.space.len()], &self.space);
        if let Some(bias) = bias {
            let bias = bias.to_f64();
            for (c, b) in bias.iter().enumerate() {
                crate::channels::places(space, c).into_iter().for_each(|i| out[i] = *b);
            }
        }
        out
    }

    /// x + bias as the kernel has it.
    pub(super) fn biased(&self, x: f64, bias: f64) -> Approx {
        if self.bias { Approx::sum([Approx::exact(x), Approx::exact(bias)]) } else { Approx::exact(x) }
    }
}

impl Op for BiasActDropoutAdd {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        let len = self.space.len();
        let mut args = vec![Arg::read("x", self.dtype, len)];
        args.extend(self.bias.then(|| Arg::read("bias", DType::F32, self.space.c)));
        args.extend(self.residual.then(|| Arg::read("residual", self.dtype, len)));
        args.push(Arg::write("y", self.dtype, len));
        args
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        let (args, mut out) = (self.args(), Lowered::default());
        self.check(NAME)?;
        let (masked, factor) = self.masked(NAME);
        let place = |name| position(&args, name).map(|i| (i, &args[i]));
        let y = place("y").expect("an argument");
        if masked.threshold() == 0 {
            let caps = &windows(caps);
            out.steps = match place("residual") {
                Some(residual) => words::copy(NAME, caps, residual, y)?,
                None => words::fill(NAME, caps, y, 0, Tail::of(y.1))?,
            };
            return Ok(out);
        }
        let rule = Rule {
            shader: kernel!("dropouts/bias_act_dropout_add"),
            entry: NAME,
            scalars: [factor, 0.0, 0.0],
            consts: &self.act.consts(),
        };
        let mut tensors = vec![("x", (0, &args[0]))];
        tensors.extend(place("residual").map(|r| ("residual", r)));
        let reads = tensors.len();
        tensors.push(("y", y));
        let bias = part(if self.bias { "lib/bias_given" } else { "lib/bias_none" });
        let onto = part(if self.residual { "lib/residual_given" } else { "lib/residual_none" });
        let mut beside = |piece: &_| if self.bias { self.plane(&mut out, caps, &args, piece) } else { vec![] };
        let parts = [bias, self.act.part(), onto];
        let steps = masked.steps_with(caps, &rule, &tensors, reads, self.decisions(), &parts, &mut beside)?;
        out.steps = steps;
        Ok(out)
    }

    fn patterns(&self) -> Vec<Pattern> {
        table::patterns()
    }

    fn domain(&self, arg: &Arg) -> [f64; 2] {
        table::domain(arg)
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        table::fill(arg, rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let all = self.args();
        let data = |name| position(&all, name).map(|i| &args[i]);
        let (x, bias, (kept, factor)) = (args[0].to_f64(), self.biases(data("bias")), self.mask());
        let residual = data("residual").map_or_else(|| vec![0.0; x.len()], HostData::to_f64);
        let (mut value, mut bound) = (vec![], vec![]);
        for i in 0..x.len() {
            let v = cpu::bias_act_dropout_add(x[i], bias[i], residual[i], kept[i], factor, self.act);
            let flushed = if residual[i].abs() < DType::F32.least_normal() { residual[i].abs() } else { 0.0 };
            value.push(v);
            bound.push(match (kept[i], v.is_finite() && (x[i] + bias[i]).is_finite()) {
                // The residual as it is, or what a device flushes of it.
                (false, _) => flushed,
                (true, false) if v.is_finite() => flushed + self.dtype.rounding(v),
                (true, false) => 0.0,
                (true, true) => {
                    let [act, _] = self.act.approx(self.biased(x[i], bias[i]));
                    let branch = act.times(Approx::exact(factor));
                    let sum = if self.residual { Approx::sum([branch, Approx::exact(residual[i])]) } else { branch };
                    sum.stored(self.dtype)
                }
            });
        }
        vec![Expected::Within { value, bound }]
    }
}

pub(super) const ENTRY: Entry = Entry {
    name: NAME,
    summary: "bias, activation, dropout and residual add in one pass; all but the dropout are optional",
    formula: "y = residual + m·act(x + bias)/(1-p), m = 1 with probability 1-p",
    fields: table::FIELDS,
    cases: table::forward,
    bench: table::forward_bench,
    parse: crate::ops::parse::<BiasActDropoutAdd>,
};
