//! Gradients with normal noise. Kernel: `shaders/transforms/gradient_noise.wgsl`. Reference: `cpu::gradient_noise`.
use crate::{
    kernel,
    kernels::{
        arena::ArenaWindow,
        gradients::{Gradients, Pass},
        philox::{self, Draw},
    },
    op::{Arg, Caps, Cost, Lowered, Op},
    options::{Key, NoiseLevel, check_derived},
    params,
    types::{DType, Error, HostData, Segment},
};
#[cfg(feature = "verify")]
use crate::{
    kernels::arena::arena_benches,
    kernels::arena::arena_cases,
    op::{Expected, Pattern, Rng, Verify},
    verify::{Approx, reference},
};
use ridgepole_derive::op;

params! { GradientNoiseParams { window: ArenaWindow, sigma: f32, draw: Draw } }

/// Adds Gaussian noise to all gradients of an arena, g = g + σ·z with standard normal z: `optax.add_noise`.
///
/// Updates `grad`, the arena's elements. z is a function of the key and of the element's place in the arena alone (plus the
/// key's `first_element`, which must be a multiple of 4): normal number i & 3 of Philox call i >> 2, by Box and Muller's
/// transform. So it does not depend on storage type, windows, device or the rest of the arena; the parts of a model that is
/// split over devices, each with its `first_element`, get the same noise as the whole. |z| is at most 5.77. The key's `step`
/// is also the t of [`NoiseLevel::Annealed`], counted from 0. NaN and infinities are kept. With σ = 0 nothing changes.
/// Deterministic. One dispatch per window, and one for an end that is no whole quad. No scratch. There is no backward pass.
///
/// Error: z within 16 ulp ([`Approx::normal`](crate::verify::Approx::normal)), σ rounded to f32, a product, a sum, and the store.
/// Neelakantan et al., "Adding gradient noise improves learning for very deep networks", 2015.
#[op(
    name = "gradient_noise",
    summary = "Gaussian noise added to all gradients of an arena, annealed over the steps or constant",
    formula = "g += σ·z, z normal, σ² = eta / (1 + t)^gamma (constant: σ)"
)]
pub struct GradientNoise {
    /// How gradients are stored.
    pub dtype: DType,
    /// The tensors of the arena, in ascending order; their groups do not matter.
    pub segments: Vec<Segment>,
    /// How strong the noise is.
    pub level: NoiseLevel,
    /// What it is drawn from; `first_element` is a multiple of 4.
    pub key: Key,
}

impl GradientNoise {
    /// One tensor of `len` elements, with the paper's schedule.
    pub fn new(dtype: DType, len: usize, eta: f64, key: Key) -> Self {
        Self { dtype, segments: Segment::one(len), level: NoiseLevel::annealed(eta), key }
    }

    fn gradients(&self) -> Gradients<'_> {
        Gradients { name: NAME, dtype: self.dtype, segments: &self.segments }
    }

    fn std(&self) -> f64 {
        match self.level {
            NoiseLevel::Annealed { eta, gamma } => (eta / (1.0 + f64::from(self.key.step)).powf(gamma)).sqrt(),
            NoiseLevel::Constant { std } => std,
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.level.check(NAME)?;
        check_derived(NAME, "level", "σ", self.std())?;
        let (first, len) = (self.key.first_element, Segment::arena_len(&self.segments));
        let bad = |why: String| Err(Error::argument(NAME, "key", why));
        if !first.is_multiple_of(4) {
            return bad(format!("has first_element {first}, must be a multiple of 4, as the start of a tensor is"));
        }
        if first.checked_add(len as u64).is_none() {
            return bad(format!("has first_element {first}: with {len} elements it passes 2^64"));
        }
        Ok(())
    }
}

impl Op for GradientNoise {
    fn name(&self) -> &'static str {
        NAME
    }

    fn args(&self) -> Vec<Arg> {
        vec![self.gradients().updated()]
    }

    fn lower(&self, caps: &Caps) -> Result<Lowered, Error> {
        self.check()?;
        let (gradients, key, quad) = (self.gradients(), self.key, self.key.first_element / 4);
        let std = self.std() as f32;
        if std == 0.0 {
            return gradients.arena(caps).map(|_| Lowered::default());
        }
        // Ten rounds of the generator for each quad.
        let rounds = 10 * u64::from(caps.quads);
        let pass =
            Pass { parts: vec![philox::mul_wide(caps)], trips: rounds, ..Pass::map(kernel!("transforms/gradient_noise"), NAME) };
        gradients.map(caps, pass, |window| GradientNoiseParams { window, sigma: std, draw: Draw::new(&key, quad) }.into())
    }

    fn cost(&self) -> Cost {
        self.gradients().cost(2)
    }
}

#[cfg(feature = "verify")]
impl Verify for GradientNoise {
    fn patterns(&self) -> Vec<Pattern> {
        vec![Pattern::Ordinary, Pattern::Zeros, Pattern::Tiny, Pattern::NonFinite]
    }

    fn fill(&self, arg: &Arg, rng: &mut Rng, pattern: Pattern) -> HostData {
        self.gradients().fill(arg, self.domain(arg), rng, pattern)
    }

    fn reference(&self, args: &[HostData]) -> Vec<Expected> {
        let Key { seed, stream, step, first_element } = self.key;
        let std = match self.level {
            NoiseLevel::Annealed { eta, gamma } => reference::annealed_noise(eta, gamma, step),
            NoiseLevel::Constant { std } => std,
        };
        let noisy = |i: usize, g: f64| {
            let z = reference::normal(seed, stream, step, first_element + i as u64);
            let value = reference::gradient_noise(std, z, g);
            // Without noise no dispatch is made.
            if std as f32 == 0.0 || !value.is_finite() {
                return Approx::exact(value);
            }
            Approx { value, ..Approx::sum([Approx::exact(g), Approx::normal(z).scaled(std)]) }
        };
        vec![self.gradients().mapped(&args[0], noisy)]
    }
}

#[cfg(feature = "verify")]
fn cases() -> Vec<Box<dyn Verify>> {
    let levels = [
        NoiseLevel::annealed(0.3),
        NoiseLevel::Constant { std: 0.25 },
        NoiseLevel::Annealed { eta: 1.0, gamma: 0.0 },
        NoiseLevel::Annealed { eta: 1e-6, gamma: 1.5 },
        NoiseLevel::Constant { std: 0.0 },
    ];
    arena_cases(3, |dtype, segments, n| {
        // A step of the generator that carries into the high word of the quad's number.
        let first_element = [0, 4, (1 << 34) - 64, 1 << 40][n / 2 % 4];
        let key = Key { seed: 0x0123_4567_89ab_cdef, stream: 3, step: [0, 1, 1000, u32::MAX][n % 4], first_element };
        Box::new(GradientNoise { dtype, segments, level: levels[n % 5], key })
    })
}

#[cfg(feature = "verify")]
fn bench(elements: usize) -> Vec<Box<dyn Verify>> {
    arena_benches(elements, |dtype, segments| {
        Box::new(GradientNoise { dtype, segments, level: NoiseLevel::annealed(0.3), key: Key::default() })
    })
}
