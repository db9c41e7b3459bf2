//! The convenient layer: every failure is a typed error, never a panic or a hang.
use ridgepole::{DType, ElasticNet, Error, HostData, Segment, Session, ops::PenaltyGrad};

fn op(len: usize) -> PenaltyGrad {
    PenaltyGrad::new(DType::F32, Segment::one(len), vec![ElasticNet::l1(0.5)])
}

fn data(values: &[f32]) -> HostData {
    HostData::F32(values.to_vec())
}

#[test]
fn a_run_returns_what_is_written_and_updated() {
    let s = Session::new().expect("an adapter");
    assert_eq!(s.run(&op(2), &[data(&[3.0, -3.0]), data(&[1.0, 1.0])]).expect("valid"), [data(&[1.5, 0.5])]);
    assert_eq!(s.run(&op(0), &[data(&[]), data(&[])]).expect("nothing to do is fine"), [data(&[])]);
}

#[test]
fn wrong_inputs_are_named() {
    let s = Session::new().expect("an adapter");
    let text = |inputs: &[HostData]| s.run(&op(2), inputs).expect_err("wrong").to_string();
    assert_eq!(text(&[data(&[1.0])]), "penalty_grad: `inputs` wants 2 (weight, grad), got 1");
    assert_eq!(text(&[data(&[1.0]), data(&[1.0, 2.0])]), "penalty_grad: `weight` wants 2 of F32, got 1 of F32");
    assert_eq!(text(&[data(&[1.0, 2.0]), HostData::U32(vec![1, 2])]), "penalty_grad: `grad` wants 2 of F32, got 2 of U32");
}

#[test]
fn a_buffer_beyond_the_limit_is_refused_before_it_is_made() {
    let s = Session::new().expect("an adapter");
    let limit = s.device().limits().max_buffer_size;
    let len = usize::try_from(limit / 4).expect("64-bit") + 1;
    let Err(Error::Device { what, message }) = s.empty(DType::F32, len) else { panic!("must be refused") };
    assert_eq!(what, "making a buffer");
    assert_eq!(message, format!("{} bytes are more than max_buffer_size, {limit}", len * 4));
}

#[test]
fn a_lost_device_says_so_and_stays_lost() {
    let s = Session::new().expect("an adapter");
    s.device().destroy();
    for _ in 0..2 {
        let e = s.run(&op(2), &[data(&[1.0, 2.0]), data(&[1.0, 2.0])]).expect_err("the device is gone");
        assert!(matches!(e, Error::Lost { .. }), "{e:?}");
    }
}

#[test]
fn a_session_waits_for_what_was_submitted() {
    let s = Session::new().expect("an adapter");
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let submit = |done: &std::sync::Arc<std::sync::atomic::AtomicBool>| {
        let encoder = s.device().create_command_encoder(&Default::default());
        let index = s.queue().submit([encoder.finish()]);
        let done = done.clone();
        s.queue().on_submitted_work_done(move || done.store(true, std::sync::atomic::Ordering::SeqCst));
        index
    };
    s.wait(submit(&done)).expect("the device works");
    assert!(done.load(std::sync::atomic::Ordering::SeqCst), "what waits sees what is done");
    // Where the device is gone it is an answer, not a panic.
    let before = submit(&done);
    s.device().destroy();
    let gone = s.wait(before);
    assert!(matches!(gone, Ok(()) | Err(Error::Lost { .. })), "{gone:?}");
}

#[test]
fn an_unknown_adapter_name_lists_those_there_are() {
    let Err(Error::NoAdapter { why }) = Session::named("no such card") else { panic!("there is none of that name") };
    assert!(why.starts_with("no name contains \"no such card\"; there are \""), "{why}");
}

/// Buffers of two sessions are told apart: none is read or written by the other's device.
#[test]
fn a_buffer_of_another_session_is_refused() {
    let (mine, other) = (Session::new().expect("an adapter"), Session::new().expect("an adapter"));
    let fill = |s: &Session, v: f32| [v, v + 1.0].map(|v| s.upload(&data(&[v, v])).expect("it fits"));
    let ([weight, grad], [stranger, _]) = (fill(&mine, 1.0), fill(&other, 7.0));
    let plan = mine.gpu().plan(&op(2)).expect("valid");
    for (reads, writes) in [(&stranger, &grad), (&weight, &stranger)] {
        let error = plan.bind(&[reads.slice(..)], &[writes.slice(..)], None).err().expect("a stranger");
        assert!(matches!(&error, Error::Device { what, .. } if what == "penalty_grad: bind"), "{error:?}");
    }
    let error = mine.download(&stranger, DType::F32, 2).expect_err("a stranger");
    assert!(matches!(error, Error::Device { .. }), "{error:?}");
    // Nobody has been read or written.
    assert_eq!(other.download(&stranger, DType::F32, 2).expect("its own"), data(&[7.0, 7.0]));
    assert_eq!(mine.download(&grad, DType::F32, 2).expect("its own"), data(&[2.0, 2.0]));
    assert!(plan.bind(&[weight.slice(..)], &[grad.slice(..)], None).is_ok());
}

#[test]
fn sizes_that_no_64_bits_hold_are_errors() {
    let s = Session::new().expect("an adapter");
    for (dtype, len) in [(DType::F32, 1 << 62), (DType::F16, 1 << 63), (DType::Bf16, usize::MAX), (DType::U32, usize::MAX)] {
        let error = s.empty(dtype, len).expect_err("too large").to_string();
        assert!(error.starts_with("making a buffer: ") && error.contains("more than max_buffer_size"), "{error}");
        let buffer = s.empty(dtype, 4).expect("small");
        let error = s.download(&buffer, dtype, len).expect_err("longer than the buffer").to_string();
        assert!(error.starts_with("downloading: ") && error.contains("the buffer has"), "{error}");
    }
}

#[test]
#[should_panic(expected = "5 bytes are no whole number of F32, of 4 bytes each")]
fn bytes_of_no_whole_element_panic() {
    let _ = HostData::from_bytes(DType::F32, &[0; 5]);
}
