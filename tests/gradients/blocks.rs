//! DropBlock.
use super::*;

#[test]
fn drop_block_backward_is_the_derivative_of_drop_block() {
    let (session, mut rng) = (Session::new().expect("an adapter"), Rng::new(47));
    let key = Key { seed: 77, stream: 2, step: 9, first_element: 126 };
    for (space, block) in [(Space::channels_first(2, 3, 42), 3), (Space::channels_last(2, 3, 42), 2)] {
        let mut kept = Vec::new();
        for image in 0..6u64 {
            let begins = |i: usize, j: usize| {
                let number = 126 + 42 * image + (7 * i + j) as u64;
                !cpu::keeps(cpu::block_gamma(0.3, block, [6, 7]), 32, 77, 2, 9, number)
            };
            kept.extend(cpu::block_kept(block, [6, 7], begins));
        }
        let factor = DType::F32.nearest(cpu::block_factor(&kept));
        assert!(factor > 1.0, "nothing is dropped");
        let (x, dy) = (draw(&mut rng, 252, -1.0, 1.0), draw(&mut rng, 252, -1.0, 1.0));
        let mut want = vec![0.0; 252];
        for (i, &kept) in kept.iter().enumerate() {
            let at = space.offset(i / 126, i / 42 % 3, i % 42);
            want[at] = slope(x[at], |x| dy[at] * cpu::drop_block(x, kept, factor));
            near("drop_block_backward", &[cpu::drop_block_backward(dy[at], kept, factor)], &[want[at]], |_| TOLERANCE);
        }
        let op = ops::DropBlock::new(DType::F32, space, 7, block, 0.3, key).backward();
        gpu_near(&session, &op, &[f32s(&dy), f32s(&[factor]), f32s(&[0.0; 252])], &[want], |_, _| 0.0);
    }
}
