internal import Paths

/// What a file of ONNX contains, for people.
public struct ONNXSummary: Sendable {
  /// The program that wrote it, with its version.
  public let producer: String
  /// The version of ONNX's operators.
  public let opset: Int
  /// The inputs in words: `x: float32 [N, 3, 224, 224]`.
  public let inputs: [String]
  /// The outputs in words.
  public let outputs: [String]
  /// How often each operator is used, the most used first.
  public let operators: [(name: String, count: Int)]

  /// Reads a file.
  ///
  /// - Returns: nil for a file that is no model of ONNX.
  public init?(path: String) {
    // A model begins with the version of the format, a small number in field 1.
    guard (try? WholeFile.beginning(of: path, byteCount: 1)) == [0x08],
      let bytes = try? WholeFile.read(path, limit: Int(Int32.max)), let model = try? ONNXModel(bytes, path: path)
    else { return nil }
    producer = [model.producer, model.producerVersion].filter { !$0.isEmpty }.joined(separator: " ")
    opset = model.opsets[""] ?? 0
    let tensors = Set(model.graph.initializers.map(\.name))
    inputs = model.graph.inputs.filter { !tensors.contains($0.name) }.map { "\($0.name): \($0.text)" }
    outputs = model.graph.outputs.map { "\($0.name): \($0.text)" }
    let counts = Dictionary(grouping: model.graph.nodes, by: \.operation).mapValues(\.count)
    operators = counts.map { (name: $0.key, count: $0.value) }.sorted { (-$0.count, $0.name) < (-$1.count, $1.name) }
  }
}
