//! The shape of a model.

/// The shape of a cache-aware FastConformer transducer.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Features of a frame of 10 ms.
    pub mel_bins: usize,
    /// Width of the encoder.
    pub width: usize,
    /// Blocks of the encoder.
    pub layers: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Inner width of the feed-forward modules.
    pub feed_forward: usize,
    /// Frames that a convolution module looks at: itself and the ones before.
    pub kernel: usize,
    /// Channels of the subsampling convolutions.
    pub channels: usize,
    /// Whether attention, feed-forward and convolution modules have biases.
    pub attention_bias: bool,
    /// Whether the convolutions of the convolution module have biases.
    pub convolution_bias: bool,
    /// Whether the subsampled frames are multiplied by the root of the width.
    pub scale_input: bool,
    /// Frames of the past that attention sees.
    pub left_frames: usize,
    /// Frames ahead that the model was trained to wait for, the default first. A chunk is one frame longer.
    pub lookaheads: Vec<usize>,
    /// Width of the prediction network and of the joint network.
    pub predictor_width: usize,
    /// LSTM layers of the prediction network.
    pub predictor_layers: usize,
    /// Tokens, with the blank, which is the last.
    pub tokens: usize,
    /// Most tokens of one frame; more than that is a loop.
    pub tokens_per_frame: usize,
}

/// Features that become one frame of the encoder.
pub(super) const FEATURES_PER_FRAME: usize = 8;
/// What one frame of the encoder stands for.
pub(super) const FRAME_MS: u32 = 80;

impl Config {
    /// The token that says "nothing more in this frame".
    #[must_use]
    pub fn blank(&self) -> u32 {
        self.tokens.saturating_sub(1) as u32
    }

    /// The longest chunk, in frames.
    #[must_use]
    pub fn longest_chunk(&self) -> usize {
        self.lookaheads.iter().max().map_or(1, |most| most + 1)
    }

    /// What a chunk with this lookahead sees of the past: whole chunks of its own size.
    #[must_use]
    pub fn visible_frames(&self, lookahead: usize) -> usize {
        let chunk = lookahead + 1;
        self.left_frames / chunk * chunk
    }

    /// The shape of `parakeet_realtime_eou_120m-v1`, for measuring without its weights.
    #[must_use]
    pub fn of_120m() -> Self {
        Self {
            mel_bins: 128,
            width: 512,
            layers: 17,
            heads: 8,
            feed_forward: 2_048,
            kernel: 9,
            channels: 256,
            attention_bias: true,
            convolution_bias: true,
            scale_input: true,
            left_frames: 70,
            lookaheads: vec![1, 0],
            predictor_width: 640,
            predictor_layers: 1,
            tokens: 1_027,
            tokens_per_frame: 10,
        }
    }

    /// The shape of `nemotron-speech-streaming-en-0.6b`, for the same.
    #[must_use]
    pub fn of_600m() -> Self {
        Self {
            width: 1_024,
            layers: 24,
            feed_forward: 4_096,
            lookaheads: vec![13, 6, 1, 0],
            predictor_layers: 2,
            tokens: 1_025,
            ..Self::of_120m()
        }
    }

    /// What makes it unlike any model that this code can run, if anything.
    ///
    /// # Errors
    /// The first such thing, in words.
    pub fn check(&self) -> Result<(), String> {
        let sizes = [
            self.mel_bins,
            self.width,
            self.layers,
            self.heads,
            self.feed_forward,
            self.channels,
            self.left_frames,
            self.predictor_width,
            self.predictor_layers,
            self.tokens_per_frame,
        ];
        if sizes.contains(&0) || self.kernel < 2 || self.tokens < 2 || self.lookaheads.is_empty() {
            return Err("one of its sizes is nought".into());
        }
        if !self.width.is_multiple_of(self.heads) || !self.width.is_multiple_of(2) {
            return Err(format!("{} heads don't share a width of {}", self.heads, self.width));
        }
        if self.longest_chunk() > self.left_frames {
            return Err(format!("a chunk of {} frames is longer than its past", self.longest_chunk()));
        }
        Ok(())
    }
}
