internal import Foundation
internal import Settings
internal import Tensors

// Networks as JSON: the form in which checkpoints carry them. Reading it gives the same network again, and what is read
// passes the same checks as what is written in a config.

extension Network: Codable {
  private enum CodingKeys: String, CodingKey {
    case inputShape
    case layers
  }

  /// Reads a network, with the checks of ``init(inputShape:layers:)``.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      inputShape: try container.decode(Shape.self, forKey: .inputShape),
      layers: try container.decode([Layer].self, forKey: .layers))
  }

  /// Writes what checkpoints hold of it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(inputShape, forKey: .inputShape)
    try container.encode(layers, forKey: .layers)
  }

  /// The network on one line of JSON; equal networks give equal text.
  public func json() throws -> String { try JSONWriter().text(self) }

  /// Reads what ``json()`` wrote.
  ///
  /// - Throws: ``NetworkError`` for a network that makes no sense, or Foundation's `DecodingError`.
  public init(json: String) throws {
    self = try JSONDecoder().decode(Network.self, from: Data(json.utf8))
  }
}

extension Layer: Codable {
  private enum CodingKeys: String, CodingKey {
    case name
    case inputs
    case spec
  }

  /// Reads a layer as checkpoints hold it.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try container.decode(String.self, forKey: .name),
      inputs: try container.decode([String].self, forKey: .inputs),
      spec: try container.decode(LayerSpec.self, forKey: .spec))
  }

  /// Writes what checkpoints hold of it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(inputs, forKey: .inputs)
    try container.encode(spec, forKey: .spec)
  }
}

extension LayerSpec: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind
    case settings
  }

  /// Reads what a layer does.
  ///
  /// - Throws: `DecodingError` for an unknown kind, or settings of another form.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let word = try container.decode(String.self, forKey: .kind)
    // Some words stand for a function, and with settings for a layer that has more to say.
    if !container.contains(.settings), let function = Activation(rawValue: word) {
      self = .activation(function)
      return
    }
    guard let kind = LayerKind(rawValue: word) else {
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: container, debugDescription: "there is no layer called '\(word)'")
    }
    self = try Self.decode(kind.description, from: container)
  }

  private static func decode(
    _ description: some AnyLayerDescription, from container: KeyedDecodingContainer<CodingKeys>
  ) throws -> LayerSpec {
    let description = description.typed
    let isPlain = description.settings.keys.isEmpty
    return description.make(
      isPlain ? description.settings.prototype : try container.decode(forKey: .settings))
  }

  /// Writes what checkpoints hold of it.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(word, forKey: .kind)
    try Self.encode(described, to: &container)
  }

  private static func encode(
    _ layer: some AnyDescribedLayer, to container: inout KeyedEncodingContainer<CodingKeys>
  ) throws {
    guard !layer.description.settings.keys.isEmpty else { return }
    try container.encode(layer.settings, forKey: .settings)
  }
}

extension KeyedDecodingContainer {
  fileprivate func decode<Value: Decodable>(forKey key: Key) throws -> Value {
    try decode(Value.self, forKey: key)
  }
}
