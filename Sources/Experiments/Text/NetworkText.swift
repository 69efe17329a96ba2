internal import Foundation
public import Networks
internal import Settings
internal import Tensors
public import Training

/// Writes a network as the section `network` of a configuration that gives the same network again.
///
/// Names that a list of layers gives by itself, inputs that are the layer before, and settings with their defaults are left out. Where names
/// tell groups apart (`stage_1.conv.kernel`), layers that repeat become `repeat` and blocks, with parameters for what differs. Where they do not,
/// layers in a row that occur several times become blocks, and get other names by it. Of several ways to do that the shortest text is taken.
public struct NetworkText {
  /// The section, two spaces deep, with its key.
  public let yaml: String
  /// The names that layers have in the text, where a configuration does not take theirs.
  public let renamed: [String: String]
  /// What brings parameters under the network's own names into the layers of the text, as `training.start.rename` has it.
  public let renaming: [LayerRenaming]

  /// Why a network cannot be written.
  public struct Problem: Error, CustomStringConvertible {
    /// One line: the layer and the reason.
    public let description: String
  }

  /// Writes the network, and reads it again to make sure.
  ///
  /// - Throws: ``Problem`` for a layer that no configuration can give.
  public init(_ network: Network) throws {
    let names = Self.names(of: network)
    let wanted = try Self.written(network, names)
    let changed = names.filter { $0.key != $0.value }
    let plain = Self.candidate(wanted, isGrouped: true)
    var found: [Candidate] = []
    // Names that tell groups apart themselves stay.
    if changed.isEmpty, !(plain?.hasRepetitions ?? false) {
      found = try RepeatedRuns.Order.allCases.compactMap { order throws -> Candidate? in
        let runs = RepeatedRuns(wanted, order)
        if runs.names.isEmpty { return nil }
        let inGroups = names.mapValues { runs.names[$0] ?? $0 }
        let text = Self.candidate(try Self.written(network, inGroups), isGrouped: true)
        return text.map { Candidate(yaml: $0.yaml, renamed: runs.names, renaming: runs.renaming) }
      }
    }
    if let shortest = found.min(by: { $0.lineCount < $1.lineCount }) {
      (yaml, renamed, renaming) = (shortest.yaml, shortest.renamed, shortest.renaming)
      return
    }
    guard let text = plain ?? Self.candidate(wanted, isGrouped: false) else {
      throw Problem(description: "the network cannot be written as a configuration that gives it again")
    }
    (yaml, renamed) = (text.yaml, changed)
    // Names of layers without parameters mean nothing to a start.
    renaming = try network.resolved().layers.filter { !$0.parameters.isEmpty }
      .compactMap { layer in changed[layer.name].map { LayerRenaming(layer.name, $0) } }
  }

  /// A way to write the network.
  private struct Candidate {
    let yaml: String
    var renamed: [String: String] = [:]
    var renaming: [LayerRenaming] = []

    var hasRepetitions: Bool {
      yaml.contains("  blocks:\n") || yaml.contains("- \(LayerSchema.repetitionWord):\n")
    }

    var lineCount: Int { yaml.utf8.count { $0 == UInt8(ascii: "\n") } + renaming.count }
  }

  /// The text of a network; nil where it does not give the network again.
  private static func candidate(_ written: WrittenNetwork, isGrouped: Bool) -> Candidate? {
    guard let text = try? NetworkGrouping(written, isGrouped: isGrouped).yaml,
      read(text) == written.network
    else { return nil }
    return Candidate(yaml: text)
  }

  /// Names that a configuration takes.
  private static func names(of network: Network) -> [String: String] {
    var taken = Set(network.layers.map(\.name).filter(\.isConfigurationName))
    var result: [String: String] = [:]
    for layer in network.layers {
      guard !layer.name.isConfigurationName || layer.name == Network.inputName else {
        result[layer.name] = layer.name
        continue
      }
      let allowed = layer.name.utf8.map { byte in
        let character = String(UnicodeScalar(byte))
        return "a\(character)".isConfigurationName ? character : "_"
      }.joined()
      let base = String((allowed.isConfigurationName ? allowed : "layer_\(allowed)").prefix(190))
      var (name, count) = (base, 1)
      while !taken.insert(name).inserted || name == Network.inputName {
        name = "\(base)_\(count)"
        count += 1
      }
      result[layer.name] = name
    }
    return result
  }

  /// A layer with what stands behind its word.
  struct WrittenLayer {
    let layer: Layer
    let word: String
    /// The settings that do not have their defaults.
    let settings: [ResolvedValue.Member]
    /// The others, as far as a block's parameter may give them.
    let defaults: [ResolvedValue.Member]
  }

  struct WrittenNetwork {
    let network: Network
    let layers: [WrittenLayer]
  }

  private static func written(_ network: Network, _ names: [String: String]) throws -> WrittenNetwork {
    var layers: [WrittenLayer] = []
    for layer in network.layers {
      guard let (word, settings) = layer.spec.written,
        let spec = LayerForm(word)?.spec(settings),
        case .object(let object)? = LayerSchema.union.kind(word)?.payload
      else {
        throw Problem(
          description: "layer '\(layer.name)' (\(layer.spec.summary)) cannot be written in a configuration")
      }
      let known = object.keys.map(\.name)
      let kept = settings.withoutDefaults(.object(object)).members ?? []
      let open = (settings.members ?? []).filter { member in
        member.value.canBeParameter && known.contains(member.key) && !kept.contains { $0.key == member.key }
      }
      layers.append(
        WrittenLayer(
          layer: Layer(
            name: names[layer.name] ?? layer.name, inputs: layer.inputs.map { names[$0] ?? $0 }, spec: spec),
          word: word, settings: kept.filter { known.contains($0.key) }, defaults: open))
    }
    return WrittenNetwork(
      network: try Network(inputShape: network.inputShape, layers: layers.map(\.layer)), layers: layers)
  }

  /// The network that a section describes; nil where it has errors.
  static func read(_ yaml: String) -> Network? {
    guard let root = try? YAMLReader.read(yaml, path: "network.yaml"), let section = root["network"] else {
      return nil
    }
    var decoder = SchemaDecoder(workingDirectory: "/")
    let value = decoder.decode(section, .object(RunSchema.network), at: SchemaDecoder.networkPath)
    guard decoder.errors.isEmpty, let dimensions = value?["input"]?.list?.compactMap(\.integer) else {
      return nil
    }
    let layers = decoder.expansion.layers.compactMap { layer in
      LayerForm(layer.word)?.spec(layer.fields).map {
        Layer(name: layer.name, inputs: layer.inputs, spec: $0)
      }
    }
    guard layers.count == decoder.expansion.layers.count else { return nil }
    return try? Network(inputShape: Shape(dimensions), layers: layers)
  }
}
