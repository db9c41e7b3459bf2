//! Augmentation that mixes or erases parts of a batch's samples, with their labels.
//!
//! [`Mixup`] blends two samples (Zhang et al., 2018), [`CutMix`] pastes a box of one image into another (Yun et al., 2019);
//! both mix the labels in the same proportions. [`Cutout`] erases a square (DeVries and Taylor, 2017) or a random rectangle
//! (random erasing, Zhong et al., 2017) and leaves the labels alone.
//!
//! - The batch is a [`Space`](crate::Space) of n samples; images are rows of `width`. Labels are f32 \[n, classes\], one-hot
//!   or soft, and mixed only where `classes` is given. Outputs are new buffers.
//! - Partners, shares and boxes are drawn on the host from the [`Key`](crate::Key), as [`ridgepole::mixing`](crate::mixing)
//!   describes, or given; the method `draw` returns them. By default one share λ or box serves the whole batch, as in the
//!   papers; partners are a random permutation.
//! - A backward pass regenerates them from the same key. Deterministic.
//!
//! # Example
//!
//! ```rust
//! use ridgepole::ops::mixing::Mixup;
//! use ridgepole::{DType, Key, Lambda, Partners, Session, Space};
//!
//! let session = Session::new()?;
//! // Two samples of two values; each takes a quarter of the other.
//! let op = Mixup {
//!     lambda: Lambda::Given(vec![0.75]),
//!     partners: Partners::Roll,
//!     classes: 2,
//!     ..Mixup::new(DType::F32, Space::channels_first(2, 2, 1), 1.0, Key::default())
//! };
//! let (x, labels) = (vec![0.0, 0.0, 1.0, 2.0].into(), vec![1.0, 0.0, 0.0, 1.0].into());
//! let mixed = session.run(&op, &[x, labels])?;
//! assert_eq!(mixed, [vec![0.25, 0.5, 0.75, 1.5].into(), vec![0.75, 0.25, 0.25, 0.75].into()]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Ops
//!
//! <!-- ops: generated, see tests/it/families.rs -->
//!
//! | op | what it computes | formula |
//! |---|---|---|
//! | [`Mixup`]<br>`mixup` | mixup: blends each sample and its label with those of a partner | `y = λ·x + (1 - λ)·x[partner], labels likewise` |
//! | [`MixupBackward`]<br>`mixup_backward` | backward pass of mixup, with regenerated shares and partners | `dx = λ·dy + (1 - λ[i])·dy[i], i being the sample whose partner this one was` |
//! | [`CutMix`]<br>`cutmix` | CutMix: pastes a box of a partner's image into each image and mixes their labels by area | `y = x[partner] inside the box, x outside; labels: λ = 1 - area/(H·W)` |
//! | [`CutMixBackward`]<br>`cutmix_backward` | backward pass of CutMix, with regenerated boxes and partners | `dx = dy outside the box + dy[i] inside the box of i, the sample whose partner this one was` |
//! | [`Cutout`]<br>`cutout` | cutout (a square) or random erasing (a rectangle) of each image | `y = value inside the box, x outside` |
//! | [`CutoutBackward`]<br>`cutout_backward` | backward pass of cutout or random erasing, with regenerated boxes | `dx = 0 inside the box, dy outside` |
//!
//! <!-- /ops -->
mod cutmix;
mod cutmix_backward;
mod cutout;
mod cutout_backward;
mod mixup;
mod mixup_backward;
mod shared;

super::family! {
    mixing: "Mixing of samples",
    mixup::Mixup,
    mixup_backward::MixupBackward,
    cutmix::CutMix,
    cutmix_backward::CutMixBackward,
    cutout::Cutout,
    cutout_backward::CutoutBackward,
}
