/// Limited-memory BFGS with a line search that satisfies the strong Wolfe conditions.
///
/// The direction is `−H·g`, where H is built by the two-loop recursion from the last `memory` pairs `s = x′ − x`,
/// `y = g′ − g`, beginning with `(sᵀy / yᵀy)·I`. The step α along it satisfies
/// `f(x + αd) ≤ f(x) + c₁·α·gᵀd` and `|g(x + αd)ᵀd| ≤ c₂·|gᵀd|`, which keeps every `sᵀy` positive.
///
/// All state is in ``State``: an optimizer that goes on from a saved one takes the same steps, bit for bit.
/// - SeeAlso: Nocedal & Wright, "Numerical optimization", 2nd ed. 2006, algorithms 7.4, 3.5 and 3.6; Liu & Nocedal 1989.
struct LBFGS {
  struct Options: Hashable, Sendable {
    /// Pairs that are kept.
    var memory = 10
    var sufficientDecrease = 1e-4
    var curvature = 0.9
    /// Evaluations of one line search.
    var evaluationLimit = 25
  }

  struct Evaluation: Sendable {
    var loss: Double
    var gradient: [Float]
  }

  struct State: Sendable {
    var x: [Float]
    var loss: Double
    var gradient: [Float]
    /// Oldest first.
    var pairs: [Pair] = []
    var step = 0
    var evaluations = 1

    struct Pair: Sendable {
      var s: [Float]
      var y: [Float]
    }
  }

  enum Outcome: Hashable, Sendable {
    case moved
    /// No step along the direction, nor along the gradient, lowers the loss: as far as the arithmetic goes.
    case converged
  }

  let options: Options
  private(set) var state: State

  init(state: State, options: Options = Options()) {
    self.state = state
    self.options = options
  }

  init(start: [Float], options: Options = Options(), evaluate: ([Float]) throws -> Evaluation) rethrows {
    let first = try evaluate(start)
    self.init(state: State(x: start, loss: first.loss, gradient: first.gradient), options: options)
  }

  /// One step: a direction and a search along it.
  mutating func step(_ evaluate: ([Float]) throws -> Evaluation) rethrows -> Outcome {
    if try move(evaluate) { return .moved }
    guard !state.pairs.isEmpty else { return .converged }
    // The pairs may have aged; the gradient itself is a direction, too.
    state.pairs = []
    return try move(evaluate) ? .moved : .converged
  }

  private mutating func move(_ evaluate: ([Float]) throws -> Evaluation) rethrows -> Bool {
    var direction = self.direction()
    var slope = FixedOrder.dot(state.gradient, direction)
    if slope >= 0 {
      state.pairs = []
      direction = self.direction()
      slope = FixedOrder.dot(state.gradient, direction)
    }
    guard slope < 0, slope.isFinite else { return false }
    let length = FixedOrder.dot(direction, direction).squareRoot()
    // A quasi-Newton direction is scaled already; the first gradient is not.
    let first = state.pairs.isEmpty ? 1 / length : 1
    let (x, direct) = (state.x, direction)
    var evaluations = 0
    let search = WolfeSearch(options: options)
    let found = try search.run(loss: state.loss, slope: slope, firstStep: first) { factor in
      evaluations += 1
      let evaluation = try evaluate(FixedOrder.point(x, factor, direct))
      return (evaluation, FixedOrder.dot(evaluation.gradient, direct))
    }
    state.evaluations += evaluations
    guard let found else { return false }
    let next = FixedOrder.point(x, found.factor, direct)
    remember(
      s: FixedOrder.difference(next, x), y: FixedOrder.difference(found.evaluation.gradient, state.gradient))
    state.x = next
    state.loss = found.evaluation.loss
    state.gradient = found.evaluation.gradient
    state.step += 1
    return true
  }

  private mutating func remember(s: [Float], y: [Float]) {
    // Without curvature the pair would make H indefinite.
    guard FixedOrder.dot(s, y) > 1e-10 * FixedOrder.dot(y, y) else { return }
    state.pairs.append(State.Pair(s: s, y: y))
    if state.pairs.count > options.memory { state.pairs.removeFirst() }
  }

  /// The two-loop recursion.
  private func direction() -> [Float] {
    var q = state.gradient
    var alphas: [Double] = []
    let products = state.pairs.map { FixedOrder.dot($0.s, $0.y) }
    for (pair, product) in zip(state.pairs, products).reversed() {
      let alpha = FixedOrder.dot(pair.s, q) / product
      alphas.append(alpha)
      FixedOrder.add(-alpha, pair.y, to: &q)
    }
    if let last = state.pairs.last, let product = products.last {
      let scale = Float(product / FixedOrder.dot(last.y, last.y))
      for index in q.indices { q[index] *= scale }
    }
    for ((pair, product), alpha) in zip(zip(state.pairs, products), alphas.reversed()) {
      let beta = FixedOrder.dot(pair.y, q) / product
      FixedOrder.add(alpha - beta, pair.s, to: &q)
    }
    for index in q.indices { q[index] = -q[index] }
    return q
  }
}

/// A search along a direction for a step that satisfies the strong Wolfe conditions.
struct WolfeSearch {
  let options: LBFGS.Options

  struct Found {
    let factor: Double
    let evaluation: LBFGS.Evaluation
  }

  /// A point on the line.
  private struct Point {
    var factor: Double
    var loss: Double
    var slope: Double
    /// Nil for the start.
    var evaluation: LBFGS.Evaluation?
  }

  typealias Evaluate = (Double) throws -> (LBFGS.Evaluation, slope: Double)

  /// - Parameters:
  ///   - loss: at the start.
  ///   - slope: along the direction at the start, negative.
  /// - Returns: nil where no point lowers the loss. Where the limit of evaluations is reached before both conditions hold,
  ///   the best point that lowers the loss.
  func run(
    loss: Double, slope: Double, firstStep: Double, _ evaluate: Evaluate
  ) rethrows -> Found? {
    let start = Point(factor: 0, loss: loss, slope: slope)
    var previous = start
    var factor = firstStep
    var remaining = options.evaluationLimit
    func point(_ factor: Double) throws -> Point {
      remaining -= 1
      let (evaluation, slope) = try evaluate(factor)
      return Point(factor: factor, loss: evaluation.loss, slope: slope, evaluation: evaluation)
    }
    while remaining > 0 {
      let current = try point(factor)
      guard current.loss.isFinite, current.slope.isFinite else {
        // Too far: the network overflowed.
        factor = previous.factor + (factor - previous.factor) / 10
        continue
      }
      let decreases = current.loss <= loss + options.sufficientDecrease * factor * slope
      if !decreases || (previous.factor > 0 && current.loss >= previous.loss) {
        return try zoom(start, previous, current, remaining, point)
      }
      if abs(current.slope) <= -options.curvature * slope { return found(current) }
      if current.slope >= 0 { return try zoom(start, current, previous, remaining, point) }
      // Still falling: further out, by what a cubic through both points says, within 2 to 10 times as far.
      let guess = Self.cubicMinimum(previous, current) ?? factor * 10
      previous = current
      factor = min(max(guess, factor * 2), factor * 10)
    }
    return previous.evaluation == nil ? nil : found(previous)
  }

  /// Narrows an interval whose `low` end is the best point that decreases enough.
  private func zoom(
    _ start: Point, _ low: Point, _ high: Point, _ evaluations: Int, _ point: (Double) throws -> Point
  ) rethrows -> Found? {
    var (low, high) = (low, high)
    for _ in 0..<evaluations {
      let width = high.factor - low.factor
      guard abs(width) > 1e-12 * max(1e-12, abs(high.factor)) else { break }
      var factor = Self.cubicMinimum(low, high) ?? (low.factor + high.factor) / 2
      // A tenth from the ends at least, or the interval would hardly shrink.
      let (near, far) = (low.factor + 0.1 * width, high.factor - 0.1 * width)
      factor = min(max(factor, min(near, far)), max(near, far))
      let current = try point(factor)
      let decreases = current.loss <= start.loss + options.sufficientDecrease * factor * start.slope
      if !decreases || !(current.loss < low.loss) || !current.slope.isFinite {
        high = current
        if !high.loss.isFinite || !high.slope.isFinite {
          high = Point(factor: factor, loss: .infinity, slope: .infinity)
        }
      } else {
        if abs(current.slope) <= -options.curvature * start.slope { return found(current) }
        if current.slope * width >= 0 { high = low }
        low = current
      }
    }
    return low.evaluation == nil ? nil : found(low)
  }

  private func found(_ point: Point) -> Found? {
    point.evaluation.map { Found(factor: point.factor, evaluation: $0) }
  }

  /// Where the cubic through two points with their slopes is least (Nocedal & Wright, 3.59); nil where it has no minimum.
  private static func cubicMinimum(_ a: Point, _ b: Point) -> Double? {
    guard b.loss.isFinite, b.slope.isFinite, a.factor != b.factor else { return nil }
    let d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.factor - b.factor)
    let square = d1 * d1 - a.slope * b.slope
    guard square >= 0 else { return nil }
    let d2 = b.factor > a.factor ? square.squareRoot() : -square.squareRoot()
    let denominator = b.slope - a.slope + 2 * d2
    guard denominator != 0 else { return nil }
    let minimum = b.factor - (b.factor - a.factor) * (b.slope + d2 - d1) / denominator
    return minimum.isFinite ? minimum : nil
  }
}
