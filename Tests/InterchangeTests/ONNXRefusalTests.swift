import TestSupport
import Testing

@testable import Interchange

/// What cannot be read: each is refused with one line that names the place.
struct ONNXRefusalTests: ONNXExamples {
  static let bad: [(what: String, model: ONNXModel, message: String)] = [
    (
      "unknown operator", model([node("Einsum", ["x"])]),
      "m: node 'n' (Einsum): there is no such operator here"
    ),
    (
      "another domain",
      model([ONNXNode(name: "n", operation: "Conv", domain: "com.example", inputs: ["x"], outputs: ["y"])]),
      "m: node 'n' (com.example.Conv): there is no such operator here"
    ),
    (
      "circle", model([node("Relu", ["y"], ["z"]), node("Relu", ["z"])]),
      "m: node 'n' (Relu) takes 'y', which nothing before it gives"
    ),
    (
      "order", model([node("Relu", ["z"]), node("Relu", ["x"], ["z"])]),
      "m: node 'n' (Relu) takes 'z', which nothing before it gives"
    ),
    ("twice", model([node("Relu", ["x"]), node("Tanh", ["x"])]), "m: node 'n' (Tanh): 'y' is made twice"),
    ("no result", model([]), "m: the output 'y' does not depend on the input"),
    ("opset", model([node("Relu", ["x"])], opset: 99), "m is written in version 99 of ONNX's operators"),
    (
      "kernel",
      model(
        [node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 5, 1, 1], floats: [Float](repeating: 1, count: 10))]),
      "m: node 'n' (Conv): a kernel of 2×5×1×1 in 1 groups does not fit the 3 channels of its input"
    ),
    (
      "lying size",
      model([node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 3, 1 << 40, 1 << 40], floats: [1])]),
      "m: the tensor 'w' says that it has 2×3×1099511627776×1099511627776 elements and holds no such number"
    ),
    (
      "short tensor", model([node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 3, 1, 1], floats: [1])]),
      "m: the tensor 'w' says that it has 2×3×1×1 elements and holds 1"
    ),
    (
      "not finite",
      model([node("Conv", ["x", "w"])], [ONNXTensor("w", [2, 3, 1, 1], floats: [1, 2, 3, .nan, 5, 6])]),
      "m: node 'n' (Conv): its weights hold nan"
    ),
    ("missing kernel", model([node("Conv", ["x"])]), "m: node 'n' (Conv): its kernel is missing"),
    (
      "attribute", model([node("Conv", ["x", "w"], ["y"], [.integer("secret", 1)])], [kernel]),
      "m: node 'n' (Conv): the attribute secret is not supported"
    ),
    (
      "stride", model([node("Conv", ["x", "w"], ["y"], [.integers("strides", [0, 1])])], [kernel]),
      "m: node 'n' (Conv): the attribute strides is not 2 whole numbers from 1 on"
    ),
    (
      "window",
      model(
        [node("Conv", ["x", "w"])],
        [ONNXTensor("w", [1, 3, 9, 9], floats: [Float](repeating: 0, count: 243))]),
      "m: node 'n' (Conv): layer 'layer': a 9×9 window does not fit into the 4×4×3"
    ),
    (
      "size", model([node("Relu", ["x"])], input: [.size(3), .open("h"), .size(4)]),
      "m takes inputs of any×4×3 (channels last)"
    ),
    (
      "huge input", model([node("Relu", ["x"])], input: [.size(1 << 40), .size(4), .size(4)]),
      "m: an input of 4×4×1099511627776 is empty"
    ),
    (
      "flat output", model([node("Flatten", ["x"])]),
      "m: the output 'y' is an image as one vector with its channels first"
    ),
    (
      "max pool",
      model([
        node(
          "MaxPool", ["x"], ["y"],
          [
            .integers("kernel_shape", [2, 2]), .integers("pads", [1, 1, 1, 1]), .integers("strides", [2, 2]),
          ])
      ]),
      "m: node 'n' (MaxPool): around values that may be negative, padding may take half of a window at most"
    ),
    (
      "rounding", model([node("Ceil", ["x"])]),
      "m: node 'n' (Ceil): rounding and remainders are supported among constants only"
    ),
    (
      "graph inside", model([node("If", ["x"], ["y"], [])]),
      "m: node 'n' (If): there is no such operator here"
    ),
    (
      "negative size", model([node("Conv", ["x", "w"])], [ONNXTensor("w", [-2, 3, -1, 1], floats: [])]),
      "m: the tensor 'w' says that it has -2×3×-1×1 elements and holds no such number"
    ),
    (
      "opset of no number", model([node("Relu", ["x"])], opset: -5),
      "m is written in version -5 of ONNX's operators"
    ),
    (
      "endless joining",
      model(
        (0..<70).map {
          node(
            "Concat", [$0 == 0 ? "x" : "r\($0)", $0 == 0 ? "x" : "r\($0)"], [$0 == 69 ? "y" : "r\($0 + 1)"],
            [.axis(1)])
        }),
      "m: node 'n' (Concat) gives N×4×4×"
    ),
    (
      "endless constants",
      model(
        (0..<70).map { node("Concat", ["c\($0)", "c\($0)"], ["c\($0 + 1)"], [.axis(0)]) }
          + [node("Add", ["x", "c70"])], [ONNXTensor("c0", [1 << 12, 0], floats: [])]),
      "m: node 'n' (Concat): this operation on constants is not supported"
    ),
    (
      "sizes to be copied without end",
      model(
        [node("ConstantOfShape", ["s"], ["k"]), node("Add", ["x", "k"])],
        [ONNXTensor("s", [4], integers: [Int](repeating: 1 << 20, count: 4))]),
      "m: node 'n' (ConstantOfShape): this operation on constants is not supported"
    ),
    (
      "sizes beyond 64 bits hidden by a zero",
      model([node("Reshape", ["x", "s"])], [ONNXTensor("s", [4], integers: [1 << 40, 1 << 40, 0, 0])]),
      "m: node 'n' (Reshape): N×3×4×4 cannot become"
    ),
    (
      "parts beyond 64 bits",
      model(
        [node("Split", ["x", "s"], ["y", "z"], [.axis(1)])], [ONNXTensor("s", [2], integers: [.max, .max])]),
      "m: node 'n' (Split): [9223372036854775807, 9223372036854775807] are no parts of 3"
    ),
    (
      "as many parts as there are numbers",
      model([node("Split", ["x"], ["y"], [.axis(1), .integer("num_outputs", .max)])], opset: 18),
      "m: node 'n' (Split): 3 cannot be split into 9223372036854775807 parts"
    ),
    (
      "own operator", defining(ONNXOperator(domain: "", name: "Relu")),
      "m: node 'n' (Relu): the file defines this operator itself"
    ),
    ("erf", model([node("Erf", ["x"])]), "m: the output 'y' does not depend"),
    ("powers", model([node("Pow", ["x", "x"])]), "m: node 'n' (Pow): only powers of 1 to 4 are supported"),
    (
      "dividing", model([node("Div", ["x", "x"])]),
      "m: node 'n' (Div): a result can be divided by constants only"
    ),
  ]

  @Test("what cannot be read is named in one line", arguments: bad.indices)
  func refusals(index: Int) throws {
    let (what, model, message) = Self.bad[index]
    let error = #expect(throws: InterchangeError.self, "\(what)") {
      try ONNXImport().read(model.bytes, "m")
    }
    let text = error?.description ?? ""
    #expect(text.hasPrefix(message), "\(what): \(text)")
    #expect(!text.contains("\n"))
  }

  @Test(
    "an empty tensor with sizes that no memory holds is refused, whatever takes it",
    arguments: ["Transpose", "Concat", "Slice", "Mul", "Add"],
    [[0, 1 << 62, 4], [0, 1 << 40, 1 << 40], [1 << 62, 0]])
  func emptyTensors(operation: String, sizes: [Int]) throws {
    let inputs: [String: [String]] = [
      "Concat": ["z", "z"], "Slice": ["z", "from", "to", "axis"], "Mul": ["z", "one"], "Add": ["z", "one"],
    ]
    let attributes: [ONNXAttribute] = operation == "Concat" ? [.axis(1)] : []
    let model = Self.model(
      [Self.node(operation, inputs[operation] ?? ["z"], ["k"], attributes), Self.node("Add", ["x", "k"])],
      [
        ONNXTensor("z", sizes, floats: []), ONNXTensor("one", [1], floats: [1]),
        ONNXTensor("from", [1], integers: [0]),
        ONNXTensor("to", [1], integers: [1 << 61]), ONNXTensor("axis", [1], integers: [1]),
      ])
    let error = #expect(throws: InterchangeError.self) { try ONNXImport().read(model.bytes, "m") }
    #expect(error?.description.hasPrefix("m: the tensor 'z' says that it has") ?? false)
  }

  @Test("a shape that the file says of a result must be the one that it has")
  func lyingShape() throws {
    var model = Self.model([Self.node("Relu", ["x"])])
    model.graph.outputs = [
      ONNXValueInfo(name: "y", elementType: 1, shape: [.open("N"), .size(3), .size(4), .size(5)])
    ]
    let error = #expect(throws: InterchangeError.self) { try ONNXImport().read(model.bytes, "m") }
    #expect(
      error?.description.hasPrefix("m: node 'n' (Relu) gives N×3×4×4, and the file says any×3×4×5") ?? false)
  }

  @Test("a file that is cut anywhere is refused")
  func cut() throws {
    let bytes = try Self.model([Self.node("Conv", ["x", "w"])], [Self.kernel]).bytes
    #expect(throws: Never.self) { try ONNXImport().read(bytes, "m") }
    var refused = 0
    for count in 0..<bytes.count {
      #expect(throws: InterchangeError.self, "\(count)") {
        try ONNXImport().read(Array(bytes[..<count]), "m")
      }
      refused += 1
    }
    #expect(refused == bytes.count)
  }

  @Test(
    "numbers of 16 bits are read as IEEE 754 has them",
    arguments: [
      (0x0000, 0), (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x0001, 0x1p-24), (0x0400, 0x1p-14),
      (0x3555, 0.33325195),
    ] as [(UInt16, Float)])
  func halves(bits: UInt16, value: Float) {
    #expect(ONNXTensor.float(half: bits) == value)
    #expect(ONNXTensor.float(half: 0x7C00) == .infinity)
    #expect(ONNXTensor.float(half: 0x7E00).isNaN)
  }
}
