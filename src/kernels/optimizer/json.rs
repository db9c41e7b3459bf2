//! What an optimizer refuses to guess when it is read from JSON: where frameworks differ in what would be trained.
use super::Rule;
use crate::{op::read, types::Error};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads an optimizer's fields. Where [`Rule::DECAYS`] names the defaults of the frameworks, each group must have a decay.
pub(crate) fn parse_optimizer<T: Rule + DeserializeOwned>(op: &'static str, value: Value) -> Result<T, Error> {
    // What is no list of objects is for serde to refuse.
    let groups = value.get("groups").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (i, group) in groups.iter().enumerate().filter_map(|(i, g)| Some((i, g.as_object()?))) {
        if let (Some(known), None) = (T::DECAYS, group.get("decay")) {
            let why = format!("[{i}] has no decay, must have one, at least 0, since frameworks differ ({known}); 0 is none");
            return Err(Error::argument(op, "groups", why));
        }
        let Some(coupled) = group.get("coupled").and_then(Value::as_object) else { continue };
        let l2 = coupled.get("l2").and_then(Value::as_f64).unwrap_or(0.0);
        if l2 != 0.0 && !coupled.contains_key("l2_form") {
            let why = format!(
                "[{i}] has coupled.l2 = {l2} and no l2_form, must have half (gradient l2·w, PyTorch's and optax' weight_decay) or \
                 sum (gradient 2·l2·w, Keras' L2)"
            );
            return Err(Error::argument(op, "groups", why));
        }
    }
    read(value)
}
