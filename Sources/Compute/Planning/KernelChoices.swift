internal import OneDNN

/// A pass over a layer.
public enum Pass: String, Hashable, Sendable, CaseIterable, Codable {
  /// From the source to the destination.
  case forward
  /// From the destination's gradient to the source's.
  case backwardData = "backward-data"
  /// From the source and the destination's gradient to that of the weights.
  case backwardWeights = "backward-weights"
}

/// The kernel of each convolution and pass, its number format, and the shard size.
///
/// What a checkpoint keeps so that a resumed run repeats it, and what `convoy tune --save` writes.
public struct KernelChoices: Hashable, Sendable {
  /// Samples of a full shard; nil leaves it to the config or the cost model.
  public var shardSize: Int?
  /// The algorithms by `layer/pass`, and the number formats by `layer/precision`.
  private var entries: [String: String]

  /// Makes a record that names no layer.
  public init() { entries = [:] }

  /// The algorithm of a layer's pass; nil where none was chosen.
  public subscript(layer: String, pass: Pass) -> ConvolutionAlgorithmName? {
    get { entries["\(layer)/\(pass.rawValue)"].flatMap(ConvolutionAlgorithmName.init) }
    set { entries["\(layer)/\(pass.rawValue)"] = newValue?.rawValue }
  }

  /// The number format of a layer's kernels; nil where none was chosen.
  public subscript(precisionOf layer: String) -> ComputePrecision? {
    get { entries["\(layer)/precision"].flatMap(ComputePrecision.init) }
    set { entries["\(layer)/precision"] = newValue?.rawValue }
  }

  /// Whether a dense layer's gradient is taken over the whole minibatch; nil where that was not decided.
  subscript(gathersGradientOf layer: String) -> Bool? {
    get { entries["\(layer)/\(Self.gradient)"].map { $0 == Self.minibatch } }
    set { entries["\(layer)/\(Self.gradient)"] = newValue.map { $0 ? Self.minibatch : Self.shard } }
  }

  /// Whether the gradients of a maximum over windows that overlap are added up by our kernel; nil where that was not decided.
  ///
  /// The library adds those of three windows or more in another order. Maxima, and gradients without overlap, are the same by both.
  subscript(ownMaximaOf layer: String) -> Bool? {
    get { entries["\(layer)/\(Self.maxima)"].map { $0 == Self.own } }
    set { entries["\(layer)/\(Self.maxima)"] = newValue.map { $0 ? Self.own : Self.library } }
  }

  private static let maxima = "maxima"
  private static let own = "own"
  private static let library = "library"
  private static let gradient = "gradient"
  private static let minibatch = "minibatch"
  private static let shard = "shard"

  /// The layers that have a choice.
  var layers: Set<String> {
    Set(entries.keys.compactMap { key in key.lastIndex(of: "/").map { String(key[..<$0]) } })
  }

  /// Whether a layer has one of the library's algorithms of Winograd.
  public var hasWinograd: Bool { entries.values.contains(ConvolutionAlgorithmName.winograd.rawValue) }

  /// Whether a layer has an algorithm of our own.
  public var hasOwn: Bool {
    [ConvolutionAlgorithmName.own, .narrow].contains { entries.values.contains($0.rawValue) }
  }

  /// Whether a layer computes in bf16.
  public var hasBF16: Bool { entries.values.contains(ComputePrecision.bf16.rawValue) }

  /// Whether nothing is recorded.
  public var isEmpty: Bool { entries.isEmpty && shardSize == nil }

  // MARK: - As text

  /// One line each, sorted: `shard 32`, `conv2d/forward winograd`.
  public var text: String {
    let lines = entries.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return ((shardSize.map { ["shard \($0)"] } ?? []) + lines).map { $0 + "\n" }.joined()
  }

  /// Reads what ``text`` wrote; blank lines and lines that start with `#` do not count.
  ///
  /// - Returns: nil where a line is not a choice.
  public init?(text: String) {
    self.init()
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      if words.isEmpty { continue }
      guard words.count == 2 else { return nil }
      if words[0] == "shard" {
        guard let size = Int(words[1]), size > 0 else { return nil }
        shardSize = size
        continue
      }
      guard let slash = words[0].lastIndex(of: "/") else { return nil }
      let (layer, role) = (String(words[0][..<slash]), String(words[0][words[0].index(after: slash)...]))
      if role == "precision", let precision = ComputePrecision(rawValue: words[1]) {
        self[precisionOf: layer] = precision
      } else if role == Self.gradient, [Self.minibatch, Self.shard].contains(words[1]) {
        self[gathersGradientOf: layer] = words[1] == Self.minibatch
      } else if role == Self.maxima, [Self.own, Self.library].contains(words[1]) {
        self[ownMaximaOf: layer] = words[1] == Self.own
      } else if let pass = Pass(rawValue: role), let name = ConvolutionAlgorithmName(rawValue: words[1]) {
        self[layer, pass] = name
      } else {
        return nil
      }
    }
  }
}

/// The algorithms of a convolution, by the words of configs and tables.
public enum ConvolutionAlgorithmName: String, Hashable, Sendable, CaseIterable {
  /// Multiplications and additions as the definition says.
  case direct
  /// The library's kernels for Winograd: tiles transformed first, so that fewer multiplications are left.
  case winograd
  /// Our own for the same.
  case own = "own-winograd"
  /// Our own for the gradient of weights that read an image of few channels.
  case narrow = "own-narrow"

  /// What the library calls it; nil where it is none of the library's.
  var algorithm: ConvolutionAlgorithm? {
    switch self {
    case .direct: .direct
    case .winograd: .winograd
    case .own, .narrow: nil
    }
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
  /// Rows and columns of the image that the window meets, summed over its positions: fewer than positions times extent
  /// where it reaches into padding.
  let verticalTaps: Int
  let horizontalTaps: Int

  /// Whether it reads an image of so few channels that kernels for blocks of channels multiply mostly zeros.
  var isNarrow: Bool { inputChannels == 1 && dilation == 1 && groups == 1 }

  /// Whether F(4×4, 3×3) computes it: a window of 3×3 that moves by one, and all channels together.
  var isMinimal: Bool {
    kernelHeight == 3 && kernelWidth == 3 && stride == 1 && dilation == 1 && groups == 1
  }
}

extension KernelSelection {
  /// The algorithm to try first; where it has no kernel the direct one is taken.
  ///
  /// - Parameter own: whether the cost model may take kernels of our own.
  func algorithm(
    layer: String, pass: Pass, problem: ConvolutionProblem, own: Bool
  ) -> ConvolutionAlgorithmName {
    switch self {
    case .direct: .direct
    case .winograd: .winograd
    case .own: .own
    case .costModel: CostModel.algorithm(for: problem, pass: pass, own: own)
    case .chosen(let choices):
      choices[layer, pass] ?? CostModel.algorithm(for: problem, pass: pass, own: own)
    }
  }

  /// Whether a convolution runs in bf16 where the config asks for that precision.
  func usesBF16(layer: String, problem: ConvolutionProblem, own: Bool) -> Bool {
    if case .chosen(let choices) = self, let precision = choices[precisionOf: layer] {
      return precision == .bf16
    }
    return CostModel.prefersBF16(problem, own: own)
  }
}
