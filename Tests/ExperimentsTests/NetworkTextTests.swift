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
        #expect(lines < max(network.layers.count, 20), "\(name): \(text.yaml)")
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
      #expect(LayerForm(word)?.spec(settings) == example)
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
}
