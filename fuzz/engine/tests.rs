//! The engine on planted faults.
use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `fuzz` says of a planted target that panics where bytes have an x.
fn planted(seed: &[u8]) -> String {
    let run = |input: &[u8], _: bool| {
        assert!(!input.contains(&b'x'), "an x: in {input:?}");
        "fine".into()
    };
    let mutate = |rng: &mut Rng, input: &[u8], others: &[Vec<u8>]| bytes(rng, input, others, &[]);
    let seeds = vec![seed.to_vec()];
    let target = Target { name: "planted", seeds, mutate: &mutate, smaller: &fewer_bytes, about: &nothing, run: &run };
    match catch_unwind(AssertUnwindSafe(|| fuzz(&target))) {
        Ok(()) => String::new(),
        Err(payload) => payload.downcast_ref::<String>().expect("a message").clone(),
    }
}

#[test]
fn a_planted_fault_is_found_and_made_small() {
    let said = planted(b"twelve bytes and an x among them");
    assert!(
        said.contains("1 kinds of fault") && said.contains("an x: in [120]") && said.contains("input (1 bytes): x"),
        "{said}"
    );
    // By chance, from a seed that is right, and the same every time: z is one bit from x.
    let said = planted(&[b'z'; 40]);
    assert!(said.contains("input (1 bytes): x"), "{said}");
    assert_eq!(said, planted(&[b'z'; 40]));
}

#[test]
fn texts_for_people_are_short_and_without_control_characters() {
    assert_eq!(plain_text("line 3: column \"a\" is `b\"`, must be 1"), "line  column _ must be ");
    let refused = |text: &str| catch_unwind(|| plain_text(text)).is_err();
    assert!(refused("\u{1b}[2J") && refused(&"long ".repeat(1000)) && !refused("a\nb"));
}
