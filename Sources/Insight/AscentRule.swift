public import Settings

/// How a gradient becomes a step uphill.
public enum AscentRule: String, Hashable, SettingWord {
  /// Adam (Kingma and Ba 2014, <https://arxiv.org/abs/1412.6980>) with β₁ 0.9, β₂ 0.999, ε 10⁻⁸.
  case adam
  /// `z ← z + rate · g / √(mean g²)`: the mean square of a step's changes is rate², whatever the objective's scale.
  case sgd

  /// The rule in a few words, as references and help show it.
  public var summary: String { self == .adam ? "Adam" : "the gradient, normalised" }

  /// The size of a step where the settings give none.
  var defaultRate: Double {
    switch self {
    case .adam: 0.05
    case .sgd: 0.02
    }
  }

  /// One image's moments.
  struct State {
    var mean: [Float]
    var square: [Float]

    init(_ rule: AscentRule, count: Int) {
      mean = rule == .adam ? [Float](repeating: 0, count: count) : []
      square = mean
    }
  }

  /// Changes the parameters by one step uphill.
  ///
  /// - Parameter step: the number of the step, from 1.
  func apply(_ gradient: [Float], to parameters: inout [Float], rate: Double, step: Int, _ state: inout State)
  {
    switch self {
    case .sgd:
      let squares = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
      let scale = Float(rate / ((squares / Double(gradient.count)).squareRoot() + 1e-12))
      for index in parameters.indices { parameters[index] += scale * gradient[index] }
    case .adam:
      let (keep, keepSquare): (Float, Float) = (0.9, 0.999)
      var (power, squarePower) = (1.0, 1.0)
      for _ in 0..<step { (power, squarePower) = (power * 0.9, squarePower * 0.999) }
      let correction = Float(1 / (1 - power))
      let squareCorrection = Float(1 / (1 - squarePower))
      for index in parameters.indices {
        let g = gradient[index]
        state.mean[index] = keep * state.mean[index] + (1 - keep) * g
        state.square[index] = keepSquare * state.square[index] + (1 - keepSquare) * g * g
        let root = (state.square[index] * squareCorrection).squareRoot() + 1e-8
        parameters[index] += Float(rate) * state.mean[index] * correction / root
      }
    }
  }
}
