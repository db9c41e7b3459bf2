//! Constraints where a random case does not look: signs of zeros.
use crate::common::session;
use ridgepole::{ops::*, *};

#[test]
fn a_zero_that_may_not_be_negative_has_no_sign() {
    let session = session();
    for dtype in DType::FLOATS {
        let weights = HostData::from_f64(dtype, [-0.0, 0.0, -1.5, 1.5, f64::NEG_INFINITY, -0.0]);
        let got = session.run(&NonNegative::new(dtype, 6), &[weights]).expect("it runs");
        let want = HostData::from_f64(dtype, [0.0, 0.0, 0.0, 1.5, 0.0, 0.0]);
        assert_eq!(got[0].bytes(), want.bytes(), "{dtype:?}");
        // A NaN has a sign bit too.
        let nan = session.run(&NonNegative::new(dtype, 1), &[HostData::from_f64(dtype, [-f64::NAN])]).expect("it runs");
        assert!(nan[0].to_f64()[0].is_nan(), "{dtype:?}");
    }
}
