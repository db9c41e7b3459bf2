//! Gunzips: members one after the other, and zeros behind or between them, as tapes and block devices leave them.
use super::{Limit, Stop, bounded};
use flate2::bufread::GzDecoder;
use std::io;

/// Whether bytes start as gzip does.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// What all members hold.
pub(super) fn inflate(mut bytes: &[u8], limit: Limit) -> Result<Vec<u8>, Stop> {
    let mut out = Vec::new();
    loop {
        let mut member = GzDecoder::new(bytes);
        out = bounded(&mut member, limit, out).map_err(|stop| match stop {
            Stop::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                Stop::Io(io::Error::new(e.kind(), "it ends too early; was it copied to its end?"))
            }
            other => other,
        })?;
        let rest = member.into_inner();
        let zeros = rest.iter().take_while(|b| **b == 0).count();
        bytes = &rest[zeros..];
        if bytes.is_empty() {
            return Ok(out);
        }
        if !is(bytes) {
            let why = format!("{} bytes follow its end that are neither gzip nor zeros", bytes.len());
            return Err(Stop::Io(io::Error::new(io::ErrorKind::InvalidData, why)));
        }
    }
}
