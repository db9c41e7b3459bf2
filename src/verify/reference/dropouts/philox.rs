/// One call of Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11).
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

/// The four normal numbers that a block of random words gives, by Box and Muller's transform of two pairs ("A note on the
/// generation of random normal deviates", 1958): radius √(-2·ln(1 - u)) and angle 2π·v, u and v being the upper 24 bits of a
/// pair's words, over 2^24. A pair gives the cosine, then the sine. No number is past 5.77.
pub fn normals(words: [u32; 4]) -> [f64; 4] {
    let unit = |word: u32| f64::from(word >> 8) / 2f64.powi(24);
    let pair = |a: u32, b: u32| {
        let radius = (-2.0 * (1.0 - unit(a)).ln()).sqrt();
        // From the nearest quarter turn, since π is not exact: the sine of half a turn is 0.
        let quarters = 4.0 * unit(b);
        let (sin, cos) = ((quarters - quarters.round()) * std::f64::consts::FRAC_PI_2).sin_cos();
        let (x, y) = match quarters.round() as u32 % 4 {
            0 => (cos, sin),
            1 => (-sin, cos),
            2 => (-cos, -sin),
            _ => (sin, -cos),
        };
        [radius * x, radius * y]
    };
    let ([a, b], [c, d]) = (pair(words[0], words[1]), pair(words[2], words[3]));
    [a, b, c, d]
}

/// The normal number of element `i`: number i & 3 of the block i >> 2.
pub fn normal(seed: u64, stream: u32, step: u32, i: u64) -> f64 {
    let (block, key) = (i / 4, [seed as u32, (seed >> 32) as u32]);
    normals(philox([block as u32, (block >> 32) as u32, step, stream], key))[(i % 4) as usize]
}
