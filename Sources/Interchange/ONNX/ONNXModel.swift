/// A file of ONNX: a graph, and the sets of operators that it is written in.
///
/// Only what convolutional networks need is here, in plain values; `ONNXModel+Messages.swift` has their form in files.
struct ONNXModel {
  /// The version of the file format.
  var irVersion: Int
  /// The versions of the sets of operators by domain; the empty domain is ONNX's own.
  var opsets: [String: Int]
  /// The program that wrote the file.
  var producer: String
  var producerVersion: String
  /// What the model is, for people.
  var documentation = ""
  var graph: ONNXGraph
  /// What else the file says, in order.
  var metadata: [(key: String, value: String)] = []
  /// The operators that the file defines by nodes of its own, which are not read.
  var functions: Set<ONNXOperator> = []
}

/// Nodes between inputs and outputs, with the tensors that they take besides.
struct ONNXGraph {
  var name = ""
  var nodes: [ONNXNode] = []
  var initializers: [ONNXTensor] = []
  var inputs: [ONNXValueInfo] = []
  var outputs: [ONNXValueInfo] = []
  /// What is said of results inside.
  var values: [ONNXValueInfo] = []
  /// Whether some tensors are stored by their elements that are not zero.
  var hasSparseTensors = false
}

/// An operator by its name, and the set that it belongs to; the empty domain is ONNX's own.
struct ONNXOperator: Hashable {
  let domain: String
  let name: String
}

/// A use of an operator.
struct ONNXNode {
  var name = ""
  var operation: String
  /// The set that the operator belongs to; empty for ONNX's own.
  var domain = ""
  /// The names of results and tensors that it takes; an empty name leaves an input out.
  var inputs: [String]
  var outputs: [String]
  var attributes: [ONNXAttribute] = []
  /// The modules of PyTorch that it is in, outermost first, each with its whole path, and a word for the node; empty where the file says
  /// nothing of them.
  var scopes: [String] = []
}

/// A setting of a node.
struct ONNXAttribute {
  enum Value {
    case float(Float)
    case integer(Int)
    case text(String)
    case tensor(ONNXTensor)
    case floats([Float])
    case integers([Int])
    case texts([String])
    /// A graph, or something else that no operator of a convolutional network has.
    case other
  }

  let name: String
  let value: Value
}

/// What is said of an input, an output or a result: its name, the type of its elements and its shape.
struct ONNXValueInfo {
  enum Dimension: Hashable {
    case size(Int)
    /// A size that is only known when the model is used, under this name.
    case open(String)
  }

  let name: String
  /// The number of the elements' type; nil where it is not a tensor.
  let elementType: Int?
  /// The shape; nil where nothing is said of it.
  let shape: [Dimension]?
}
