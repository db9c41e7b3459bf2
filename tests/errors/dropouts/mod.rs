//! Dropout and its relatives.
mod alpha_dropout_and_zoneout;
mod drop_block;
mod drop_connect;
mod dropout;
mod fused;
mod gaussian;
mod monte_carlo;
