//! NeMo's names of tensors, as the hub has them. The source is transformers'
//! `convert_nemotron_asr_streaming_to_hf.py`, and NeMo's `ConformerEncoder`, `RNNTDecoder` and `RNNTJoint` modules.

/// Beginnings.
const STARTS: [(&str, &str); 11] = [
    ("encoder.pre_encode.conv.0.", "encoder.subsampling.conv_in."),
    ("encoder.pre_encode.conv.2.", "encoder.subsampling.layers.0.depthwise_conv."),
    ("encoder.pre_encode.conv.3.", "encoder.subsampling.layers.0.pointwise_conv."),
    ("encoder.pre_encode.conv.5.", "encoder.subsampling.layers.1.depthwise_conv."),
    ("encoder.pre_encode.conv.6.", "encoder.subsampling.layers.1.pointwise_conv."),
    ("encoder.pre_encode.out.", "encoder.subsampling.linear."),
    ("decoder.prediction.embed.", "decoder.embedding."),
    ("decoder.prediction.dec_rnn.lstm.", "decoder.lstm."),
    ("joint.enc.", "encoder_projector."),
    ("joint.pred.", "decoder.decoder_projector."),
    ("joint.joint_net.2.", "joint.head."),
];

/// Parts of an encoder's block. A layer norm of the convolution module is called `batch_norm` there.
const PARTS: [(&str, &str); 8] = [
    (".conv.batch_norm.", ".conv.norm."),
    (".linear_q.", ".q_proj."),
    (".linear_k.", ".k_proj."),
    (".linear_v.", ".v_proj."),
    (".linear_out.", ".o_proj."),
    (".linear_pos.", ".relative_k_proj."),
    (".pos_bias_u", ".bias_u"),
    (".pos_bias_v", ".bias_v"),
];

/// The hub's name of a tensor that NeMo calls `name`; an unknown name stays as it is, and is an error later.
pub(super) fn hub_name(name: &str) -> String {
    for (nemo, hub) in STARTS {
        if let Some(rest) = name.strip_prefix(nemo) {
            return format!("{hub}{rest}");
        }
    }
    let mut name = name.to_owned();
    if name.starts_with("encoder.layers.") {
        for (nemo, hub) in PARTS {
            name = name.replace(nemo, hub);
        }
    }
    name
}
