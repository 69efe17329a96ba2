import Compute
import Foundation
import HDF5
import ImageFiles
import Networks
import Parallel
import Tensors
import TestSupport
import Testing
import Training

@testable import Insight

/// Style and dream against Keras in float64 (`Fixtures/make_style_fixture.py`).
@Suite("Style and dream")
struct StyleTests {
  private struct Fixture {
    let root: Group
    let subject: Subject

    init() throws {
      let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
      root = try File.open("/\(folder)/Fixtures/style.h5").root
      func conv(_ filters: Int) -> LayerSpec {
        .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: .same, activation: .relu))
      }
      let specs: [(String, LayerSpec)] = [
        ("block1_conv1", conv(12)), ("block1_conv2", conv(20)),
        ("pool", .maxPool2D(Pool2D(size: Size2D(2)))), ("block2_conv1", conv(24)), ("block2_conv2", conv(16)),
      ]
      var layers: [Layer] = []
      for (name, spec) in specs {
        layers.append(Layer(name: name, inputs: [layers.last?.name ?? Network.inputName], spec: spec))
      }
      let network = try Network(inputShape: [16, 16, 3], layers: layers).resolved()
      let values = CanonicalParameters(layout: ParameterLayout(network))
      for parameter in values.layout.parameters {
        try root.dataset("weights/\(parameter.path)").read(into: values.values(of: parameter))
      }
      subject = try Subject(network, values: values)
    }

    func image(_ name: String) throws -> FloatImage {
      let dataset = try root.dataset(name)
      return FloatImage(
        height: dataset.shape[0], width: dataset.shape[1], channels: 3, values: try dataset.read(Float.self))
    }

    func objective(workers: Int = 1) throws -> StyleObjective {
      let settings = StyleSettings(
        contentLayers: [WeightedLayer("block2_conv1")],
        styleLayers: [WeightedLayer("block1_conv1", 0.25), WeightedLayer("block2_conv2", 0.75)],
        contentWeight: 2, styleWeight: 100, totalVariation: 3)
      return try StyleObjective(
        subject, settings: settings, content: try image("content"), style: try image("style"),
        pool: WorkerPool(workers: workers))
    }
  }

  @Test("losses and gradient of a style transfer are Keras's")
  func losses() throws {
    let fixture = try Fixture()
    let (losses, gradient) = try fixture.objective(workers: 2).evaluate(try fixture.image("image").values)
    let expected = try fixture.root.dataset("losses").read(Double.self)
    expectClose([losses.content, losses.style, losses.variation], expected, relative: 1e-5)
    expectClose(gradient, try fixture.root.dataset("gradient").read(Double.self), ofLargest: 2e-5)
  }

  @Test("the style loss falls, on any number of workers by the same bytes, interrupted or not")
  func transfer() throws {
    let fixture = try Fixture()
    let folder = try TemporaryDirectory()
    for rule in [StyleTransfer.Rule.lbfgs, .adam(rate: 2)] {
      let start = try fixture.image("content").values
      let store = StateStore(folder: folder.file("\(rule)"), name: "style")
      let whole = try StyleTransfer(try fixture.objective(), rule: rule, start: start)
      let first = whole.losses
      let objective = try fixture.objective(workers: 3)
      var other = try StyleTransfer(objective, rule: rule, start: start)
      for step in 0..<12 {
        _ = try whole.advance()
        _ = try other.advance()
        if step == 5 {
          try other.save(to: store, of: "a")
          other = try #require(
            try StyleTransfer.resume(
              from: store, of: "a", objective, rule: rule, count: start.count, damaged: { _ in }))
        }
      }
      #expect(whole.losses.total < first.total)
      #expect(other.image == whole.image)
      #expect(other.curve == whole.curve && whole.curve.count == 13)
      let error = #expect(throws: TrainingError.self) {
        try StyleTransfer.resume(
          from: store, of: "b", objective, rule: rule, count: start.count, damaged: { _ in })
      }
      #expect(error?.description.contains("unfinished work of other pictures or settings") == true)
    }
  }

  @Test(
    "a state whose numbers are not those of a transfer is refused",
    arguments: ["losses", "vectors", "negative vectors", "curve", "image"])
  func damagedNumbers(what: String) throws {
    let fixture = try Fixture()
    let folder = try TemporaryDirectory()
    let store = StateStore(folder: folder.path, name: "style")
    let start = try fixture.image("content").values
    let objective = try fixture.objective()
    // What a program would write that knows the format and means harm.
    let file = try File.createInMemory()
    let root = try file.root
    try root.attributes.write("step", 0)
    try root.attributes.write("evaluations", 1)
    try root.attributes.write("losses", what == "losses" ? [1.0, 1] : [1, 1, 1])
    try root.attributes.write("converged", 0)
    try root.attributes.write("vectors", what == "vectors" ? 2 : what == "negative vectors" ? -1 : 1)
    let curve = [Double](repeating: 1, count: what == "curve" ? 5 : 3)
    try root.write("curve", curve, shape: [curve.count])
    let count = what == "image" ? start.count - 1 : start.count
    try root.write("image", [Float](repeating: 1, count: count), shape: [count])
    for index in 0..<2 {
      try root.write("vector\(index)", [Float](repeating: 1, count: start.count), shape: [start.count])
    }
    try store.save(try file.image(), step: 1, of: "a")
    let error = #expect(throws: InsightError.self) {
      try StyleTransfer.resume(
        from: store, of: "a", objective, rule: .lbfgs, count: start.count, damaged: { _ in })
    }
    #expect(error?.description.contains("does not fit the picture") == true)
  }

  @Test("one step of a dream goes along Keras's gradient")
  func dreamStep() throws {
    let fixture = try Fixture()
    let image = try fixture.image("image")
    var dream = Dream(layers: [WeightedLayer("block2_conv1"), WeightedLayer("block2_conv2", 0.5)])
    (dream.steps, dream.octaves, dream.jitter, dream.rate) = (1, 1, 0, 1)
    var objective = 0.0
    let result = try #require(
      try dream.run(image, in: fixture.subject, pool: WorkerPool(workers: 2)) {
        objective = $0.objective
        return true
      })
    let expected = try fixture.root.dataset("dream_gradient").read(Double.self)
    let mean = expected.reduce(0) { $0 + abs($1) } / Double(expected.count)
    let moved = zip(image.values, expected).map { min(max(Double($0) + $1 / mean, 0), 255) }
    expectClose(result.values, moved, absolute: 1e-3)
    let value = try fixture.root.dataset("dream_objective").read(Double.self)[0]
    #expect(abs(objective - value) < 1e-5 * value)
  }

  @Test("a dream in tiles is the same on any number of workers, and raises what it sees")
  func tiles() throws {
    let fixture = try Fixture()
    let image = try fixture.image("image").resized(height: 90, width: 70)
    var dream = Dream(layers: [WeightedLayer("block2_conv1")])
    (dream.steps, dream.octaves, dream.tile) = (4, 2, 40)
    var objectives: [Double] = []
    let one = try dream.run(image, in: fixture.subject, pool: WorkerPool(workers: 1)) {
      objectives.append($0.objective)
      return true
    }
    let three = try dream.run(image, in: fixture.subject, pool: WorkerPool(workers: 3))
    #expect(one == three)
    #expect(objectives.count == 8)
    #expect(objectives[7] > 1.05 * objectives[4])
    dream.guide = try dream.features(
      of: try fixture.image("style"), in: fixture.subject, pool: WorkerPool(workers: 1))
    #expect(try dream.run(image, in: fixture.subject, pool: WorkerPool(workers: 2)) != one)
  }

  @Test(
    "a dream that is saved and read back anywhere goes on to the same bytes, on other workers, through a zoom"
  )
  func resuming() throws {
    let fixture = try Fixture()
    let image = try fixture.image("image").resized(height: 60, width: 50)
    var dream = Dream(layers: [WeightedLayer("block2_conv1")])
    (dream.steps, dream.octaves, dream.tile, dream.frames, dream.zoom) = (2, 2, 40, 2, 1.2)
    let folder = try TemporaryDirectory()
    let store = StateStore(folder: folder.file("states"), name: "dream")
    let whole = try DreamProcess(dream, on: image, in: fixture.subject, pool: WorkerPool(workers: 1))
    var other = try DreamProcess(dream, on: image, in: fixture.subject, pool: WorkerPool(workers: 3))
    for step in 0..<8 {
      if whole.isFrameComplete { #expect(whole.beginNextFrame() && other.beginNextFrame()) }
      _ = try whole.advance()
      _ = try other.advance()
      try other.save(to: store, of: "a")
      other = try #require(
        try DreamProcess.resume(
          from: store, of: "a", dream, on: image, in: fixture.subject,
          pool: WorkerPool(workers: 1 + step % 3),
          damaged: { _ in }))
      #expect(other.picture == whole.picture)
    }
    #expect(other.isFrameComplete && !other.beginNextFrame())
    #expect(other.readings == whole.readings && other.readings.map(\.frame) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(try folder.contents() == ["states"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 2)
  }

  @Test(
    "a state whose numbers are not those of a dream is refused",
    arguments: [[0, 0], [Int.max, 0, 0], [-1, 0, 0], [0, 9, 0], [0, 0, -1]])
  func damagedDream(position: [Int]) throws {
    let fixture = try Fixture()
    let image = try fixture.image("image")
    let folder = try TemporaryDirectory()
    let store = StateStore(folder: folder.path, name: "dream")
    let file = try File.createInMemory()
    let root = try file.root
    try root.attributes.write("position", position)
    try root.write("picture", image.values, shape: [image.values.count])
    if position[0] != 0 { try root.write("source", image.values, shape: [image.values.count]) }
    try root.write("readings", [1, 2], shape: [2])
    try root.write("objectives", [1.0, 2], shape: [2])
    try store.save(try file.image(), step: position.count == 3 ? 0 : 1, of: "a")
    let error = #expect(throws: InsightError.self) {
      try DreamProcess.resume(
        from: store, of: "a", Dream(layers: [WeightedLayer("block2_conv1")]), on: image, in: fixture.subject,
        pool: WorkerPool(workers: 1), damaged: { _ in })
    }
    #expect(error?.description.contains("does not fit its picture") == true)
  }

  @Test("a damaged state is passed over for the one before, and one of other work is refused")
  func damagedState() throws {
    let folder = try TemporaryDirectory()
    let store = StateStore(folder: folder.path, name: "work")
    for step in 1...3 { try store.save([UInt8](repeating: UInt8(step), count: 600), step: step, of: "a") }
    #expect(try folder.contents() == ["work-s0000000002.h5", "work-s0000000003.h5"])
    let other = #expect(throws: TrainingError.self) { try store.newest(of: "b") }
    #expect(other?.description.contains("unfinished work of other pictures or settings") == true)
    let newest = folder.file("work-s0000000003.h5")
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: newest)))
    bytes[700] ^= 1
    try folder.write(bytes, to: "work-s0000000003.h5")
    var complaints: [String] = []
    let found = try #require(try store.newest(of: "a", damaged: { complaints.append($0.description) }))
    #expect(found.step == 2 && found.payload == [UInt8](repeating: 2, count: 600))
    #expect(complaints.count == 1 && complaints[0].contains("work-s0000000003.h5 is damaged"))
    try store.removeAll()
    #expect(try store.newest(of: "a") == nil)
    try store.save([1, 2, 3], step: 4, isFinished: true, of: "a")
    #expect(try store.newest(of: "b") == nil)
    #expect(try store.newest(of: "a")?.isFinished == true)
  }

  @Test("a layer that is not there is named with those that are, and an image too small says why")
  func mistakes() throws {
    let fixture = try Fixture()
    let dream = Dream(layers: [WeightedLayer("block9")])
    let image = try fixture.image("image")
    let error = try #require(throws: InsightError.self) {
      try dream.run(image, in: fixture.subject, pool: WorkerPool(workers: 1))
    }
    #expect(error.description.contains("block2_conv2"))
    let tiny = FloatImage(height: 1, width: 1, channels: 3, values: [1, 2, 3])
    let small = #expect(throws: NetworkError.self) {
      try Dream(layers: [WeightedLayer("block2_conv1")]).run(
        tiny, in: fixture.subject, pool: WorkerPool(workers: 1))
    }
    #expect(
      small?.layer == "pool" && small?.description.contains("2×2") == true, "\(small?.description ?? "")")
  }
}
