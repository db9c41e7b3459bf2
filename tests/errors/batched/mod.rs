//! Many models side by side.
mod dense;
mod training;
