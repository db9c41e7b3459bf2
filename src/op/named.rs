//! Arguments by their names.
use crate::{
    op::{Arg, Slot},
    types::HostData,
};
use std::ops::Range;

/// Where the arguments of an op are, by name. An op names only arguments that its own [`Op::args`](super::Op::args) lists.
pub trait ByName {
    /// Where the argument of this name is, if the op has it.
    fn find(&self, name: &str) -> Option<usize>;

    /// Where it is.
    ///
    /// # Panics
    /// If there is none: a mistake in the op's code, whatever its fields are.
    fn place(&self, name: &str) -> usize;

    /// The argument itself.
    ///
    /// # Panics
    /// As [`ByName::place`].
    fn arg(&self, name: &str) -> &Arg;

    /// Where it is, and the argument itself, if the op has it.
    fn find_at(&self, name: &str) -> Option<(usize, &Arg)>;

    /// Where it is, and the argument itself.
    ///
    /// # Panics
    /// As [`ByName::place`].
    fn at(&self, name: &str) -> (usize, &Arg);

    /// What binds all of it.
    ///
    /// # Panics
    /// As [`ByName::place`].
    fn whole(&self, name: &str) -> Slot;

    /// What binds these bytes of it.
    ///
    /// # Panics
    /// As [`ByName::place`].
    fn bytes(&self, name: &str, range: Range<u64>) -> Slot;
}

impl ByName for [Arg] {
    fn find(&self, name: &str) -> Option<usize> {
        self.iter().position(|a| a.name == name)
    }

    fn place(&self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|| missing(self, name))
    }

    fn arg(&self, name: &str) -> &Arg {
        &self[self.place(name)]
    }

    fn find_at(&self, name: &str) -> Option<(usize, &Arg)> {
        self.find(name).map(|place| (place, &self[place]))
    }

    fn at(&self, name: &str) -> (usize, &Arg) {
        let place = self.place(name);
        (place, &self[place])
    }

    fn whole(&self, name: &str) -> Slot {
        let place = self.place(name);
        Slot::Arg(place, 0..self[place].binding_bytes())
    }

    fn bytes(&self, name: &str, range: Range<u64>) -> Slot {
        Slot::Arg(self.place(name), range)
    }
}

/// The contents of an op's arguments, by name.
#[derive(Clone, Debug)]
pub struct Contents<'a> {
    args: Vec<Arg>,
    data: &'a [HostData],
}

impl<'a> Contents<'a> {
    /// What `data` holds for each of these arguments, in their order.
    ///
    /// # Panics
    /// If they are not as many.
    pub fn new(args: Vec<Arg>, data: &'a [HostData]) -> Self {
        assert_eq!(args.len(), data.len(), "a content for each argument");
        Self { args, data }
    }

    /// The content of the argument of this name, if the op has it.
    pub fn find(&self, name: &str) -> Option<&'a HostData> {
        self.args.find(name).map(|place| &self.data[place])
    }

    /// The content of the argument of this name.
    ///
    /// # Panics
    /// If there is none: a mistake in the op's code, whatever its fields are.
    pub fn get(&self, name: &str) -> &'a HostData {
        &self.data[self.args.place(name)]
    }

    /// The same as numbers.
    ///
    /// # Panics
    /// As [`Contents::get`].
    pub fn f64(&self, name: &str) -> Vec<f64> {
        self.get(name).to_f64()
    }

    /// The same as numbers, or `absent` so many times if the op has no such argument.
    pub fn f64_or(&self, name: &str, absent: f64, len: usize) -> Vec<f64> {
        self.find(name).map_or_else(|| vec![absent; len], HostData::to_f64)
    }
}

#[cold]
fn missing(args: &[Arg], name: &str) -> ! {
    let names = args.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
    panic!("the op names an argument `{name}` that it does not list; it lists {names}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DType;

    fn args() -> Vec<Arg> {
        vec![Arg::read("x", DType::F32, 3), Arg::write("y", DType::F32, 2)]
    }

    #[test]
    fn arguments_are_found() {
        let args = args();
        assert_eq!((args.find("y"), args.find("z"), args.place("x")), (Some(1), None, 0));
        assert_eq!((args.at("y"), args.find_at("z")), ((1, &args[1]), None));
        assert_eq!((args.whole("x"), args.bytes("y", 4..8)), (Slot::Arg(0, 0..12), Slot::Arg(1, 4..8)));
        let data = [vec![0.0f32; 3].into(), vec![1.0f32, 2.0].into()];
        let of = Contents::new(args, &data);
        assert_eq!((of.f64("y"), of.f64_or("z", 1.0, 2)), (vec![1.0, 2.0], vec![1.0, 1.0]));
        assert!(of.find("z").is_none());
    }

    #[test]
    #[should_panic(expected = "an argument `z` that it does not list; it lists x, y")]
    fn a_name_that_is_not_there_is_told() {
        args().whole("z");
    }
}
