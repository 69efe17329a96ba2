public import ImageFiles
internal import Tensors

/// An image that takes over a style, step by step.
///
/// A state holds all that a step depends on, so that a transfer that was saved and goes on gives the same bytes as one that was
/// never interrupted.
public final class StyleTransfer {
  /// How a step changes the picture.
  public enum Rule: Hashable, Sendable {
    /// L-BFGS with a line search.
    case lbfgs
    /// Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 (Kingma & Ba 2015); the rate is in levels of 0…255 per step.
    case adam(rate: Double)
  }

  /// How a step changes the picture.
  public let rule: Rule
  /// The number of steps done.
  public private(set) var step = 0
  /// The losses of the present image.
  public private(set) var losses = StyleLosses()
  /// Whether no step lowers the loss any more.
  public private(set) var hasConverged = false
  /// How many times the loss and its gradient have been computed so far.
  public private(set) var evaluations = 0
  /// The losses at the start and after every step.
  public private(set) var curve: [StyleLosses] = []
  /// The present image, in the network's units.
  public private(set) var image: [Float]

  private let objective: StyleObjective
  private var lbfgs: LBFGS?
  private var moments: (first: [Float], second: [Float])?

  /// Begins a transfer.
  ///
  /// - Parameter start: the first image, in the network's units.
  public init(_ objective: StyleObjective, rule: Rule, start: [Float]) throws {
    self.objective = objective
    self.rule = rule
    image = start
    switch rule {
    case .lbfgs:
      lbfgs = try LBFGS(start: start) { [self] in try evaluate($0) }
    case .adam:
      moments = ([Float](repeating: 0, count: start.count), [Float](repeating: 0, count: start.count))
      _ = try evaluate(start)
    }
    curve = [losses]
  }

  /// Goes on from a state.
  init(_ objective: StyleObjective, rule: Rule, state: StyleState) {
    self.objective = objective
    self.rule = rule
    image = state.image
    step = state.step
    losses = state.losses
    evaluations = state.evaluations
    curve = state.curve
    hasConverged = state.hasConverged
    switch rule {
    case .lbfgs:
      lbfgs = LBFGS(
        state: LBFGS.State(
          x: state.image, loss: state.losses.total, gradient: state.vectors[0],
          pairs: stride(from: 1, to: state.vectors.count, by: 2).map {
            LBFGS.State.Pair(s: state.vectors[$0], y: state.vectors[$0 + 1])
          }, step: state.step))
    case .adam: moments = (state.vectors[0], state.vectors[1])
    }
  }

  var state: StyleState {
    var vectors: [[Float]] = []
    if let lbfgs { vectors = [lbfgs.state.gradient] + lbfgs.state.pairs.flatMap { [$0.s, $0.y] } }
    if let moments { vectors = [moments.first, moments.second] }
    return StyleState(
      image: image, step: step, losses: losses, evaluations: evaluations, vectors: vectors, curve: curve,
      hasConverged: hasConverged)
  }

  /// Takes one step.
  ///
  /// - Returns: false where the loss cannot be lowered any more.
  public func advance() throws -> Bool {
    guard !hasConverged else { return false }
    switch rule {
    case .lbfgs:
      guard var optimizer = lbfgs else { return false }
      lbfgs = nil
      var last: [Double: StyleLosses] = [:]
      let outcome = try optimizer.step { [self] point in
        let result = try evaluate(point)
        last[result.loss] = losses
        return result
      }
      image = optimizer.state.x
      losses = last[optimizer.state.loss] ?? losses
      lbfgs = optimizer
      hasConverged = outcome == .converged
      if hasConverged { return false }
    case .adam(let rate):
      let gradient = try evaluate(image).gradient
      adam(gradient, rate: rate)
    }
    step += 1
    curve.append(losses)
    return true
  }

  private func evaluate(_ point: [Float]) throws -> LBFGS.Evaluation {
    let result = try objective.evaluate(point)
    evaluations += 1
    losses = result.losses
    return LBFGS.Evaluation(loss: result.losses.total, gradient: result.gradient)
  }

  private func adam(_ gradient: [Float], rate: Double) {
    guard var (first, second) = moments else { return }
    moments = nil
    let time = Double(step + 1)
    let correction1 = Float(1 / (1 - power(0.9, time)))
    let correction2 = Float(1 / (1 - power(0.999, time)))
    let rate = Float(rate)
    for index in gradient.indices {
      let g = gradient[index]
      first[index] += 0.1 * (g - first[index])
      second[index] += 0.001 * (g * g - second[index])
      image[index] -= rate * first[index] * correction1 / ((second[index] * correction2).squareRoot() + 1e-8)
    }
    moments = (first, second)
  }

  /// By multiplications alone, so that no library's version decides the last bit.
  private func power(_ base: Double, _ exponent: Double) -> Double {
    var result = 1.0
    for _ in 0..<Int(min(exponent, 100_000)) { result *= base }
    return result
  }
}

/// Everything that a transfer needs to continue.
struct StyleState {
  var image: [Float]
  var step: Int
  var losses: StyleLosses
  var evaluations: Int
  /// For L-BFGS the gradient, then the pairs; for Adam the two moments.
  var vectors: [[Float]]
  var curve: [StyleLosses]
  var hasConverged: Bool
}

extension FloatImage {
  /// The image with its own colours and the brightness of `other`: `x + Y_other − Y`, Y as in JPEG; a grey image becomes `other`.
  public func withBrightness(of other: FloatImage) -> FloatImage {
    guard channels == 3, other.values.count == values.count else { return other }
    var result = self
    for pixel in stride(from: 0, to: values.count, by: 3) {
      var change: Float = 0
      for (channel, weight) in [Float(0.299), 0.587, 0.114].enumerated() {
        change += weight * (other.values[pixel + channel] - values[pixel + channel])
      }
      for channel in 0..<3 { result.values[pixel + channel] += change }
    }
    return result
  }
}
