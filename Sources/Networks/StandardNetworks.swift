internal import Tensors

/// Networks known by name: what the benchmark measures, with the shapes that peers' programs use.
public enum StandardNetwork: String, Hashable, Sendable, CaseIterable {
  /// Two convolutions and two dense layers on 28×28×1: the network of Hung-yi Lee's lecture.
  case lecture
  /// Three pairs of 3×3 convolutions on 32×32×3, after Simonyan & Zisserman 2015.
  case vgg
  /// He et al. 2016 for 32×32×3, with 1×1 convolutions in the shortcuts.
  case resnet20
  /// The same blocks at widths 64 to 512.
  case resnet18
  /// Twelve convolutions of 192 filters on 19×19×48 and a 1×1 one, after Silver et al. 2016.
  case go

  /// Samples of a step, as the published comparisons use them.
  public var batch: Int {
    switch self {
    case .lecture, .vgg, .resnet20: 128
    case .resnet18: 64
    case .go: 32
    }
  }

  /// The description; ends in logits.
  public func network() throws -> Network {
    switch self {
    case .lecture: try lecture()
    case .vgg: try vgg()
    case .resnet20: try residual(blocks: 3, widths: [16, 32, 64])
    case .resnet18: try residual(blocks: 2, widths: [64, 128, 256, 512])
    case .go: try go()
    }
  }

  private func lecture() throws -> Network {
    try Network(
      inputShape: [28, 28, 1],
      chain: [
        .conv2D(Conv2D(filters: 25, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))),
        .conv2D(Conv2D(filters: 50, kernel: Size2D(3), activation: .relu)),
        .maxPool2D(Pool2D(size: Size2D(2))),
        .flatten,
        .dense(Dense(units: 100, activation: .relu)),
        .dense(Dense(units: 10)),
      ])
  }

  private func vgg() throws -> Network {
    var specs: [LayerSpec] = []
    for width in [64, 128, 256] {
      let conv = Conv2D(filters: width, kernel: Size2D(3), padding: .same, activation: .relu)
      specs += [.conv2D(conv), .conv2D(conv), .maxPool2D(Pool2D(size: Size2D(2)))]
    }
    specs += [.flatten, .dense(Dense(units: 256, activation: .relu)), .dense(Dense(units: 10))]
    return try Network(inputShape: [32, 32, 3], chain: specs)
  }

  private func go() throws -> Network {
    var specs: [LayerSpec] = [
      .conv2D(Conv2D(filters: 192, kernel: Size2D(5), padding: .same, activation: .relu))
    ]
    for _ in 0..<11 {
      specs.append(.conv2D(Conv2D(filters: 192, kernel: Size2D(3), padding: .same, activation: .relu)))
    }
    specs += [.conv2D(Conv2D(filters: 1, kernel: Size2D(1))), .flatten]
    return try Network(inputShape: [19, 19, 48], chain: specs)
  }

  private func residual(blocks: Int, widths: [Int]) throws -> Network {
    var builder = ResidualBuilder()
    builder.normalized(filters: widths[0], kernel: 3, stride: 1)
    builder.add(.activation(.relu))
    for (stage, width) in widths.enumerated() {
      for block in 0..<blocks {
        builder.block(width: width, stride: stage > 0 && block == 0 ? 2 : 1)
      }
    }
    builder.add(.globalAveragePool2D)
    builder.add(.dense(Dense(units: 10)))
    return try Network(inputShape: [32, 32, 3], layers: builder.layers)
  }
}

/// Puts a residual network's layers together, one behind the other.
private struct ResidualBuilder {
  var layers: [Layer] = []
  private var namer = LayerNamer()
  private var current = Network.inputName
  private var width = 0

  mutating func add(_ spec: LayerSpec, inputs: [String]? = nil) {
    let name = namer.name(for: spec)
    layers.append(Layer(name: name, inputs: inputs ?? [current], spec: spec))
    current = name
  }

  mutating func normalized(filters: Int, kernel: Int, stride: Int) {
    add(
      .conv2D(
        Conv2D(
          filters: filters, kernel: Size2D(kernel), stride: Size2D(stride), padding: .same, useBias: false,
          kernelInitializer: .heNormal)))
    add(.batchNorm(BatchNorm()))
    width = filters
  }

  /// Two 3×3 convolutions beside a shortcut, which is a 1×1 convolution where the shape changes.
  mutating func block(width newWidth: Int, stride: Int) {
    let (input, oldWidth) = (current, width)
    normalized(filters: newWidth, kernel: 3, stride: stride)
    add(.activation(.relu))
    normalized(filters: newWidth, kernel: 3, stride: 1)
    let main = current
    current = input
    if stride != 1 || oldWidth != newWidth { normalized(filters: newWidth, kernel: 1, stride: stride) }
    add(.add, inputs: [main, current])
    add(.activation(.relu))
  }
}
