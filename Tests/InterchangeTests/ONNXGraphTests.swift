import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import Interchange

/// Graphs that say in several operators what one layer does, or compute what is known when they are read.
struct ONNXGraphTests: ONNXExamples {
  @Test("padding that the graph computes from sizes is known", arguments: [true, false])
  func computedPadding(roundsUp: Bool) throws {
    // As much behind as windows of 2 need: twice the half, rounded up, less the size.
    let half: [ONNXNode] =
      roundsUp
      ? [Self.node("Ceil", ["quotient"], ["half"])]
      : [
        Self.node("Neg", ["quotient"], ["below"]), Self.node("Floor", ["below"], ["floor"]),
        Self.node("Neg", ["floor"], ["half"]),
      ]
    let nodes =
      [
        Self.node("Shape", ["x"], ["shape"], [.integer("start", 2)]),
        Self.node("Cast", ["shape"], ["sizes"], [.integer("to", 1)]),
        Self.node("Div", ["sizes", "two"], ["quotient"]),
      ] + half + [
        Self.node("Cast", ["half"], ["whole"], [.integer("to", 7)]),
        Self.node("Mul", ["whole", "twice"], ["wanted"]), Self.node("Sub", ["wanted", "shape"], ["missing"]),
        Self.node("Max", ["missing", "least"], ["held"]), Self.node("Min", ["held", "most"], ["bounded"]),
        Self.node("Clip", ["bounded", "least"], ["after"]),
        Self.node("Concat", ["zeros", "after"], ["pads"], [.axis(0)]), Self.node("Pad", ["x", "pads"]),
      ]
    let tensors = [
      ONNXTensor("two", [], floats: [2]), ONNXTensor("twice", [], integers: [2]),
      ONNXTensor("least", [], integers: [0]), ONNXTensor("most", [], integers: [9]),
      ONNXTensor("zeros", [6], integers: [0, 0, 0, 0, 0, 0]),
    ]
    let model = Self.model(nodes, tensors, input: [.size(3), .size(5), .size(4)])
    let network = try ONNXImport().read(model.bytes, "m").checkpoint.network
    #expect(network.outputShape == [6, 4, 3])
  }

  @Test("a dense layer's units become an image whose channels come first in the graph")
  func unitsAsImage() throws {
    let weights = (0..<48 * 12).map { (place: Int) -> Float in Float((place * 29 + 7) % 23 - 11) / 64 }
    let bias = (0..<12).map { Float($0 % 5) - 2 }
    let nodes = [
      Self.node("Flatten", ["x"], ["flat"]), Self.node("Gemm", ["flat", "matrix", "bias"], ["units"]),
      Self.node("LeakyRelu", ["units"], ["active"], [.float("alpha", 0.5)]),
      Self.node("Reshape", ["active", "sizes"], ["image"]), Self.node("Conv", ["image", "w"]),
    ]
    let tensors = [
      ONNXTensor("matrix", [48, 12], floats: weights), ONNXTensor("bias", [12], floats: bias),
      ONNXTensor("sizes", [4], integers: [-1, 3, 2, 2]), Self.kernel,
    ]
    let checkpoint = try ONNXImport().read(Self.model(nodes, tensors).bytes, "m").checkpoint
    #expect(checkpoint.network.layers.count { $0.spec.word == "dense" } == 1)
    let pixels = (0..<48).map { UInt8($0 * 37 % 256) }
    var units: [Double] = []
    for unit in 0..<12 {
      var sum = Double(bias[unit])
      // The graph's vector has channels first, the samples have them last.
      for channel in 0..<3 {
        for position in 0..<16 {
          let weight = weights[(channel * 16 + position) * 12 + unit]
          sum += Double(pixels[position * 3 + channel]) * Double(weight)
        }
      }
      units.append(sum < 0 ? sum / 2 : sum)
    }
    var expected: [Float] = []
    for position in 0..<4 {
      for filter in 0..<2 {
        var sum = 0.0
        for channel in 0..<3 { sum += units[channel * 4 + position] * Double(1 + filter * 3 + channel) }
        expected.append(Float(sum))
      }
    }
    expectClose(try modelOutputs(checkpoint, pixels), expected, absolute: 1e-4, ofLargest: 1e-5)
  }

  @Test("a matrix behind means over all places is a dense layer, and sums are such means times the places")
  func pooledProducts() throws {
    let nodes = [
      Self.node("ReduceSum", ["x", "places"], ["sum"]),
      Self.node("Transpose", ["sum"], ["last"], [.integers("perm", [0, 2, 3, 1])]),
      Self.node("MatMul", ["last", "matrix"], ["product"]),
      Self.node("Reshape", ["product", "sizes"], ["flat"]),
      Self.node("LogSoftmax", ["flat"], ["y"], [.axis(-1)]),
    ]
    let matrix: [Float] = [0.01, -0.02, 0.03, 0.01, -0.01, 0.02]
    let tensors = [
      ONNXTensor("places", [2], integers: [2, 3]), ONNXTensor("matrix", [3, 2], floats: matrix),
      ONNXTensor("sizes", [2], integers: [-1, 2]),
    ]
    let reading = try ONNXImport().read(Self.model(nodes, tensors).bytes, "m")
    #expect(reading.notes.contains { $0.contains("logarithms of probabilities") })
    let pixels = (0..<48).map { UInt8($0 * 5 % 60) }
    var logits = [0.0, 0.0]
    for place in 0..<48 {
      for unit in 0..<2 { logits[unit] += Double(pixels[place]) * Double(matrix[place % 3 * 2 + unit]) }
    }
    let found = try modelOutputs(reading.checkpoint, pixels)
    let exponentials = logits.map { exp($0 - logits[0]) }
    let share = exponentials.reduce(0, +)
    expectClose(found, exponentials.map { Float($0 / share) }, absolute: 1e-6, ofLargest: 1e-5)
  }

  @Test("weights that the graph standardises are computed when it is read", arguments: [true, false])
  func standardisedWeights(isTraining: Bool) throws {
    // A kernel [2, 3, 1, 1] as one sample of two channels, as PyTorch's function of batch normalisation is used for it.
    let numbers: [Float] = [3, -1, 4, 1, -5, 9]
    let nodes = [
      Self.node("ReduceMean", ["rows"], ["means"], [.integers("axes", [0, 2]), .integer("keepdims", 0)]),
      Self.node("Mul", ["means", "zero"], ["none"]), Self.node("Add", ["none", "ones"], ["variances"]),
      Self.node(
        "BatchNormalization", ["rows", "scale", "offset", "means", "variances"], ["standard"],
        [.integer("training_mode", isTraining ? 1 : 0)]),
      Self.node("Reshape", ["standard", "sizes"], ["kernel"]), Self.node("Conv", ["x", "kernel"]),
    ]
    let tensors = [
      ONNXTensor("rows", [1, 2, 3], floats: numbers), ONNXTensor("zero", [], floats: [0]),
      ONNXTensor("ones", [2], floats: [1, 1]), ONNXTensor("scale", [2], floats: [2, 0.5]),
      ONNXTensor("offset", [2], floats: [0.25, -1]), ONNXTensor("sizes", [4], integers: [2, 3, 1, 1]),
    ]
    let checkpoint = try ONNXImport().read(Self.model(nodes, tensors).bytes, "m").checkpoint
    let kernel = try #require(checkpoint.values.layout.parameters.first { $0.path.hasSuffix("kernel") })
    let found = Array(checkpoint.values.values(of: kernel))
    for row in 0..<2 {
      let values = numbers[row * 3..<row * 3 + 3].map(Double.init)
      let mean = values.reduce(0, +) / 3
      let variance = isTraining ? values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3 : 1
      for column in 0..<3 {
        let standard = (values[column] - mean) / (variance + 1e-5).squareRoot()
        let expected = standard * [2, 0.5][row] + [0.25, -1][row]
        // [OC, IC, 1, 1] became [1, 1, IC, OC].
        #expect(abs(Double(found[column * 2 + row]) - expected) < 1e-6)
      }
    }
  }
}
