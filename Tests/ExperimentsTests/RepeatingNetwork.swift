import Networks
import Tensors
import TestSupport

/// A network of blocks as programs export them: a few kinds of blocks, used several times each with other numbers.
struct RepeatingNetwork {
  /// How layers are called.
  enum Naming: CaseIterable {
    /// `block2b_expand`.
    case prefixes
    /// `features.2.1.block.0`.
    case modules
    /// `blocks.21._block_0`: what follows the group's name is no name of a layer.
    case hidden
    /// `conv2d_7`: nothing tells what belongs together.
    case counted
  }

  /// What a block consists of.
  enum Kind: CaseIterable {
    case residual, projected, gated, joined, downsampling
  }

  let naming: Naming
  /// How often the kind is used that is used most.
  private(set) var mostUses = 0
  private var random: SplitMix64
  private var layers: [Layer] = []
  private var counts: [String: Int] = [:]
  private var channels = 4

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    naming = Naming.allCases[random.next(below: Naming.allCases.count)]
  }

  mutating func network() throws -> Network {
    add("stem", .conv2D(Conv2D(filters: channels, kernel: Size2D(3), padding: .same)))
    var uses: [Kind: Int] = [:]
    for stage in 1...(1 + random.next(below: 3)) {
      let kind = Kind.allCases[random.next(below: Kind.allCases.count)]
      let first = Kind.allCases[random.next(below: Kind.allCases.count)]
      for number in 0..<(1 + random.next(below: 4)) {
        let kind = number == 0 ? first : kind
        uses[kind, default: 0] += 1
        block(kind, stage, number)
      }
    }
    mostUses = uses.values.max() ?? 0
    add("gap", .globalAveragePool2D)
    add("head", .dense(Dense(units: 3)))
    return try Network(inputShape: [32, 32, 3], layers: layers)
  }

  /// The name of a layer in a block, or outside of all.
  private mutating func name(_ part: String, _ word: String, _ place: (stage: Int, number: Int)?) -> String {
    switch (naming, place) {
    case (.prefixes, let place?):
      let letter = "abcdefgh".map(String.init)[place.number]
      return "block\(place.stage)\(letter)_\(part)"
    case (.modules, let place?): return "features.\(place.stage).\(place.number).\(part)"
    case (.hidden, let place?): return "blocks.\(place.stage)\(place.number)._\(part)"
    case (.counted, _):
      counts[word, default: -1] += 1
      return counts[word] == 0 ? word : "\(word)_\(counts[word] ?? 0)"
    case (_, nil): return part
    }
  }

  @discardableResult
  private mutating func add(
    _ part: String, _ spec: LayerSpec, _ inputs: [String]? = nil, _ place: (Int, Int)? = nil
  ) -> String {
    let name = name(part, spec.word, place)
    layers.append(Layer(name: name, inputs: inputs ?? [layers.last?.name ?? "input"], spec: spec))
    return name
  }

  private mutating func block(_ kind: Kind, _ stage: Int, _ number: Int) {
    let place = (stage, number)
    let input = layers.last?.name ?? "input"
    let wide = channels > 32 ? channels : channels * (1 + random.next(below: 3))
    func conv(_ filters: Int, _ kernel: Int = 1, stride: Int = 1, _ activation: Activation = .linear)
      -> LayerSpec
    {
      .conv2D(
        Conv2D(
          filters: filters, kernel: Size2D(kernel), stride: Size2D(stride), padding: .same,
          useBias: activation != .linear,
          activation: activation))
    }
    func depthwise() -> LayerSpec { .depthwiseConv2D(DepthwiseConv2D(kernel: Size2D(3), padding: .same)) }
    switch kind {
    case .residual:
      add("expand", conv(wide), nil, place)
      add("bn", .batchNorm(BatchNorm()), nil, place)
      add("act", .activation(.relu), nil, place)
      let last = add("project", conv(channels), nil, place)
      add("add", .add, [input, last], place)
    case .projected:
      let body = add("body", conv(wide, 3, .relu), nil, place)
      let shortcut = add("shortcut", conv(wide), [input], place)
      add("add", .add, [body, shortcut], place)
      add("out", .activation(.relu), nil, place)
      channels = wide
    case .gated:
      let body = add("dw", depthwise(), nil, place)
      add("squeeze", .globalAveragePool2D, nil, place)
      add("wide", .reshape(Reshape([1, 1, channels])), nil, place)
      add("reduce", conv(1 + random.next(below: 4), 1, .relu), nil, place)
      let gate = add("expand", conv(channels, 1, .sigmoid), nil, place)
      add("excite", .multiply, [body, gate], place)
      add("project", conv(channels), nil, place)
    case .joined:
      add("bn", .batchNorm(BatchNorm()), nil, place)
      add("reduce", conv(wide), nil, place)
      add("act", .activation(.relu), nil, place)
      let last = add("grow", conv(4, 3), nil, place)
      add("concat", .concat, [input, last], place)
      channels += 4
    case .downsampling:
      let margin = 1 + random.next(below: 2)
      add("pad", .zeroPadding2D(Margins2D(top: margin, bottom: 3, left: margin, right: 3)), nil, place)
      add("dw", depthwise(), nil, place)
      add("bn", .batchNorm(BatchNorm()), nil, place)
      add("project", conv(wide, 1, stride: 2), nil, place)
      channels = wide
    }
  }
}
