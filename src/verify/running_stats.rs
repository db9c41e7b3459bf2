//! Running statistics as kernels update them.
use crate::{options::RunningUpdate, verify::Approx};

impl RunningUpdate {
    /// What becomes of a running value.
    pub(crate) fn follow(self, old: f64, new: Approx) -> Approx {
        self.after(Approx::exact(old), new)
    }

    /// The same, of one that is itself a result.
    pub(crate) fn after(self, old: Approx, new: Approx) -> Approx {
        let a = self.share();
        Approx::sum([old.times(Approx::host(1.0 - a)), new.times(Approx::host(a))])
    }
}
