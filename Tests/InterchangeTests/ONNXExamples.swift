@testable import Interchange

/// Gives suites small models of ONNX, which they write themselves.
protocol ONNXExamples {}

extension ONNXExamples {
  /// A model of one node after another on a 3×4×4 image, with these tensors.
  static func model(
    _ nodes: [ONNXNode], _ tensors: [ONNXTensor] = [], opset: Int = 17,
    input: [ONNXValueInfo.Dimension] = [.size(3), .size(4), .size(4)]
  ) -> ONNXModel {
    ONNXModel(
      irVersion: 8, opsets: ["": opset], producer: "test", producerVersion: "1",
      graph: ONNXGraph(
        name: "model", nodes: nodes, initializers: tensors,
        inputs: [ONNXValueInfo(name: "x", elementType: 1, shape: [.open("N")] + input)],
        outputs: [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]))
  }

  static func node(
    _ operation: String, _ inputs: [String], _ outputs: [String] = ["y"], _ attributes: [ONNXAttribute] = []
  ) -> ONNXNode {
    ONNXNode(name: "n", operation: operation, inputs: inputs, outputs: outputs, attributes: attributes)
  }

  /// A model that defines an operator itself.
  static func defining(_ operation: ONNXOperator) -> ONNXModel {
    var model = model([node(operation.name, ["x"])])
    model.functions = [operation]
    return model
  }

  static var kernel: ONNXTensor { ONNXTensor("w", [2, 3, 1, 1], floats: [1, 2, 3, 4, 5, 6]) }
}

extension ONNXImport {
  /// Reads the bytes of a file.
  func read(_ bytes: [UInt8], _ path: String) throws -> ImportedModel {
    try read(ONNXModel(bytes, path: path), path: path)
  }
}
