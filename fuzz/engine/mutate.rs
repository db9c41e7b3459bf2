//! Inputs made of others.
use ridgepole::Rng;

/// Where counts and sizes go wrong.
pub const INTEGERS: [u64; 40] = [
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    12,
    15,
    16,
    31,
    32,
    33,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    257,
    1000,
    1023,
    1024,
    4096,
    (1 << 16) - 1,
    1 << 16,
    (1 << 20) + 4,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 34) - 4,
    1 << 34,
    1 << 40,
    1 << 62,
    i64::MAX as u64,
    u64::MAX - 3,
    u64::MAX,
];

/// Less than `n`, which is not 0.
pub fn below(rng: &mut Rng, n: usize) -> usize {
    ((u64::from(rng.word()) * n as u64) >> 32) as usize
}

/// One of `all`, which are not none.
pub fn pick<'a, T>(rng: &mut Rng, all: &'a [T]) -> &'a T {
    &all[below(rng, all.len())]
}

/// Inputs are at most so long.
const LONGEST: usize = 64 << 10;

/// Bytes changed in one to four places, with `words` that mean something to who reads them.
pub fn bytes(rng: &mut Rng, input: &[u8], others: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..1 + below(rng, 4) {
        change(rng, &mut out, others, words);
    }
    out.truncate(LONGEST);
    out
}

fn change(rng: &mut Rng, out: &mut Vec<u8>, others: &[Vec<u8>], words: &[&str]) {
    let at = below(rng, out.len() + 1);
    let some = |rng: &mut Rng, left: usize| {
        let most = if rng.unit() < 0.7 { left.min(16) } else { left };
        below(rng, most + 1)
    };
    match below(rng, 12) {
        0 if at < out.len() => out[at] ^= 1 << below(rng, 8),
        1 if at < out.len() => {
            out[at] = *pick(rng, &[0, 1, 9, 10, 13, 0x20, 0x22, 0x2c, 0x3b, 0x7f, 0x80, 0xff, 0xef, 0x1f, 0x8b])
        }
        2 if at < out.len() => out[at] = rng.word() as u8,
        3 => {
            let len = some(rng, out.len() - at);
            drop(out.drain(at..at + len));
        }
        4 => {
            let len = some(rng, out.len() - at);
            let part = out[at..at + len].to_vec();
            let to = below(rng, out.len() + 1);
            drop(out.splice(to..to, part));
        }
        5 => out.truncate(at),
        6 if !others.is_empty() => {
            let other = pick(rng, others);
            let from = below(rng, other.len() + 1);
            let len = some(rng, other.len() - from);
            let over = if rng.unit() < 0.5 { some(rng, out.len() - at) } else { 0 };
            drop(out.splice(at..at + over, other[from..from + len].iter().copied()));
        }
        7 | 8 if !words.is_empty() => {
            let word = pick(rng, words).as_bytes();
            let over = if rng.unit() < 0.5 { some(rng, out.len() - at).min(word.len()) } else { 0 };
            drop(out.splice(at..at + over, word.iter().copied()));
        }
        // A number as text.
        9 => {
            let digit = |b: &u8| b.is_ascii_digit();
            if let Some(start) = out[at..].iter().position(digit).map(|i| at + i) {
                let len = out[start..].iter().take_while(|b| digit(b)).count();
                let number = pick(rng, &INTEGERS).to_string();
                drop(out.splice(start..start + len, number.into_bytes()));
            }
        }
        // A number as bytes, in either order.
        10 if out.len() >= 4 => {
            let at = at.min(out.len() - 4);
            let number = *pick(rng, &INTEGERS) as u32;
            out[at..at + 4].copy_from_slice(&if rng.unit() < 0.5 { number.to_le_bytes() } else { number.to_be_bytes() });
        }
        _ if out.len() >= 8 => {
            let at = at.min(out.len() - 8);
            out[at..at + 8].copy_from_slice(&pick(rng, &INTEGERS).to_le_bytes());
        }
        _ => out.push(rng.word() as u8),
    }
}
