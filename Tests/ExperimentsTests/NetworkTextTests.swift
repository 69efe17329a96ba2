import Foundation
import Networks
import Tensors
import TestSupport
import Testing
import Training

@testable import ExactnessFuzz
@testable import Experiments

@Suite("Networks written as configurations")
struct NetworkTextTests {
  /// The same network as configurations give it: functions by themselves are layers with a setting there.
  private static func expectSame(_ network: Network, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> NetworkText
  {
    let text = try NetworkText(network)
    #expect(text.renamed.isEmpty, sourceLocation: sourceLocation)
    #expect(NetworkText.read(text.yaml) == network, "\(text.yaml)", sourceLocation: sourceLocation)
    return text
  }

  @Test("every shipped network is read again as it was, and is no longer than it was with its repetitions")
  func shipped() throws {
    var count = 0
    for name in try FileManager.default.contentsOfDirectory(atPath: Shipped.folder)
    where name.hasSuffix(".yaml") {
      guard let loaded = try? ConfigurationFile.load(path: "\(Shipped.folder)/\(name)") else { continue }
      let network = loaded.run.network
      let text = try Self.expectSame(network)
      let lines = text.yaml.split(separator: "\n").count
      // What repeats is written once.
      if network.layers.contains(where: { $0.name.contains(".") }) {
        #expect(text.yaml.contains("blocks:") || text.yaml.contains("repeat:"), "\(name)")
        #expect(lines < network.layers.count + 20, "\(name): \(text.yaml)")
      }
      count += 1
    }
    #expect(count >= 9)
  }

  @Test("drawn networks are read again as they were")
  func drawn() throws {
    var (grouped, count) = (0, 0)
    for number in 0..<300 {
      let draw = Draw(seed: 77, number: number, attempt: 0, hasBF16: true)
      guard let loaded = try? ConfigurationFile.load(text: draw.yaml, path: "/fuzz.yaml") else { continue }
      let text = try Self.expectSame(loaded.run.network)
      grouped += text.yaml.contains("repeat:") || text.yaml.contains("blocks:") ? 1 : 0
      count += 1
    }
    #expect(count > 280 && grouped > 20)
  }

  @Test(
    "every kind of layer can be written, with settings that are not the usual ones",
    arguments: LayerKind.allCases)
  func layers(_ kind: LayerKind) throws {
    for example in LayerExample.all.map(\.spec) where example.kind == kind {
      let (word, settings) = try #require(example.written, "\(example)")
      let same: LayerSpec =
        switch example {
        case .activation(.leakyReLU): .leakyReLU(LeakyReLU(negativeSlope: 0.2))
        case .activation(.elu): .elu(ELU(alpha: 1))
        default: example
        }
      #expect(LayerForm(word)?.spec(settings) == same)
    }
  }

  private static func conv(_ filters: Int) -> LayerSpec {
    .conv2D(Conv2D(filters: filters, kernel: Size2D(3)))
  }

  @Test("what differs between groups becomes a parameter, and groups that occur once stay where they are")
  func parameters() throws {
    func layer(_ name: String, _ inputs: [String], _ spec: LayerSpec) -> Layer {
      Layer(name: name, inputs: inputs, spec: spec)
    }
    let same = Padding.same
    func conv(_ filters: Int) -> LayerSpec {
      .conv2D(Conv2D(filters: filters, kernel: Size2D(3), padding: same))
    }
    func block(_ name: String, after input: String, _ filters: Int) -> [Layer] {
      [
        layer("\(name).conv2d", [input], conv(filters)),
        layer("\(name).relu", ["\(name).conv2d"], .activation(.relu)),
        layer("\(name).body", ["\(name).relu"], conv(filters)),
        layer("\(name).add", ["\(name).body", input], .add),
      ]
    }
    let layers =
      [layer("stem.first", ["input"], conv(4)), layer("stem.second", ["stem.first"], conv(8))]
      + block("residual", after: "stem.second", 8) + [layer("wide", ["residual.add"], conv(16))]
      + block("residual_1", after: "wide", 16) + [layer("gap", ["residual_1.add"], .globalAveragePool2D)]
    let text = try Self.expectSame(Network(inputShape: [8, 8, 3], layers: layers))
    #expect(
      text.yaml == """
        network:
          input: [8, 8, 3]
          blocks:
            residual:
              parameters: {filters: required}
              layers:
                - conv2d: {filters: $filters, kernel: 3, padding: same}
                - relu
                - conv2d: {name: body, filters: $filters, kernel: 3, padding: same}
                - add: {inputs: [body, input]}
          layers:
            - conv2d: {name: stem.first, filters: 4, kernel: 3, padding: same}
            - conv2d: {name: stem.second, filters: 8, kernel: 3, padding: same}
            - residual: {filters: 8}
            - conv2d: {name: wide, filters: 16, kernel: 3, padding: same}
            - residual: {filters: 16}
            - global_average_pool2d: {name: gap}

        """)
  }

  @Test("names that no configuration takes are changed, each to one of its own")
  func names() throws {
    let network = try Network(
      inputShape: [8, 8, 3],
      layers: [
        Layer(name: "1/conv", inputs: ["input"], spec: Self.conv(4)),
        Layer(name: "_1 conv", inputs: ["1/conv"], spec: Self.conv(4)),
        Layer(name: "layer_1_conv", inputs: ["_1 conv"], spec: Self.conv(4)),
      ])
    let text = try NetworkText(network)
    #expect(Set(text.renamed.keys) == ["1/conv", "_1 conv"])
    let read = try #require(NetworkText.read(text.yaml))
    #expect(Set(read.layers.map(\.name)).count == 3 && read.layers.map(\.spec) == network.layers.map(\.spec))
    #expect(read.layers[0].name == text.renamed["1/conv"] && read.layers[2].name == "layer_1_conv")
  }

  // MARK: - Names that are not in groups

  /// Checks that a text gives the network again under other names, and that its rules lead values to the right layers.
  private static func expectRenamed(
    _ network: Network, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> NetworkText {
    let text = try NetworkText(network)
    let read = try #require(NetworkText.read(text.yaml), "\(text.yaml)", sourceLocation: sourceLocation)
    #expect(read.layers.map(\.spec) == network.layers.map(\.spec), sourceLocation: sourceLocation)
    let names = Dictionary(
      uniqueKeysWithValues: zip(network.layers.map(\.name) + ["input"], read.layers.map(\.name) + ["input"]))
    for (old, new) in zip(network.layers, read.layers) {
      #expect(old.inputs.map { names[$0] } == new.inputs, "\(old.name)", sourceLocation: sourceLocation)
      #expect(text.renamed[old.name] ?? old.name == new.name, sourceLocation: sourceLocation)
    }
    for layer in try network.resolved().layers where !layer.parameters.isEmpty {
      let rules = text.renaming.compactMap { $0.name(of: layer.name) }
      #expect(
        (rules.first ?? layer.name) == names[layer.name] && rules.count <= 1, "\(layer.name)",
        sourceLocation: sourceLocation)
    }
    return text
  }

  private static func residual(_ name: (String) -> String, after input: String, _ filters: Int, stride: Int)
    -> [Layer]
  {
    func conv(_ kernel: Int, stride: Int = 1) -> LayerSpec {
      .conv2D(Conv2D(filters: filters, kernel: Size2D(kernel), stride: Size2D(stride), padding: .same))
    }
    return [
      Layer(name: name("1_conv"), inputs: [input], spec: conv(3, stride: stride)),
      Layer(name: name("1_relu"), inputs: [name("1_conv")], spec: .activation(.relu)),
      Layer(name: name("0_conv"), inputs: [input], spec: conv(1, stride: stride)),
      Layer(name: name("2_conv"), inputs: [name("1_relu")], spec: conv(3)),
      Layer(name: name("2_bn"), inputs: [name("2_conv")], spec: .batchNorm(BatchNorm())),
      Layer(name: name("add"), inputs: [name("0_conv"), name("2_bn")], spec: .add),
      Layer(name: name("out"), inputs: [name("add")], spec: .activation(.relu)),
    ]
  }

  @Test("groups that names begin alike in become blocks, with defaults among what differs")
  func prefixes() throws {
    let layers =
      [Layer(name: "conv1", inputs: ["input"], spec: Self.conv(4))]
      + Self.residual({ "conv2_block1_\($0)" }, after: "conv1", 8, stride: 1)
      + Self.residual({ "conv3_block1_\($0)" }, after: "conv2_block1_out", 16, stride: 2)
      + [Layer(name: "avg_pool", inputs: ["conv3_block1_out"], spec: .globalAveragePool2D)]
    let text = try Self.expectRenamed(Network(inputShape: [16, 16, 3], layers: layers))
    #expect(
      text.yaml == """
        network:
          input: [16, 16, 3]
          blocks:
            conv_block:
              parameters: {filters: required, stride: required}
              layers:
                - conv2d: {name: layer_1_conv, filters: $filters, kernel: 3, padding: same, stride: $stride}
                - relu: {name: layer_1_relu}
                - conv2d: {name: layer_0_conv, inputs: input, filters: $filters, kernel: 1, padding: same, stride: $stride}
                - conv2d: {name: layer_2_conv, inputs: layer_1_relu, filters: $filters, kernel: 3, padding: same}
                - batch_norm: {name: layer_2_bn}
                - add: {name: layer_add, inputs: [layer_0_conv, layer_2_bn]}
                - relu: {name: layer_out}
          layers:
            - conv2d: {name: conv1, filters: 4, kernel: 3}
            - conv_block: {name: conv2_block1, filters: 8, stride: 1}
            - conv_block: {name: conv3_block1, filters: 16, stride: 2}
            - global_average_pool2d: {name: avg_pool}

        """)
    #expect(
      text.renaming.map { [$0.old, $0.new] } == [
        ["conv2_block1_*", "conv2_block1.layer_*"], ["conv3_block1_*", "conv3_block1.layer_*"],
      ])
  }

  @Test("where names say nothing, equal runs of layers become blocks if that saves enough")
  func runs() throws {
    func network(blocks: Int) throws -> Network {
      var layers = [Layer(name: "first", inputs: ["input"], spec: Self.conv(4))]
      for block in 0..<blocks {
        let names = Dictionary(
          uniqueKeysWithValues: ["1_conv", "1_relu", "0_conv", "2_conv", "2_bn", "add", "out"].enumerated()
            .map { ($1, "layer\(block * 7 + $0)") })
        layers += Self.residual(
          { names[$0] ?? $0 }, after: layers[layers.count - 1].name, 4 + block, stride: 1)
      }
      return try Network(inputShape: [16, 16, 3], layers: layers)
    }
    let text = try Self.expectRenamed(try network(blocks: 6))
    #expect(text.yaml.split(separator: "\n").count < 25 && text.renamed.count == 42, "\(text.yaml)")
    #expect(text.renaming.count == 24 && text.renaming.allSatisfy { !$0.old.contains("*") })
    #expect(try Self.expectRenamed(try network(blocks: 2)).renamed.isEmpty)
  }

  @Test("numbers of a shape that follow a block's filters are one parameter with them")
  func shapes() throws {
    func gate(_ name: String, after input: String, _ filters: Int) -> [Layer] {
      [
        Layer(name: "\(name)_conv", inputs: [input], spec: Self.conv(filters)),
        Layer(name: "\(name)_squeeze", inputs: ["\(name)_conv"], spec: .globalAveragePool2D),
        Layer(
          name: "\(name)_reshape", inputs: ["\(name)_squeeze"], spec: .reshape(Reshape([1, 1, filters]))),
        Layer(name: "\(name)_scale", inputs: ["\(name)_conv", "\(name)_reshape"], spec: .multiply),
        Layer(name: "\(name)_relu", inputs: ["\(name)_scale"], spec: .activation(.relu)),
        Layer(name: "\(name)_bn", inputs: ["\(name)_relu"], spec: .batchNorm(BatchNorm())),
      ]
    }
    let layers =
      gate("gate1a", after: "input", 4) + gate("gate1b", after: "gate1a_bn", 6)
      + gate("gate2a", after: "gate1b_bn", 8)
    let text = try Self.expectRenamed(Network(inputShape: [16, 16, 3], layers: layers))
    #expect(text.yaml.contains("reshape: {shape: [1, 1, $filters]}"), "\(text.yaml)")
    #expect(text.yaml.contains("- gate: {name: gate1b, filters: 6}"), "\(text.yaml)")
  }

  // MARK: - Names that others give

  @Test("modules of PyTorch become blocks under their own names")
  func modules() throws {
    func residual(_ name: String, after input: String, _ filters: Int, stride: Int) -> [Layer] {
      let isSmaller = stride > 1
      func conv(_ part: String, _ input: String, _ kernel: Int, _ stride: Int = 1) -> Layer {
        Layer(
          name: "\(name).\(part)", inputs: [input],
          spec: .conv2D(
            Conv2D(
              filters: filters, kernel: Size2D(kernel), stride: Size2D(stride),
              padding: stride > 1 ? .valid : .same)))
      }
      let pad = Layer(name: "\(name).conv1_pad", inputs: [input], spec: .zeroPadding2D(Margins2D(1)))
      return (isSmaller ? [pad] : [])
        + [conv("conv1", isSmaller ? pad.name : input, 3, stride), conv("conv2", "\(name).conv1", 3)]
        + (isSmaller ? [conv("downsample.0", input, 1, stride)] : [])
        + [
          Layer(
            name: "\(name).add", inputs: ["\(name).conv2", isSmaller ? "\(name).downsample.0" : input],
            spec: .add),
          Layer(name: "\(name).relu", inputs: ["\(name).add"], spec: .activation(.relu)),
        ]
    }
    let layers =
      [Layer(name: "conv1", inputs: ["input"], spec: Self.conv(8))]
      + residual("layer1.0", after: "conv1", 8, stride: 1)
      + residual("layer1.1", after: "layer1.0.relu", 8, stride: 1)
      + residual("layer2.0", after: "layer1.1.relu", 16, stride: 2)
      + residual("layer2.1", after: "layer2.0.relu", 16, stride: 1)
      + residual("layer3.0", after: "layer2.1.relu", 32, stride: 2)
      + [Layer(name: "avgpool", inputs: ["layer3.0.relu"], spec: .globalAveragePool2D)]
    let text = try Self.expectSame(Network(inputShape: [33, 33, 3], layers: layers))
    #expect(
      text.yaml == """
        network:
          input: [33, 33, 3]
          blocks:
            layer_block_residual:
              parameters: {filters: required}
              layers:
                - conv2d: {name: conv1, filters: $filters, kernel: 3, padding: same}
                - conv2d: {name: conv2, filters: $filters, kernel: 3, padding: same}
                - add: {inputs: [conv2, input]}
                - relu
            layer_block_downsampling:
              parameters: {filters: required}
              layers:
                - zero_padding2d: {name: conv1_pad, all: 1}
                - conv2d: {name: conv1, filters: $filters, kernel: 3, stride: 2}
                - conv2d: {name: conv2, filters: $filters, kernel: 3, padding: same}
                - conv2d: {name: downsample.0, inputs: input, filters: $filters, kernel: 1, stride: 2}
                - add: {inputs: [conv2, downsample.0]}
                - relu
          layers:
            - conv2d: {name: conv1, filters: 8, kernel: 3}
            - layer_block_residual: {name: layer1.0, filters: 8}
            - layer_block_residual: {name: layer1.1, filters: 8}
            - layer_block_downsampling: {name: layer2.0, filters: 16}
            - layer_block_residual: {name: layer2.1, filters: 16}
            - layer_block_downsampling: {name: layer3.0, filters: 32}
            - global_average_pool2d: {name: avgpool}

        """)
  }

  @Test(
    "drawn networks with repeating blocks are read again as they were, under names of every kind",
    arguments: 0..<80)
  func repeating(seed: Int) throws {
    var draw = RepeatingNetwork(seed: UInt64(seed))
    let network = try draw.network()
    let text = try Self.expectRenamed(network)
    let lines = text.yaml.split(separator: "\n").count
    if draw.mostUses > 3, draw.naming != .counted {
      #expect(text.yaml.contains("blocks:") && lines < network.layers.count, "\(draw.naming): \(text.yaml)")
    }
    // Modules keep their names.
    if draw.naming == .modules { #expect(text.renamed.isEmpty) }
  }
}
