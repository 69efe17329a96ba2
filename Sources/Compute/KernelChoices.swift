public import OneDNN

/// A pass over a layer.
public enum Pass: String, Hashable, Sendable, CaseIterable, Codable {
  case forward
  case backwardData = "backward-data"
  case backwardWeights = "backward-weights"
}

/// The algorithm of each convolution and pass, and the shard size; what a checkpoint keeps so that a resumed run repeats it.
public struct KernelChoices: Hashable, Sendable {
  /// Keyed by `layer/pass`.
  public private(set) var algorithms: [String: ConvolutionAlgorithm]

  public init(algorithms: [String: ConvolutionAlgorithm] = [:]) { self.algorithms = algorithms }

  public subscript(layer: String, pass: Pass) -> ConvolutionAlgorithm? {
    get { algorithms["\(layer)/\(pass.rawValue)"] }
    set { algorithms["\(layer)/\(pass.rawValue)"] = newValue }
  }
}

/// A convolution as the cost model sees it.
struct ConvolutionProblem: Hashable, Sendable {
  let samples: Int
  let inputChannels: Int
  let outputChannels: Int
  let inputHeight: Int
  let inputWidth: Int
  let outputHeight: Int
  let outputWidth: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let stride: Int
  let dilation: Int
  let groups: Int
}

extension KernelSelection {
  /// The algorithm to try first; where it has no kernel the direct one is taken.
  func algorithm(layer: String, pass: Pass, problem: ConvolutionProblem) -> ConvolutionAlgorithm {
    switch self {
    case .direct: .direct
    case .winograd: .winograd
    case .costModel: CostModel.algorithm(for: problem, pass: pass)
    case .chosen(let choices): choices[layer, pass] ?? CostModel.algorithm(for: problem, pass: pass)
    }
  }
}
