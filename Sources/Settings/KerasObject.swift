/// Something of Keras's: the name by which Keras finds it, and its settings under Keras's words.
public struct KerasObject: Hashable, Sendable {
  /// The name of a class, or of a function where there are no settings.
  public let name: String
  /// The settings by Keras's words; nil where the name alone is enough.
  public let settings: [String: ResolvedValue.Content]?

  /// An object of this name, with its settings by Keras's words.
  public init(_ name: String, _ settings: [String: ResolvedValue.Content]? = nil) {
    self.name = name
    self.settings = settings
  }
}
