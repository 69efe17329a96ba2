/// What training makes small: a number for each sample, averaged over the minibatch.
///
/// With the outputs z, the targets t and their number K, of one sample:
///
///     softmax cross-entropy   −Σ t·log softmax(z)
///     sigmoid cross-entropy   mean of −t·log σ(z) − (1 − t)·log(1 − σ(z)), as max(z, 0) − t·z + log(1 + e^−|z|)
///     mean squared error      mean of (z − t)²
///     mean absolute error     mean of |z − t|, with gradient 0 where they agree
///     Huber                   mean of ½·e² where e = |z − t| ≤ δ, of δ·(e − ½·δ) elsewhere (Huber 1964)
///
/// Means are over the sample's K outputs, as in Keras. A class as the target stands for the vector that is 1 at the class and 0
/// elsewhere, or, for a single output, for the class's number.
public enum Loss: Hashable, Sendable, Codable {
  /// `labelSmoothing` in [0, 1) spreads that share of each target over all classes: t ← (1 − s)·t + s / K.
  case softmaxCrossEntropy(labelSmoothing: Float)
  /// For outputs that are decided each by itself. `labelSmoothing` in [0, 1): t ← (1 − s)·t + s / 2.
  case sigmoidCrossEntropy(labelSmoothing: Float)
  case meanSquaredError
  case meanAbsoluteError
  /// `delta` above 0.
  case huber(delta: Float)

  /// The function at a network's end that a loss does itself, on what comes before it: together they are exact where one
  /// after the other would round to 0 or 1.
  public enum FinalActivation: Hashable, Sendable {
    case none
    case softmax
    case sigmoid
  }

  public var finalActivation: FinalActivation {
    switch self {
    case .softmaxCrossEntropy: .softmax
    case .sigmoidCrossEntropy: .sigmoid
    case .meanSquaredError, .meanAbsoluteError, .huber: .none
    }
  }

  /// As configurations call it.
  public var name: String {
    switch self {
    case .softmaxCrossEntropy: "softmax_cross_entropy"
    case .sigmoidCrossEntropy: "sigmoid_cross_entropy"
    case .meanSquaredError: "mean_squared_error"
    case .meanAbsoluteError: "mean_absolute_error"
    case .huber: "huber"
    }
  }

  /// The loss by which a data set is judged: targets as they are, without smoothing.
  public var withoutSmoothing: Loss {
    switch self {
    case .softmaxCrossEntropy: .softmaxCrossEntropy(labelSmoothing: 0)
    case .sigmoidCrossEntropy: .sigmoidCrossEntropy(labelSmoothing: 0)
    case .meanSquaredError, .meanAbsoluteError, .huber: self
    }
  }
}
