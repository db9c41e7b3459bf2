//! DropBlock.
use crate::{op, plain_gpu, refused};
use ridgepole::{DType, Key, Op, Share, Space, ops::*};

/// The same mistake in the forward and in the backward op.
fn both(change: impl Fn(&mut DropBlock), want: &str) {
    let mut forward = DropBlock::new(DType::F32, Space::channels_first(2, 3, 20), 5, 2, 0.5, Key::default());
    change(&mut forward);
    refused(&[(op(forward.backward()), &format!("drop_block_backward: {want}")), (op(forward), &format!("drop_block: {want}"))]);
}

#[test]
fn images_blocks_and_keys_of_drop_block() {
    both(|d| d.dtype = DType::U32, "`dtype` is U32, must be f32, f16 or bf16");
    both(|d| d.p = 1.5, "`p` is 1.5, must be in 0..=1: the probability of dropping an element");
    both(|d| d.width = 6, "`width` is 6, must divide the 20 positions of `space`: it is their columns, W of H·W");
    for block in [0, 5, 33, usize::MAX] {
        both(|d| d.block = block, &format!("`block` is {block}, must be 1 to 32 and fit the images of 4 x 5"));
    }
    let large = Space::channels_first(1, 1, 1600);
    both(|d| (d.space, d.width, d.block) = (large, 40, 33), "`block` is 33, must be 1 to 32 and fit the images of 40 x 40");
    for share in [Share::Channel, Share::Sample, Share::BatchChannel, Share::Batch] {
        let want =
            format!("`share` is {share:?}, must leave positions apart: element, position, batch_element or batch_position");
        both(|d| d.share = share, &want);
    }
    let at = |first_element| Key { first_element, ..Key::default() };
    let want = "`key` has first_element 20, must be a multiple of 60, the elements of a sample (Position)";
    both(|d| d.key = at(20), want);
    let want = "`key` has first_element 18446744073709551600: with 120 elements it passes 2^64";
    both(|d| d.key = at(18_446_744_073_709_551_600), want);
    let many = Space::channels_first(1 << 12, 1 << 10, 1 << 10);
    both(|d| (d.space, d.width) = (many, 32), "`space` has 4294967296 decisions, must have at most 2^31: split it");
}

#[test]
fn what_drop_block_draws_is_bound_at_once() {
    let space = Space::channels_first(1 << 11, 1 << 10, 1 << 10);
    let forward = DropBlock::new(DType::F32, space, 32, 7, 0.1, Key::default());
    let want = "not possible on this device: needs to bind the mask of 268435456 bytes at once, max_storage_buffer_binding_size is 134217728";
    refused(&[
        (op(forward.backward()), &format!("drop_block_backward: {want}")),
        (op(forward.clone()), &format!("drop_block: {want}")),
    ]);
    let half = DropBlock { space: Space { n: 1 << 10, ..space }, ..forward.clone() };
    let want = |bytes| {
        format!(
            "not possible on this device: needs to bind seeds, mask and counts of {bytes} bytes at once, max_storage_buffer_binding_size is 134217728"
        )
    };
    refused(&[
        (op(half.backward()), &format!("drop_block_backward: {}", want(268_435_456))),
        (op(half), &format!("drop_block: {}", want(268_566_528))),
    ]);
    let shared = DropBlock { share: Share::Position, ..forward };
    assert!(shared.lower(&plain_gpu()).is_ok(), "the same blocks in all channels take a bit for all");
}
