internal import Networks

/// The options of one Keras layer, read strictly: what is neither read nor known to change no result is an error.
struct KerasOptions {
  let node: KerasNode
  let path: String
  private let members: [String: JSONValue]
  private var unread: Set<String>

  /// Options that decide how a layer trains, is built or is named, and not what it computes.
  private static let ignorable: Set<String> = [
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dim",
    "input_length", "build_config", "registered_name", "module", "noise_shape", "seed", "synchronized",
    "quantization_config", "sparse", "ragged", "optional", "lora_rank", "lora_alpha", "renorm",
    "renorm_clipping", "renorm_momentum", "fused", "virtual_batch_size", "adjustment",
  ]
  private static let ignorableEndings = ["_initializer", "_regularizer", "_constraint"]

  init(_ node: KerasNode, path: String) {
    self.node = node
    self.path = path
    members = node.config.members ?? [:]
    unread = Set(
      members.keys.filter { key in
        !Self.ignorable.contains(key) && !Self.ignorableEndings.contains(where: key.hasSuffix)
      })
  }

  /// `layer 'name' (Class)`, for messages.
  var place: String { "\(path): layer '\(node.name)' (\(node.className))" }

  /// An option's value; nil where it is absent or null.
  mutating func value(_ key: String) -> JSONValue? {
    unread.remove(key)
    guard let value = members[key], !value.isNull else { return nil }
    return value
  }

  mutating func integer(_ key: String, default fallback: Int? = nil) throws -> Int {
    guard let value = value(key) else {
      guard let fallback else { throw missing(key) }
      return fallback
    }
    guard let integer = value.integer else { throw unsupported(key, value, "a whole number") }
    return integer
  }

  mutating func number(_ key: String, default fallback: Double) throws -> Double {
    guard let value = value(key) else { return fallback }
    guard let number = value.double else { throw unsupported(key, value, "a number") }
    return number
  }

  mutating func flag(_ key: String, default fallback: Bool) throws -> Bool {
    guard let value = value(key) else { return fallback }
    guard let flag = value.bool else { throw unsupported(key, value, "true or false") }
    return flag
  }

  /// A pair, also written as one number.
  mutating func size(_ key: String, default fallback: Size2D? = nil) throws -> Size2D {
    guard let value = value(key) else {
      guard let fallback else { throw missing(key) }
      return fallback
    }
    if let side = value.integer { return Size2D(side) }
    guard let sides = value.elements?.compactMap(\.integer), sides.count == 2 else {
      throw unsupported(key, value, "two whole numbers")
    }
    return Size2D(sides[0], sides[1])
  }

  mutating func padding() throws -> Padding {
    guard let value = value("padding") else { return .valid }
    guard let padding = value.string.flatMap(Padding.init(rawValue:)) else {
      throw unsupported("padding", value, Padding.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return padding
  }

  /// An activation: a name, or an object that holds one.
  mutating func activation(_ key: String = "activation") throws -> Activation {
    guard let value = value(key) else { return .linear }
    guard let activation = Self.activation(value) else {
      throw unsupported(key, value, Activation.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return activation
  }

  static func activation(_ value: JSONValue) -> Activation? {
    if let name = value.string?.lowercased() { return named(name) }
    // {"class_name": "function", "config": "relu"} and {"class_name": "ReLU", "config": {}}
    if let name = value["config"]?.string { return named(name) }
    return value["class_name"]?.string.flatMap { named($0.lowercased()) }
  }

  /// Keras 2 calls silu swish.
  private static func named(_ name: String) -> Activation? {
    name == "swish" ? .silu : Activation(rawValue: name)
  }

  mutating func requireChannelsLast() throws {
    if let value = value("data_format"), value.string != "channels_last" {
      throw unsupported("data_format", value, "channels_last")
    }
  }

  /// Takes an option that has one supported value.
  mutating func require(_ key: String, _ expected: JSONValue, or other: JSONValue? = nil) throws {
    guard let value = value(key) else { return }
    if value == expected || value == other { return }
    if let number = value.double, number == expected.double { return }
    throw unsupported(key, value, (try? expected.text()) ?? "another value")
  }

  /// Complains about options that nobody read.
  func finish() throws {
    guard let key = unread.filter({ members[$0].map { !$0.isNull } ?? false }).min() else { return }
    throw unsupported(key, members[key] ?? .null, nil)
  }

  func unsupported(_ key: String, _ value: JSONValue, _ wanted: String?) -> InterchangeError {
    let text = (try? value.text()) ?? "?"
    let end = wanted.map { "; supported: \($0)" } ?? ""
    return InterchangeError(.badData, "\(place): the option \(key) = \(text) is not supported\(end)")
  }

  private func missing(_ key: String) -> InterchangeError {
    InterchangeError(.badData, "\(place) has no option \(key)")
  }
}
