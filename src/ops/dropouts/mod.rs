//! Random numbers, and what drops and perturbs by them.
mod alpha_dropout;
mod alpha_dropout_backward;
mod bias_act_dropout_add;
mod bias_act_dropout_add_backward;
mod dropout;
mod dropout_add_layer_norm;
mod dropout_add_layer_norm_backward;
mod dropout_backward;
mod philox;
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
    philox::Philox,
    bias_act_dropout_add::BiasActDropoutAdd,
    bias_act_dropout_add_backward::BiasActDropoutAddBackward,
    dropout_add_layer_norm::DropoutAddLayerNorm,
    dropout_add_layer_norm_backward::DropoutAddLayerNormBackward,
}
