//! An ONNX file's constants (`onnx.proto3`, IR version 10), as numbers by name. Nothing of it is run: this reads the
//! weights that the file carries, whole or as 8-bit integers with scales, and what the graph says of their use.

use std::collections::BTreeMap;

use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphProto>,
}

#[derive(Clone, PartialEq, Message)]
struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorProto>,
}

/// An operation of the graph.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    i: i64,
}

#[derive(Clone, PartialEq, Message)]
struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(float, repeated, tag = "4")]
    float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    int32_data: Vec<i32>,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

/// Data types by their numbers in `TensorProto.DataType`.
const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT8: i32 = 3;
const INT32: i32 = 6;

/// Numbers in a shape, the last axis the innermost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// A file's constants and operations.
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// What is stored as floats, and what becomes floats by `DequantizeLinear`, by the name that operations use.
    pub(super) constants: BTreeMap<String, Constant>,
}

impl Graph {
    /// Reads a whole file.
    pub(super) fn read(file: &[u8]) -> Result<Self, String> {
        let model = ModelProto::decode(file).map_err(|error| format!("no ONNX file: {error}"))?;
        let graph = model.graph.ok_or("no ONNX file: it has no graph")?;
        let stored: BTreeMap<&str, &TensorProto> =
            graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
        let mut constants = BTreeMap::new();
        for tensor in graph.initializer.iter().filter(|tensor| tensor.data_type == FLOAT) {
            constants.insert(tensor.name.clone(), tensor.constant()?);
        }
        for node in graph.node.iter().filter(|node| node.op_type == "DequantizeLinear") {
            let [quantized, scale, zero @ ..] = node.input.as_slice() else { continue };
            // What has no constant behind it is the graph's own work.
            let (Some(quantized), Some(output)) = (stored.get(quantized.as_str()), node.output.first())
            else {
                continue;
            };
            let scale = stored.get(scale.as_str()).ok_or_else(|| format!("{scale} is no constant"))?;
            let zero = zero.first().and_then(|zero| stored.get(zero.as_str()));
            let zero = zero.map(|zero| zero.constant()).transpose()?;
            let constant =
                dequantized(&quantized.constant()?, &scale.constant()?, zero.as_ref(), node.axis())
                    .ok_or_else(|| format!("{} has another shape than its scales", quantized.name))?;
            constants.insert(output.clone(), constant);
        }
        Ok(Self { nodes: graph.node, constants })
    }

    /// The operations that take this value.
    pub(super) fn users<'a>(&'a self, value: &'a str) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |node| node.input.iter().any(|input| input == value))
    }
}

impl Node {
    fn axis(&self) -> i64 {
        self.attribute.iter().find(|attribute| attribute.name == "axis").map_or(1, |attribute| attribute.i)
    }
}

impl TensorProto {
    fn constant(&self) -> Result<Constant, String> {
        let shape: Vec<usize> = self
            .dims
            .iter()
            .map(|dim| usize::try_from(*dim).map_err(|_| format!("{} has a size below nought", self.name)))
            .collect::<Result<_, _>>()?;
        let raw = &self.raw_data;
        let values: Vec<f32> = match (self.data_type, raw.is_empty()) {
            (FLOAT, true) => self.float_data.clone(),
            (FLOAT, false) => words(raw).map(f32::from_le_bytes).collect(),
            (INT32, false) => words(raw).map(|word| i32::from_le_bytes(word) as f32).collect(),
            (INT8, false) => raw.iter().map(|byte| f32::from(i8::from_le_bytes([*byte]))).collect(),
            (UINT8, false) => raw.iter().map(|byte| f32::from(*byte)).collect(),
            (INT8 | UINT8 | INT32, true) => self.int32_data.iter().map(|value| *value as f32).collect(),
            (other, _) => return Err(format!("{} has the data type {other}, which is not read", self.name)),
        };
        let count: usize = shape.iter().product();
        if values.len() == count {
            Ok(Constant { shape, values })
        } else {
            Err(format!("{} has {} values instead of {count}", self.name, values.len()))
        }
    }
}

fn words(raw: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    raw.chunks_exact(4).filter_map(|word| word.try_into().ok())
}

/// `(quantized - zero) × scale`, with a scale for all or one for each place on `axis`.
fn dequantized(
    quantized: &Constant,
    scale: &Constant,
    zero: Option<&Constant>,
    axis: i64,
) -> Option<Constant> {
    let rank = i64::try_from(quantized.shape.len()).ok()?;
    let axis = usize::try_from(if axis < 0 { axis + rank } else { axis }).ok()?;
    let (places, inner) = if scale.values.len() == 1 {
        (1, quantized.values.len().max(1))
    } else {
        (*quantized.shape.get(axis)?, quantized.shape.get(axis + 1..)?.iter().product())
    };
    if scale.values.len() != places || inner == 0 {
        return None;
    }
    let values = quantized.values.iter().enumerate().map(|(at, value)| {
        let place = (at / inner) % places;
        let zero = zero.map_or(Some(0.0), |zero| zero.values.get(place).copied())?;
        Some((value - zero) * scale.values.get(place)?)
    });
    Some(Constant { shape: quantized.shape.clone(), values: values.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, dims: &[i64], data_type: i32, raw: &[u8]) -> TensorProto {
        TensorProto {
            dims: dims.to_vec(),
            data_type,
            name: name.into(),
            raw_data: raw.to_vec(),
            ..TensorProto::default()
        }
    }

    fn file() -> Vec<u8> {
        let scale = TensorProto {
            dims: vec![2],
            data_type: FLOAT,
            float_data: vec![0.5, 2.0],
            name: "scale".into(),
            ..TensorProto::default()
        };
        let zero =
            TensorProto { int32_data: vec![0, 1], raw_data: vec![], ..tensor("zero", &[2], INT8, &[]) };
        let node = Node {
            input: vec!["q".into(), "scale".into(), "zero".into()],
            output: vec!["w".into()],
            op_type: "DequantizeLinear".into(),
            attribute: vec![Attribute { name: "axis".into(), i: 0 }],
        };
        let graph = GraphProto {
            node: vec![node],
            initializer: vec![tensor("q", &[2, 2], INT8, &[2, 254, 3, 255]), scale, zero],
        };
        ModelProto { graph: Some(graph) }.encode_to_vec()
    }

    #[test]
    fn integers_become_floats_by_their_own_scales() {
        let graph = Graph::read(&file()).expect("a file");
        assert_eq!(graph.constants["w"], Constant { shape: vec![2, 2], values: vec![1.0, -1.0, 4.0, -4.0] });
        assert_eq!(graph.constants["scale"].values, [0.5, 2.0]);
        assert_eq!(graph.users("q").count(), 1);
    }

    #[test]
    fn a_damaged_file_is_refused_without_a_panic() {
        let whole = file();
        for length in 0..whole.len() {
            // Some beginnings are whole files of less.
            let _ = Graph::read(&whole[..length]);
        }
        assert!(Graph::read(b"no ONNX").is_err());
        let short = GraphProto { node: vec![], initializer: vec![tensor("w", &[3], FLOAT, &[0; 8])] };
        let error = Graph::read(&ModelProto { graph: Some(short) }.encode_to_vec()).err();
        assert_eq!(error.as_deref(), Some("w has 2 values instead of 3"));
    }
}
