public import Compute
internal import Foundation
internal import Networks
public import Parallel
internal import Tensors

/// The image that an ascent found for a target.
public struct Maximum: Hashable, Sendable, Codable {
  /// The target.
  public let target: Target
  /// `[H, W, C]`, pixels in 0…1.
  public let image: [Float]
  /// The target's value for the image: the sum of a filter's map, a unit's value, or a logit.
  public let activation: Double
  /// The activation less the penalties.
  public let objective: Double
  /// The objective before each step, and at the end.
  public let curve: [Double]
  /// `Σ|x|` over the image's pixels.
  public var pixelSum: Double { image.reduce(0.0) { $0 + abs(Double($1)) } }
}

/// Finds the images that excite targets most, by gradient ascent with fixed parameters.
///
/// One worker computes each target; its bytes depend neither on the number of workers nor on the other targets.
public struct Maximization: Sendable {
  /// The network that is looked into.
  public let subject: Subject
  /// The settings, with every choice that depends on the image's size made.
  public let settings: AscentSettings
  private let start: [Float]?

  /// A maximisation; what the settings leave to the image's size is chosen here.
  ///
  /// - Parameter start: the pixels of the starting image, in 0…1 and the network's shape, where ``AscentSettings/start`` names
  ///   one.
  public init(_ subject: Subject, _ settings: AscentSettings = AscentSettings(), start: [Float]? = nil) {
    self.subject = subject
    self.start = start
    let shape = subject.network.inputShape
    self.settings = shape.rank == 3 ? settings.resolved(for: shape) : settings
  }

  /// The settings with everything chosen that depends on a target.
  public func settings(for target: Target) -> AscentSettings {
    var result = settings
    let shape = subject.network.inputShape
    if shape.rank == 3 { result.blur = settings.blurSigma(of: target, shape: shape) }
    return result
  }

  /// Carries out the ascents.
  ///
  /// - Parameters:
  ///   - admits: is asked before each target; false ends the work early.
  ///   - finished: is told of each target when it is done, from any worker.
  /// - Returns: the maxima in the order of the targets; fewer when the work ended early.
  /// - Throws: ``InsightError`` for a target that the network lacks, and where the network takes no images.
  public func run(
    _ targets: [Target], pool: WorkerPool, while admits: @Sendable () -> Bool = { true },
    finished: @Sendable (Maximum) throws -> Void = { _ in }
  ) throws -> [Maximum] {
    let objectives = try targets.map { try $0.objective(for: subject) }
    _ = try subject.imageShape()
    // One trace per tap: targets of other layers would only slow an ascent down.
    var traces: [LayerTap: LayerTrace] = [:]
    for objective in objectives where traces[objective.tap] == nil {
      traces[objective.tap] = try LayerTrace(
        subject.network, values: subject.values, taps: Self.taps(for: objective.tap))
    }
    let results = IndexedValues<Maximum>(count: targets.count)
    let sessions = IndexedValues<[LayerTap: LayerTrace.Session]>(count: pool.workerCount)
    let known = traces
    let done = try pool.forEach(in: 0..<targets.count, while: { _ in admits() }) { index, worker in
      let tap = objectives[index].tap
      let session: LayerTrace.Session
      if let own = sessions[worker]?[tap] {
        session = own
      } else {
        guard let trace = known[tap] else { return }
        session = try trace.makeSession()
        sessions[worker, default: [:]][tap] = session
      }
      var maximum = try ascend(targets[index], objectives[index], attempt: 0, in: session)
      for attempt in 1..<max(1, settings.attempts) {
        let other = try ascend(targets[index], objectives[index], attempt: attempt, in: session)
        if other.objective > maximum.objective { maximum = other }
      }
      results[index] = maximum
      try finished(maximum)
    }
    return (0..<done).compactMap { results[$0] }
  }

  /// The tap itself, and where its activation function cuts values off, what goes into that function.
  private static func taps(for tap: LayerTap) -> [LayerTap] {
    tap.stage == .beforeActivation ? [tap] : [tap, LayerTap(tap.layer, .beforeActivation)]
  }

  /// A number that belongs to the target alone, so that its noise does not depend on the other targets.
  private func key(of target: Target) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in target.name(in: subject).utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }

  private func ascend(
    _ target: Target, _ objective: Objective, attempt: Int, in session: LayerTrace.Session
  ) throws -> Maximum {
    let shape = subject.network.inputShape
    let count = shape.elementCount
    let key = key(of: target)
    let warmUp = attempt.isMultiple(of: 2) ? settings.warmUp ?? 0 : 0
    let stream = UInt64(attempt) << 40
    var noise = RandomStream(seed: settings.seed, purpose: .insight, a: key, b: stream)
    let image = ParameterizedImage(settings.parameterization ?? .pixels, shape: shape)
    var parameters = start.map(image.parameters(of:)) ?? image.parameters(of: settings.start, &noise)
    var pixels = parameters
    image.pixels(of: parameters, into: &pixels)
    var state = AscentRule.State(settings.rule, count: count)
    var ascent = Ascent(objective, session, subject.range)
    let sigma = settings.blurSigma(of: target, shape: shape)
    let blur = sigma > 0 ? GaussianBlur(sigma: sigma) : nil
    let rate = settings.rate ?? settings.rule.defaultRate
    var curve: [Double] = []
    for step in 0..<settings.steps {
      let placement = settings.transform.placement(
        stream: stream + UInt64(step) + 1, seed: settings.seed, target: key)
      let value = try ascent.value(of: pixels, placed: placement)
      curve.append(value - settings.prior.value(pixels, shape: shape))
      try ascent.updateGradient(placed: placement, beforeActivation: step < warmUp)
      settings.prior.subtractGradient(pixels, shape: shape, from: &ascent.gradient)
      image.pullBack(&ascent.gradient, pixels: pixels)
      settings.rule.apply(ascent.gradient, to: &parameters, rate: rate, step: step + 1, &state)
      image.project(&parameters)
      if let blur, (step + 1).isMultiple(of: settings.blurEvery), step + 1 < settings.steps {
        image.blur(&parameters, blur)
      }
      image.pixels(of: parameters, into: &pixels)
    }
    let activation = try ascent.value(of: pixels)
    curve.append(activation - settings.prior.value(pixels, shape: shape))
    return Maximum(
      target: target, image: pixels, activation: activation, objective: curve[curve.count - 1], curve: curve)
  }
}

/// One objective's value and gradient for images in 0…1; the four ideas meet here.
public struct Ascent {
  /// The number that grows.
  public let objective: Objective
  /// The gradient of the last image's objective with respect to its pixels in 0…1.
  public var gradient: [Float]
  private let session: LayerTrace.Session
  private let range: PixelRange
  private let input: AlignedBuffer<Float>
  private let rolled: AlignedBuffer<Float>
  private let channels: Int

  /// An ascent that runs the network in `session`.
  ///
  /// - Parameters:
  ///   - session: belongs to a trace that includes the objective's tap.
  ///   - range: what pixels in 0…1 are to the network.
  public init(_ objective: Objective, _ session: LayerTrace.Session, _ range: PixelRange) {
    self.objective = objective
    self.session = session
    self.range = range
    let count = session.trace.imageShape.elementCount
    gradient = [Float](repeating: 0, count: count)
    input = AlignedBuffer(count: count)
    rolled = AlignedBuffer(count: count)
    channels = session.trace.shape(of: objective.tap)?.dimensions.last ?? 1
  }

  /// Runs the network forward.
  ///
  /// - Parameter pixels: `[H, W, C]` in 0…1.
  /// - Returns: the objective for the placed image.
  public mutating func value(of pixels: [Float], placed placement: ImagePlacement = .unmoved) throws -> Double
  {
    for index in pixels.indices { rolled.baseAddress[index] = range.low + range.width * pixels[index] }
    placement.apply(rolled.baseAddress, to: input.baseAddress, session.trace.imageShape)
    try session.forward(input.baseAddress)
    return objective.value(session.value(of: objective.tap), channels: channels)
  }

  /// Runs the network backward, after ``value(of:placed:)`` with the same placement, and writes ``gradient``.
  ///
  /// Where a filter or unit gives zero everywhere, its activation function lets no gradient through. The ascent then raises what
  /// goes into that function, until something comes out.
  ///
  /// - Parameter beforeActivation: whether to raise what goes into the function in any case.
  public mutating func updateGradient(
    placed placement: ImagePlacement = .unmoved, beforeActivation: Bool = false
  ) throws {
    let before = LayerTap(objective.tap.layer, .beforeActivation)
    let values = session.value(of: objective.tap)
    let goesBefore =
      before != objective.tap && session.trace.taps.contains(before)
      && (beforeActivation || isZero(values))
    for tap in session.trace.taps {
      let seed = session.seed(of: tap)
      if tap == (goesBefore ? before : objective.tap) {
        objective.writeGradient(to: seed, values: values, channels: channels)
      } else {
        seed.update(repeating: 0)
      }
    }
    guard let source = try session.backward().baseAddress else { return }
    placement.pullBack(source, to: rolled.baseAddress, session.trace.imageShape)
    for index in gradient.indices { gradient[index] = rolled.baseAddress[index] * range.width }
  }

  private func isZero(_ values: UnsafeBufferPointer<Float>) -> Bool {
    switch objective.kind {
    case .unit(let unit): values[unit] == 0
    case .channelSum(let channel):
      stride(from: channel, to: values.count, by: channels).allSatisfy { values[$0] == 0 }
    }
  }
}
