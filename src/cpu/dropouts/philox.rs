/// One block of Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11).
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut c0, mut c1, mut c2, mut c3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..10 {
        let a = 0xd251_1f53 * u64::from(c0);
        let b = 0xcd9e_8d57 * u64::from(c2);
        let (high_a, low_a) = ((a >> 32) as u32, a as u32);
        let (high_b, low_b) = ((b >> 32) as u32, b as u32);
        [c0, c1, c2, c3] = [high_b ^ c1 ^ k0, low_b, high_a ^ c3 ^ k1, low_a];
        k0 = k0.wrapping_add(0x9e37_79b9);
        k1 = k1.wrapping_add(0xbb67_ae85);
    }
    [c0, c1, c2, c3]
}
