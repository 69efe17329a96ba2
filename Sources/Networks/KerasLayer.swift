public import Tensors

/// A kind of layer in Keras: its class, and what the words of the settings (``KerasOption``) do not say.
public struct KerasLayer<Settings: Sendable>: Sendable {
  /// The class that is written, then others that are read as the same.
  public let classNames: [String]
  /// The settings that a layer of this class has before its options are read; nil for the defaults.
  public let start: Settings?
  /// Options besides those of single settings.
  public let options: [Option]
  /// Whether Keras's layer has an identity matrix in front of the weights, `[C, C]` for an input of C channels.
  public let hasIdentity: Bool

  init(
    _ classNames: String..., startingFrom start: Settings? = nil, options: [Option] = [],
    hasIdentity: Bool = false
  ) {
    self.classNames = classNames
    self.start = start
    self.options = options
    self.hasIdentity = hasIdentity
  }

  /// An option that is more than one setting, or none.
  public enum Option: Sendable {
    /// An option of which one value is supported, in one or more spellings; never written.
    case only(String, [JSONValue])
    /// The axis along which the layer works, which must be the channels'.
    ///
    /// `isWritten` says whether Keras insists on being told.
    case channelAxis(isWritten: Bool)
    /// An option that several settings, or the input's shape, decide.
    ///
    /// `write` gets the shape of the layer's input; nil leaves the option out. `read` gets nil where the option is left out or
    /// null, and says false for what is not supported; `supported` tells what is.
    case made(
      String, supported: String, write: @Sendable (Settings, Shape) -> JSONValue?,
      read: @Sendable (JSONValue?, inout Settings) -> Bool)
  }
}
