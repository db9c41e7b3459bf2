//! Many models side by side.
mod dense;
mod loss_and_dropout;
