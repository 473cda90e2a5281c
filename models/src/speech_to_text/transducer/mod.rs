//! Frames become tokens: a recurrent transducer (Graves, "Sequence Transduction with Recurrent Neural Networks", 2012),
//! decoded greedily.

mod greedy;
mod joint;
mod predictor;

pub(super) use greedy::Greedy;
