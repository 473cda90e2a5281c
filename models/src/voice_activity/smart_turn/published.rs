//! The published file's weights under the names of the PyTorch model.
//!
//! Its exporter kept the names of biases, norms and convolutions, and lost those of the matrices that are multiplied
//! with. A lost name is the name of the bias that is added to the product; the attention's key, which has no bias,
//! takes its input from where the query takes its own.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::onnx::{Graph, Node};

/// In front of every name that was kept.
const PREFIX: &str = "inner.";
/// Behind a constant that was stored as integers.
const SUFFIX: &str = "_DequantizeLinear_Output";

/// All weights of a file, by name.
pub(super) fn weights(file: &[u8]) -> Result<BTreeMap<String, Tensor>, String> {
    let graph = Graph::read(file)?;
    let mut weights = BTreeMap::new();
    for (name, constant) in &graph.constants {
        if let Some(name) = name.strip_prefix(PREFIX) {
            let name = name.strip_suffix(SUFFIX).unwrap_or(name);
            // Scales are constants too; nobody asks for them by that name.
            if !(name.ends_with("_scale") || name.ends_with("_quantized")) {
                weights.insert(name.to_owned(), tensor(&constant.values, &constant.shape)?);
            }
        }
    }
    for node in graph.nodes.iter().filter(|node| node.op_type == "MatMul") {
        let Some((matrix, constant)) = matrix(&graph, node) else { continue };
        let name = name(&graph, node).ok_or_else(|| format!("nothing says whose weights {matrix} are"))?;
        // A linear layer keeps (out, in), a product wants (in, out).
        let weight = tensor(&constant.values, &constant.shape)?;
        let weight = weight.t().and_then(|weight| weight.contiguous()).map_err(|error| error.to_string())?;
        weights.insert(format!("{name}.weight"), weight);
    }
    Ok(weights)
}

/// The constant that a product multiplies with, where it is one.
fn matrix<'a>(graph: &'a Graph, node: &'a Node) -> Option<(&'a str, &'a super::onnx::Constant)> {
    let name = node.input.get(1)?;
    Some((name, graph.constants.get(name)?))
}

/// The layer of a product: by its bias, else by the query beside it.
fn name(graph: &Graph, product: &Node) -> Option<String> {
    if let Some(name) = by_bias(graph, product) {
        return Some(name);
    }
    let input = product.input.first()?;
    let beside = graph.users(input).filter(|other| other.op_type == "MatMul" && *other != product);
    let query = beside.filter_map(|other| by_bias(graph, other)).find(|name| name.ends_with(".q_proj"))?;
    Some(query.replace(".q_proj", ".k_proj"))
}

/// Follows a product to the bias that is added to it, through the integers it may be made in between.
fn by_bias(graph: &Graph, product: &Node) -> Option<String> {
    let mut value = product.output.first()?;
    // Two steps at most: `QuantizeLinear` and `DequantizeLinear`.
    for _ in 0..3 {
        let mut users = graph.users(value);
        let (user, more) = (users.next()?, users.next());
        if user.op_type == "Add" && more.is_none() {
            let bias = user.input.iter().find_map(|input| input.strip_prefix(PREFIX)?.strip_suffix(".bias"));
            return bias.map(str::to_owned);
        }
        if !user.op_type.ends_with("antizeLinear") {
            return None;
        }
        value = user.output.first()?;
    }
    None
}

fn tensor(values: &[f32], shape: &[usize]) -> Result<Tensor, String> {
    Tensor::from_slice(values, shape, &Device::Cpu).map_err(|error| error.to_string())
}
