import Compute
import Foundation
import HDF5
import Insight
import Networks
import Tensors
import TestSupport
import Testing

/// Holds objectives and gradients of images against Keras in float64; `Fixtures/make_insight_fixture.py` made the file.
@Suite("Objectives against Keras")
struct KerasObjectiveTests {
  private let root: Group
  private let subject: Subject
  private let image: [Float]

  init() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/objectives.h5").path
    root = try File.open(path).root
    let network = try Network(
      inputShape: [16, 16, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255)), .conv2D(Conv2D(filters: 9, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))),
        .conv2D(Conv2D(filters: 14, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))), .flatten, .dense(Dense(units: 20, activation: .relu)),
        .dense(Dense(units: 6)), .activation(.softmax),
      ]
    ).resolved()
    let values = CanonicalParameters(layout: ParameterLayout(network))
    for parameter in values.layout.parameters {
      let stored: [Float] = try root.dataset("weights/\(parameter.path)").read(Float.self)
      _ = values.values(of: parameter).update(fromContentsOf: stored)
    }
    subject = try Subject(network, values: values)
    image = try root.dataset("image").read(Float.self)
  }

  @Test(
    "value and gradient",
    arguments: ["filter", "first_filter", "neuron", "class", "class_l1", "class_l2", "class_tv"])
  func matches(_ name: String) throws {
    let active: [Int32] = try root.dataset("active_neuron").read(Int32.self)
    let target: Target =
      switch name {
      case "filter": .filter(layer: "conv2d_1", index: 3)
      case "first_filter": .filter(layer: "conv2d", index: 5)
      case "neuron": .neuron(layer: "dense", index: Int(active[0]))
      default: .output(2)
      }
    let prior: ImagePrior =
      switch name {
      case "class_l1": ImagePrior(l1: 0.3)
      case "class_l2": ImagePrior(l2: 0.2)
      case "class_tv": ImagePrior(totalVariation: 0.05)
      default: ImagePrior()
      }
    for kernels in [KernelSelection.direct, .costModel] {
      let objective = try target.objective(for: subject)
      let trace = try LayerTrace(
        subject.network, values: subject.values, taps: [objective.tap], kernels: kernels)
      var ascent = Ascent(objective, try trace.makeSession(), subject.range)
      let shape = subject.network.inputShape
      let value = try ascent.value(of: image) - prior.value(image, shape: shape)
      try ascent.updateGradient()
      prior.subtractGradient(image, shape: shape, from: &ascent.gradient)
      let expected: [Double] = try root.dataset("cases/\(name)/value").read(Double.self)
      let gradient: [Float] = try root.dataset("cases/\(name)/gradient").read(Float.self)
      expectClose([value], expected, relative: 1e-4, "\(name): value")
      expectClose(ascent.gradient, gradient, absolute: 1e-7, ofLargest: 1e-4, "\(name): gradient")
    }
  }

  @Test("a shift of the image is undone in its gradient")
  func shifted() throws {
    let objective = Objective(tap: LayerTap("conv2d_1"), kind: .channelSum(3))
    let trace = try LayerTrace(subject.network, values: subject.values, taps: [objective.tap])
    var ascent = Ascent(objective, try trace.makeSession(), subject.range)
    let shape = subject.network.inputShape
    let (down, right) = (3, -5)
    var rolled = image
    for row in 0..<16 {
      for column in 0..<16 {
        rolled[(row + down) % 16 * 16 + (column + 16 + right) % 16] = image[row * 16 + column]
      }
    }
    let expectedValue = try ascent.value(of: rolled)
    try ascent.updateGradient()
    let expected = ascent.gradient
    #expect(shape == [16, 16, 1])
    #expect(try ascent.value(of: image, placed: ImagePlacement(down: down, right: right)) == expectedValue)
    try ascent.updateGradient(placed: ImagePlacement(down: down, right: right))
    for row in 0..<16 {
      for column in 0..<16 {
        #expect(
          ascent.gradient[row * 16 + column]
            == expected[(row + down) % 16 * 16 + (column + 16 + right) % 16])
      }
    }
  }
}
