//! What happens to each sample of a batch in augmentation: the vocabulary of the mixing ops, and how it is drawn on the host.
//!
//! Every number is a function of the key alone, so a loss can be told what its labels became, and a run can be repeated. With
//! `Key::first_element` = i·C·S, the first sample counts as number i: each part of a batch that is split over calls draws what
//! is drawn for a sample as the whole would have drawn it. Partners are found within a call.
//!
//! A draw takes words of Philox4x32-10 under the key: block purpose·2^60 + number·2^8 + attempt, where the number is that of the
//! sample, or 0 where one draw serves the whole batch. Two words (a, b) make the 64-bit number w = a + 2^32·b; it gives
//! (⌊w/2^11⌋ + 1)/2^53 as a number in (0, 1], and ⌊w·n/2^64⌋ as a number below n.
//!
//! - Purpose 1, λ from Beta(α, α). α ≥ ½ (Ulrich, "Computer generation of distributions on the m-sphere", 1984): with U, V from
//!   words 0, 1 and 2, 3, λ = (1 + √(1 - U^(2/(2α-1)))·cos 2πV)/2. α < ½ (Jöhnk, "Erzeugung von betaverteilten und
//!   gammaverteilten Zufallszahlen", 1964): X = U^(1/α), Y = V^(1/α), λ = X/(X + Y) in the first attempt for which X + Y ≤ 1. A λ
//!   below 2^-126 is 0, as it would be in f32.
//! - Purpose 2, a shuffle (Fisher and Yates; Durstenfeld 1964): i from n-1 down to 1 changes places with a number below i+1 that
//!   words 0, 1 of block i (counted from the call's first sample) give.
//! - Purpose 3, the centre of a box: row below H by words 0, 1, column below W by words 2, 3.
//! - Purpose 4, random erasing: attempt 255 decides by words 0, 1 whether there is any, U ≤ p. Then in tries t = 0 to 9, block 2t
//!   gives area and aspect ratio, block 2t+1 row and column.
mod draws;
mod samples;
mod table;

pub(crate) use draws::{beta, centre, erased};
pub(crate) use samples::{Images, Map, box_row, check_erasing, first_sample, table_bytes};
pub(crate) use table::*;
