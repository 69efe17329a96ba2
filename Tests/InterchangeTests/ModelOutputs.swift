import Compute
import Networks
import Tensors
import Testing
import Training

/// A folder beside the tests.
func fixtureFolder(_ name: String) -> String {
  let parts = #filePath.split(separator: "/").dropLast().joined(separator: "/")
  return "/\(parts)/Fixtures/\(name)"
}

/// What a network gives for samples of bytes; one that gives images has them as vectors.
func modelOutputs(_ checkpoint: Checkpoint, _ pixels: [UInt8]) throws -> [Float] {
  let network = checkpoint.network.network
  let flat = Layer(name: "flat_output", inputs: [network.output.name], spec: .flatten)
  let resolved = try Network(inputShape: network.inputShape, layers: network.layers + [flat]).resolved()
  let values = CanonicalParameters(layout: ParameterLayout(resolved))
  for (target, source) in zip(values.layout.parameters, checkpoint.values.layout.parameters) {
    _ = values.values(of: target).update(fromContentsOf: checkpoint.values.values(of: source))
  }
  let predictor = try Predictor(
    resolved, values: values,
    criterion: Criterion(loss: .meanSquaredError, targets: .values, outputs: resolved.outputShape[0]),
    sampleCount: pixels.count / resolved.inputShape.elementCount, workers: 1)
  return try #require(try predictor.logits(pixels: pixels, stop: StopRequest()))
}
