import Networks
import Parallel
import Tensors
import TestSupport
import Testing

@testable import Insight

@Suite("Activation maximisation")
struct MaximizationTests {
  private let subject: Subject

  init() throws {
    let network = try Network(
      inputShape: [12, 12, 1],
      chain: [
        .rescale(Rescale(scale: 1 / 255)), .conv2D(Conv2D(filters: 5, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))), .flatten, .dense(Dense(units: 8, activation: .relu)),
        .dense(Dense(units: 4)),
      ]
    ).resolved()
    subject = try Subject(network, values: ParameterLayout(network).initialValues(seed: 2))
  }

  private var targets: [Target] {
    (0..<5).map { .filter(layer: "conv2d", index: $0) } + (0..<4).map { .output($0) }
      + [.neuron(layer: "dense", index: 1)]
  }

  @Test("the bytes depend neither on the workers nor on the other targets", arguments: AscentRule.allCases)
  func deterministic(_ rule: AscentRule) throws {
    let settings = AscentSettings {
      ($0.steps, $0.rule, $0.jitter, $0.blur) = (15, rule, 2, 0.5)
      $0.prior = ImagePrior(l1: 0.01, totalVariation: 0.001)
    }
    let maximization = Maximization(subject, settings)
    let one = try maximization.run(targets, pool: WorkerPool(workers: 1))
    for workers in [2, 3, 8] {
      #expect(try maximization.run(targets, pool: WorkerPool(workers: workers)) == one)
    }
    #expect(try maximization.run([targets[6]], pool: WorkerPool(workers: 1)) == [one[6]])
  }

  @Test("waves, and images that are turned and enlarged, are the same on any number of workers, too")
  func transformed() throws {
    let settings = AscentSettings {
      ($0.steps, $0.parameterization, $0.blur) = (12, .fourier, 0.5)
      ($0.jitter, $0.scale, $0.rotation) = (2, 0.2, 15)
    }
    let one = try Maximization(subject, settings).run(targets, pool: WorkerPool(workers: 1))
    #expect(try Maximization(subject, settings).run(targets, pool: WorkerPool(workers: 3)) == one)
    var plain = settings
    plain.rotation = 0
    #expect(try Maximization(subject, plain).run([targets[0]], pool: WorkerPool(workers: 1))[0] != one[0])
  }

  @Test("an image is blurred after every so many steps and not after the last")
  func blurred() throws {
    func image(_ change: (inout AscentSettings) -> Void) throws -> [Float] {
      let settings = AscentSettings {
        ($0.steps, $0.parameterization, $0.jitter, $0.blur) = (9, .pixels, 0, 0.8)
        change(&$0)
      }
      return try Maximization(subject, settings).run([targets[0]], pool: WorkerPool(workers: 1))[0].image
    }
    let never = try image { $0.blur = 0 }
    // The ninth step is the last one.
    #expect(try image { $0.blurEvery = 9 } == never)
    let images = try [1, 2, 3, 5, 8].map { every in try image { $0.blurEvery = every } }
    #expect(Set(images + [never]).count == 6)
  }

  @Test("images are sought as waves that move, small ones with an L1 penalty as pixels that do not")
  func choices() {
    let small = AscentSettings().resolved(for: [28, 28, 1])
    #expect(
      small.parameterization == .fourier && small.jitter == 2 && small.scale == 0 && small.rotation == 0)
    #expect(small.prior == ImagePrior(totalVariation: 0.02))
    #expect(AscentSettings().resolved(for: [48, 48, 3]).jitter == 4)
    let sparse = AscentSettings { $0.l1 = 0.1 }.resolved(for: [28, 28, 1])
    #expect(sparse.parameterization == .pixels && sparse.jitter == 0 && sparse.prior == ImagePrior(l1: 0.1))
    let chosen = AscentSettings { ($0.l1, $0.parameterization, $0.totalVariation) = (0.1, .fourier, 0.5) }
    #expect(chosen.resolved(for: [28, 28, 1]).parameterization == .fourier)
    #expect(chosen.resolved(for: [28, 28, 1]).prior.totalVariation == 0.5)
    let large = AscentSettings { $0.scale = 0 }.resolved(for: [224, 224, 3])
    #expect(
      large.parameterization == .fourier && large.jitter == 8 && large.scale == 0 && large.rotation == 5)
    #expect(large.prior == ImagePrior())
    // Of small images classes are blurred a little, and filters, which may look for what is fine, are not.
    func blur(_ settings: AscentSettings, _ target: Target, _ side: Int = 28) -> Double {
      settings.resolved(for: [side, side, 1]).blurSigma(of: target, shape: [side, side, 1])
    }
    #expect(blur(AscentSettings(), .output(0)) == 0.5 && blur(AscentSettings(), .output(0), 64) == 0)
    #expect(blur(AscentSettings(), .filter(layer: "conv2d", index: 0)) == 0)
    #expect(blur(AscentSettings { $0.l1 = 0.1 }, .output(0)) == 0)
    #expect(blur(AscentSettings { $0.parameterization = .pixels }, .output(0)) == 0)
    #expect(blur(AscentSettings { $0.blur = 0.3 }, .filter(layer: "conv2d", index: 0)) == 0.3)
    #expect(blur(AscentSettings { $0.blur = 0 }, .output(0)) == 0)
  }

  @Test("every target grows, whatever the parameterisation", arguments: ImageParameterization.allCases)
  func grows(_ parameterization: ImageParameterization) throws {
    // Waves begin nearly grey and move more slowly.
    let settings = AscentSettings {
      $0.steps = parameterization == .fourier ? 200 : 40
      $0.parameterization = parameterization
    }
    for maximum in try Maximization(subject, settings).run(targets, pool: WorkerPool(workers: 2)) {
      #expect(maximum.activation > maximum.curve[0], "\(maximum.target)")
      #expect(maximum.image.allSatisfy { (0...1).contains($0) })
      #expect(maximum.curve.count == settings.steps + 1)
    }
  }

  @Test("a filter that is dark everywhere at the start is found by what its activation was given")
  func dead() throws {
    let values = CanonicalParameters(layout: subject.values.layout)
    for parameter in values.layout.parameters {
      _ = values.values(of: parameter).update(fromContentsOf: subject.values.values(of: parameter))
      if parameter.path == "conv2d/bias" { values.values(of: parameter)[0] = -0.5 }
      // Positive weights and a bias that a mid-grey image does not reach.
      if parameter.path == "conv2d/kernel" {
        for index in stride(from: 0, to: 45, by: 5) { values.values(of: parameter)[index] = 0.1 }
      }
    }
    let dark = try Subject(subject.network, values: values)
    let settings = AscentSettings { ($0.steps, $0.start, $0.warmUp, $0.totalVariation) = (60, .grey, 0, 0) }
    let maximum = try Maximization(dark, settings).run(
      [.filter(layer: "conv2d", index: 0)], pool: WorkerPool(workers: 1))[0]
    #expect(maximum.curve[0] == 0)
    #expect(maximum.activation > 1)
  }

  @Test("what is not there is named, with what there is")
  func missing() throws {
    func message(_ target: Target) -> String {
      do {
        _ = try target.objective(for: subject)
        return ""
      } catch { return error.description }
    }
    #expect(message(.filter(layer: "conv9", index: 0)).contains("its layers are rescale, conv2d, max_pool2d"))
    #expect(message(.filter(layer: "conv2d", index: 5)).contains("it has 5, from 0 to 4"))
    #expect(message(.filter(layer: "dense", index: 0)).contains("layers with maps"))
    #expect(message(.neuron(layer: "conv2d", index: 0)).contains("ask for one of its filters"))
  }

  @Test("values that are not finite are refused before anything is drawn")
  func notFinite() throws {
    let values = CanonicalParameters(layout: subject.values.layout)
    values.trainable[7] = .nan
    let error = #expect(throws: InsightError.self) { try Subject(subject.network, values: values) }
    #expect(error?.description.hasPrefix("conv2d/kernel has a value that is NaN or infinite") == true)
  }
}

extension AscentSettings {
  /// The defaults but for what `change` makes of them.
  init(_ change: (inout AscentSettings) -> Void) {
    self.init()
    change(&self)
  }
}
