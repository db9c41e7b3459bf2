//! Augmentation of a batch with its labels.
mod cutmix;
mod cutmix_backward;
mod cutout;
mod cutout_backward;
mod mixup;
mod mixup_backward;

super::family! {
    mixing: "Mixing of samples",
    mixup::Mixup,
    mixup_backward::MixupBackward,
    cutmix::CutMix,
    cutmix_backward::CutMixBackward,
    cutout::Cutout,
    cutout_backward::CutoutBackward,
}
