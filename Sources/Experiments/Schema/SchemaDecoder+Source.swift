internal import Networks
internal import Settings
internal import Tensors
internal import Training

// A network that begins with layers of another one.

extension SchemaDecoder {
  static let networkPath = "network"

  /// Puts the layers of `network.from`, as far as `network.until` needs them, in front of those that are written.
  mutating func beginNetwork(_ node: ConfigurationNode) {
    guard let written = node["from"],
      let path = decode(written, .path, at: "\(Self.networkPath).from")?.text
    else { return }
    let network: Network
    do { network = try NetworkSource.network(of: path) } catch {
      return fail(written.location, "\(Self.networkPath).from: \(error)")
    }
    var layers = network.layers
    if let until = node["until"], let name = until.scalarText {
      guard layers.contains(where: { $0.name == name }) else {
        let names = layers.map(\.name)
        let shown = names.suffix(12).joined(separator: ", ")
        return fail(
          until.location,
          "\(Self.networkPath).until: '\(name.shortened)' is no layer of \(path); its layers are "
            + "\(names.count > 12 ? "…, " : "")\(shown)\(NearestName.hint(name, among: names))")
      }
      layers = network.layers(neededFor: name)
    }
    for layer in layers {
      guard let (word, settings) = layer.spec.written else {
        return fail(
          written.location,
          "\(Self.networkPath).from: layer '\(layer.name)' of \(path) (\(layer.spec.summary)) cannot be written in a configuration"
        )
      }
      expansion.layers.append(
        NetworkExpansion.FlatLayer(layer, word, settings, location: written.location))
    }
    expansion.source = NetworkExpansion.Source(
      inputShape: network.inputShape.dimensions, layers: layers.map(\.name), location: written.location)
  }

  /// The values of `network` without where its layers came from: they are written out.
  func withSource(_ members: [ResolvedValue.Member]) -> [ResolvedValue.Member] {
    var members = members.filter { !["from", "until"].contains($0.key) }
    guard let source = expansion.source else { return members }
    func value(_ content: ResolvedValue.Content) -> ResolvedValue { ResolvedValue(content, source.location) }
    if !members.contains(where: { $0.key == "input" }) {
      let input = ResolvedValue.Content.list(source.inputShape.map { value(.integer($0)) })
      members.insert(ResolvedValue.Member(key: "input", value: value(input)), at: 0)
    }
    if !members.contains(where: { $0.key == "layers" }), !expansion.failed {
      members.append(
        ResolvedValue.Member(key: "layers", value: value(.list(expansion.layers.map(\.value)))))
    }
    return members
  }
}

extension NetworkExpansion {
  /// Where the first layers came from.
  struct Source {
    let inputShape: [Int]
    /// The layers' names, in order; the first of those that are written follows the last of them.
    let layers: [String]
    let location: ConfigurationLocation
  }
}

extension NetworkExpansion.FlatLayer {
  /// A layer of another network.
  ///
  /// - Parameters:
  ///   - word: the layer's word.
  ///   - settings: a map of all its settings.
  init(
    _ layer: Layer, _ word: String, _ settings: ResolvedValue, location: ConfigurationLocation
  ) {
    func value(_ content: ResolvedValue.Content) -> ResolvedValue { ResolvedValue(content, location) }
    let placement = [
      ResolvedValue.Member(key: "name", value: value(.text(layer.name))),
      ResolvedValue.Member(key: "inputs", value: value(.list(layer.inputs.map { value(.text($0)) }))),
    ]
    self.init(
      name: layer.name, inputs: layer.inputs, word: word, fields: settings,
      value: value(.kind(word, value(.map(placement + (settings.members ?? []))))), location: location,
      use: nil)
  }
}

extension Network {
  /// A layer with all that it is computed from, in the network's order.
  fileprivate func layers(neededFor name: String) -> [Layer] {
    var needed: Set<String> = [name]
    for layer in layers.reversed() where needed.contains(layer.name) { needed.formUnion(layer.inputs) }
    return layers.filter { needed.contains($0.name) }
  }
}

extension LayerSpec {
  /// The word and the settings by which a configuration gives the layer; nil where none does.
  ///
  /// Some functions stand in models of other programs by themselves, and here as layers with a setting of the same value.
  var written: (word: String, settings: ResolvedValue)? {
    let spec: LayerSpec =
      switch self {
      case .activation(.relu): .relu(ReLU())
      case .activation(.leakyReLU): .leakyReLU(LeakyReLU(negativeSlope: 0.2))
      case .activation(.elu): .elu(ELU(alpha: 1))
      default: self
      }
    let settings = ResolvedValue(Self.settings(of: spec.described), .builtIn)
    let read = LayerForm(spec.word)?.spec(settings)
    return read == spec || read == self ? (spec.word, settings) : nil
  }

  private static func settings(of layer: some AnyDescribedLayer) -> ResolvedValue.Content {
    layer.description.settings.map(of: layer.settings)
  }
}
