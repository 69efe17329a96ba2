/// The counterpart of a setting among the options of Keras's class.
///
/// A string literal is an option that is always written, with the value as configurations have it.
public struct KerasOption: Sendable {
  /// The word that is written, then others that are read as the same.
  public let names: [String]
  /// Whether the option is left out where the setting has its default, which must then be Keras's, too.
  public let isLeftOutAtDefault: Bool
  /// Turns the value that configurations have into the one that Keras writes.
  public let write: @Sendable (ResolvedValue.Content) -> ResolvedValue.Content
  /// Turns what Keras or another program wrote into what configurations have; nil for what has no counterpart.
  public let read: @Sendable (ResolvedValue.Content) -> ResolvedValue.Content?

  /// An option, whose value is translated by `write` and `read`, or stays as it is.
  ///
  /// - Parameter names: the word that is written, then others that are read as the same; at least one.
  public init(
    _ names: String..., isLeftOutAtDefault: Bool = false,
    write: @escaping @Sendable (ResolvedValue.Content) -> ResolvedValue.Content = { $0 },
    read: @escaping @Sendable (ResolvedValue.Content) -> ResolvedValue.Content? = { $0 }
  ) {
    precondition(!names.isEmpty, "an option of Keras's has a name")
    self.names = names
    self.isLeftOutAtDefault = isLeftOutAtDefault
    self.write = write
    self.read = read
  }

  /// An option that is left out where the setting has its default.
  public static func unlessDefault(_ name: String) -> KerasOption {
    KerasOption(name, isLeftOutAtDefault: true)
  }

  /// The word that is written.
  public var name: String { names[0] }
}

extension KerasOption: ExpressibleByStringLiteral {
  /// An option that is always written, with the value as configurations have it.
  public init(stringLiteral value: String) { self.init(value) }
}
