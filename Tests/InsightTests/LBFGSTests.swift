import Testing

@testable import Insight

@Suite("L-BFGS")
struct LBFGSTests {
  /// Rosenbrock's valley in pairs of variables.
  private static func rosenbrock(_ x: [Float]) -> LBFGS.Evaluation {
    var loss = 0.0
    var gradient = [Float](repeating: 0, count: x.count)
    for index in stride(from: 0, to: x.count, by: 2) {
      let (a, b) = (Double(x[index]), Double(x[index + 1]))
      loss += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a)
      gradient[index] = Float(-400 * a * (b - a * a) - 2 * (1 - a))
      gradient[index + 1] = Float(200 * (b - a * a))
    }
    return LBFGS.Evaluation(loss: loss, gradient: gradient)
  }

  @Test("Rosenbrock's valley is walked to its end in the steps that a quasi-Newton method takes")
  func valley() throws {
    var optimizer = LBFGS(start: [-1.2, 1, -1.2, 1, 0.3, -0.7]) { Self.rosenbrock($0) }
    while optimizer.state.loss > 1e-8, optimizer.state.step < 100 {
      guard optimizer.step({ Self.rosenbrock($0) }) == .moved else { break }
    }
    #expect(optimizer.state.loss <= 1e-8)
    #expect(optimizer.state.step <= 60)
    #expect(optimizer.state.x.allSatisfy { abs($0 - 1) < 1e-3 })
  }

  @Test("every step satisfies the strong Wolfe conditions")
  func conditions() throws {
    var optimizer = LBFGS(start: [-1.2, 1]) { Self.rosenbrock($0) }
    func dot(_ left: [Float], _ right: [Double]) -> Double {
      zip(left, right).reduce(0) { $0 + Double($1.0) * $1.1 }
    }
    for _ in 0..<20 {
      let before = optimizer.state
      try #require(optimizer.step { Self.rosenbrock($0) } == .moved)
      let move = zip(optimizer.state.x, before.x).map { Double($0) - Double($1) }
      let slope = dot(before.gradient, move)
      #expect(slope < 0)
      #expect(optimizer.state.loss <= before.loss + 1e-4 * slope + 1e-6 * abs(before.loss))
      #expect(abs(dot(optimizer.state.gradient, move)) <= 0.9 * abs(slope) * 1.001 + 1e-6)
    }
  }

  @Test("a saved state goes on to the same bits")
  func resuming() throws {
    var whole = LBFGS(start: [-1.2, 1, 2, -3]) { Self.rosenbrock($0) }
    var saved: LBFGS.State?
    for step in 0..<20 {
      if step == 9 { saved = whole.state }
      _ = whole.step { Self.rosenbrock($0) }
    }
    var resumed = LBFGS(state: try #require(saved))
    #expect(resumed.state.step == 9 && whole.state.step == 20)
    while resumed.state.step < whole.state.step { _ = resumed.step { Self.rosenbrock($0) } }
    #expect(resumed.state.x == whole.state.x)
  }

  @Test("losses that overflow far out do not stop the search")
  func overflow() throws {
    func steep(_ x: [Float]) -> LBFGS.Evaluation {
      guard abs(x[0]) < 2 else { return LBFGS.Evaluation(loss: .infinity, gradient: [.nan]) }
      return LBFGS.Evaluation(loss: Double(x[0] * x[0]) * 1e-6, gradient: [2e-6 * x[0]])
    }
    var optimizer = LBFGS(start: [1.9]) { steep($0) }
    for _ in 0..<10 { _ = optimizer.step { steep($0) } }
    #expect(optimizer.state.loss < 1e-8)
  }
}
