//! A step counter on the GPU, which moves only by steps that are made, and the corrections of Adam's moments that follow from it.
#[cfg(feature = "verify")]
use crate::verify::Approx;
use crate::{
    op::{Caps, Lowered, Slot, Step},
    params,
    types::DType,
    wgsl::{Decl, Source, Spec, View, parts},
};

params! { CountParams { blocks: u32, eps: f32 } }

/// What a step's number decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    /// What remains of the moments.
    pub betas: [f64; 2],
    /// What is added to the corrected second moment.
    pub eps: f64,
}

/// 1 - β^n and β^n; the former without the cancellation.
fn powers(beta: f64, n: f64) -> [f64; 2] {
    // 0·ln 0 would be NaN.
    let exponent = if n == 0.0 { 0.0 } else { n * beta.ln() };
    [-exponent.exp_m1(), exponent.exp()]
}

/// The n of each row of the table: a digit to the base of 16, in its place.
fn exponents() -> impl Iterator<Item = f64> {
    (0..8).flat_map(|k| (0..16u64).map(move |digit| (digit << (4 * k)) as f64))
}

impl Counter {
    fn table(self) -> Vec<u8> {
        let rows = exponents().flat_map(|n| self.betas.map(|beta| powers(beta, n)));
        rows.flatten().flat_map(|v| (v as f32).to_le_bytes()).collect()
    }

    /// Reads and moves the counter, which `steps` binds, and puts the corrections behind the flag; nothing of that if the flag
    /// says, by the part `decided`, that the step is skipped.
    pub fn lower(self, steps: Slot, flag: (Decl, Slot), decided: Source, caps: &Caps, out: &mut Lowered) {
        let table = out.table(&self.table(), caps);
        let raw = |name, dtype, ty, writes| Decl { name, dtype, view: View::Raw(ty), writes };
        let counted = raw("steps", DType::U32, "u32", true);
        let spec = Spec {
            shader: parts::optimizer::COUNT_STEP,
            entry: "count_step",
            parts: vec![decided],
            bindings: vec![flag.0, counted, raw("powers", DType::F32, "vec4<f32>", false)],
            consts: vec![],
        };
        let slots = vec![flag.1, steps, Slot::Table(table)];
        let params = CountParams { blocks: 1, eps: self.eps as f32 }.into();
        out.steps.push(Step { spec, params, slots, workgroups: 1, trips: 8 });
    }

    /// 1 - β^t of both, as the kernel adds them up.
    #[cfg(feature = "verify")]
    pub fn lost(self, t: u32) -> [Approx; 2] {
        self.betas.map(|beta| {
            let (mut lost, mut left) = (Approx::exact(0.0), Approx::exact(1.0));
            for k in 0..8 {
                let digit = (t >> (4 * k)) & 15;
                let [gone, remains] = powers(beta, f64::from(digit << (4 * k))).map(Approx::host);
                (lost, left) = (Approx::sum([lost, left.times(gone)]), left.times(remains));
            }
            lost
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's sums in f32 stay within what is claimed, and the claim is a few ulp, whatever the number of the step.
    #[test]
    fn digits_make_up_the_power() {
        let ts = (0..32).flat_map(|k| [1u32 << k, (1u32 << k) | 1, (1u32 << k) - 1, 0x89ab_cdef >> k]).chain([u32::MAX]);
        for beta in [0.0, 0.5, 0.9, 0.999, 0.999_999, 1.0 - 2f64.powi(-24), 1.0 - 1e-7] {
            for t in ts.clone().filter(|t| *t > 0) {
                let counter = Counter { betas: [beta; 2], eps: 0.0 };
                let words: Vec<f32> =
                    counter.table().chunks(4).map(|c| f32::from_le_bytes(c.try_into().expect("four bytes"))).collect();
                assert_eq!(words.len(), 128 * 4);
                let (mut lost, mut left) = (0f32, 1f32);
                for k in 0..8 {
                    let row = 4 * (16 * k + ((t >> (4 * k)) & 15) as usize);
                    (lost, left) = (lost + left * words[row], left * words[row + 1]);
                    assert_eq!(words[row..row + 2], words[row + 2..row + 4], "both are the same");
                }
                let (exact, claim) = (powers(beta, f64::from(t))[0], counter.lost(t)[0]);
                let at = format!("beta {beta}, t {t}: {lost}, exactly {exact}, claim {claim:?}");
                assert!((claim.value - exact).abs() <= 1e-14 * exact, "{at}");
                assert!((f64::from(lost) - exact).abs() <= claim.error, "{at}");
                assert!(claim.error <= 30.0 * f64::from(f32::EPSILON) * exact, "{at}");
            }
        }
        assert_eq!(Counter { betas: [0.0; 2], eps: 0.0 }.lost(7)[0], Approx::exact(1.0), "nothing remains, exactly");
    }
}
