//! Random numbers, and what drops and perturbs by them.
mod alpha_dropout;
mod alpha_dropout_backward;
mod bias_act_dropout_add;
mod bias_act_dropout_add_backward;
mod drop_block;
mod drop_block_backward;
mod drop_connect;
mod drop_connect_backward;
mod dropout;
mod dropout_add_layer_norm;
mod dropout_add_layer_norm_backward;
mod dropout_backward;
mod gaussian_dropout;
mod gaussian_dropout_backward;
mod gaussian_noise;
mod monte_carlo_accumulate;
mod philox;
pub(crate) mod shared;
mod zoneout;
mod zoneout_backward;

super::family! {
    dropouts: "Dropout",
    dropout::Dropout,
    dropout_backward::DropoutBackward,
    alpha_dropout::AlphaDropout,
    alpha_dropout_backward::AlphaDropoutBackward,
    zoneout::Zoneout,
    zoneout_backward::ZoneoutBackward,
    gaussian_dropout::GaussianDropout,
    gaussian_dropout_backward::GaussianDropoutBackward,
    gaussian_noise::GaussianNoise,
    drop_block::DropBlock,
    drop_block_backward::DropBlockBackward,
    drop_connect::DropConnect,
    drop_connect_backward::DropConnectBackward,
    monte_carlo_accumulate::MonteCarloAccumulate,
    philox::Philox,
    bias_act_dropout_add::BiasActDropoutAdd,
    bias_act_dropout_add_backward::BiasActDropoutAddBackward,
    dropout_add_layer_norm::DropoutAddLayerNorm,
    dropout_add_layer_norm_backward::DropoutAddLayerNormBackward,
}
