//! Samples mixed with one another, and parts of them erased.
mod cutmix;
mod cutmix_backward;
mod cutout;
mod cutout_backward;
mod mixup;
mod mixup_backward;

pub use cutmix::{cutmix, inside};
pub use cutmix_backward::cutmix_backward;
pub use cutout::cutout;
pub use cutout_backward::cutout_backward;
pub use mixup::mixup;
pub use mixup_backward::mixup_backward;
