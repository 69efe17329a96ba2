public import Settings

/// The hyper-parameters of a kind of layer.
///
/// They are coded for checkpoints under the names of their properties.
public typealias LayerSettings = Codable & Hashable & Sendable

/// Describes a kind of layer, once: from it follow what configurations may say and what references tell, the forms in
/// checkpoints and in Keras, shapes, parameters and work, and the line in tables.
public struct LayerDescription<Settings: LayerSettings>: Sendable {
  /// The kind that is described.
  public let kind: LayerKind
  /// What may be set, with the words of configurations and Keras.
  public let settings: SettingsDescription<Settings>
  /// How many inputs the layer takes.
  public let inputCount: ClosedRange<Int>
  /// The layer in Keras.
  public let keras: KerasLayer<Settings>
  /// Other layers of Keras that become this one.
  public let alsoReads: [KerasLayer<Settings>]
  /// The words of configurations that stand for the layer.
  public let forms: [LayerForm]
  /// The layer that has these settings.
  public let make: @Sendable (Settings) -> LayerSpec
  let word: @Sendable (Settings) -> String
  let finalActivation: @Sendable (Settings) -> Activation
  let label: @Sendable (Settings) -> String
  let infer: @Sendable (Settings, LayerInference) throws -> ResolvedLayer

  /// The description of a kind that its own word stands for.
  ///
  /// - Parameters:
  ///   - summary: one sentence, for references.
  ///   - prototype: has the defaults; what it has for required settings means nothing.
  ///   - inputs: how many inputs the layer takes.
  ///   - make: the layer that has these settings.
  ///   - label: the kind and its settings in a few words, for tables.
  ///   - infer: gives the layer its output, parameters and work.
  init(
    _ kind: LayerKind, _ summary: String, _ prototype: Settings, _ keys: [SettingKey<Settings>] = [],
    inputs: ClosedRange<Int> = 1...1, keras: KerasLayer<Settings>,
    make: @escaping @Sendable (Settings) -> LayerSpec, label: @escaping @Sendable (Settings) -> String,
    infer: @escaping @Sendable (Settings, LayerInference) throws -> ResolvedLayer
  ) {
    self.init(
      kind, SettingsDescription(summary, prototype, keys), inputs: inputs, keras: keras, make: make,
      finalActivation: { _ in .linear }, label: label, infer: infer)
  }

  /// The same for a layer with a kernel, which may end in a function of one element.
  init(
    _ kind: LayerKind, _ summary: String, _ prototype: Settings, _ keys: [SettingKey<Settings>],
    keras: KerasLayer<Settings>, make: @escaping @Sendable (Settings) -> LayerSpec,
    label: @escaping @Sendable (Settings) -> String,
    infer: @escaping @Sendable (Settings, LayerInference) throws -> ResolvedLayer
  ) where Settings: KernelSettings {
    self.init(
      kind, SettingsDescription(summary, prototype, keys + SettingKey.weights), inputs: 1...1, keras: keras,
      make: make, finalActivation: \.activation, label: label, infer: infer)
  }

  private init(
    _ kind: LayerKind, _ settings: SettingsDescription<Settings>, inputs: ClosedRange<Int>,
    keras: KerasLayer<Settings>, make: @escaping @Sendable (Settings) -> LayerSpec,
    finalActivation: @escaping @Sendable (Settings) -> Activation,
    label: @escaping @Sendable (Settings) -> String,
    infer: @escaping @Sendable (Settings, LayerInference) throws -> ResolvedLayer
  ) {
    let form = LayerForm(
      word: kind.rawValue, settings: settings.object, inputCount: inputs,
      spec: { settings.value(of: $0).map(make) })
    self.init(
      kind: kind, settings: settings, inputCount: inputs, keras: keras, forms: [form], make: make,
      word: { _ in kind.rawValue }, finalActivation: finalActivation, label: label, infer: infer)
  }

  /// A description whose kind has other words than its own, or several.
  init(
    kind: LayerKind, settings: SettingsDescription<Settings>, inputCount: ClosedRange<Int>,
    keras: KerasLayer<Settings>, alsoReads: [KerasLayer<Settings>] = [], forms: [LayerForm],
    make: @escaping @Sendable (Settings) -> LayerSpec,
    word: @escaping @Sendable (Settings) -> String,
    finalActivation: @escaping @Sendable (Settings) -> Activation,
    label: @escaping @Sendable (Settings) -> String,
    infer: @escaping @Sendable (Settings, LayerInference) throws -> ResolvedLayer
  ) {
    self.kind = kind
    self.settings = settings
    self.inputCount = inputCount
    self.keras = keras
    self.alsoReads = alsoReads
    self.forms = forms
    self.make = make
    self.word = word
    self.finalActivation = finalActivation
    self.label = label
    self.infer = infer
  }
}

/// A word of configurations with the layer that it stands for.
public struct LayerForm: Sendable {
  /// The word as configurations write it.
  public let word: String
  /// What may be written behind the word.
  public let settings: ObjectSchema
  /// How many inputs the layer takes.
  public let inputCount: ClosedRange<Int>
  /// The layer that a map of ``settings`` describes; nil for a map of other values.
  public let spec: @Sendable (ResolvedValue) -> LayerSpec?

  /// The forms of all layers, in the order of references.
  public static let all = LayerKind.allCases.flatMap(\.description.forms)

  /// The form of a word; nil for one that stands for no layer.
  public init?(_ word: String) {
    guard let form = LayerForm.all.first(where: { $0.word == word }) else { return nil }
    self = form
  }

  init(
    word: String, settings: ObjectSchema, inputCount: ClosedRange<Int>,
    spec: @escaping @Sendable (ResolvedValue) -> LayerSpec?
  ) {
    self.word = word
    self.settings = settings
    self.inputCount = inputCount
    self.spec = spec
  }
}

/// The settings of layers that need none.
public struct NoSettings: LayerSettings {
  /// Nothing to set.
  public init() {}
}

/// A ``LayerDescription``, whatever the type of its settings.
public protocol AnyLayerDescription: Sendable {
  /// The hyper-parameters of the kind.
  associatedtype Settings: LayerSettings
  /// The description with its type.
  var typed: LayerDescription<Settings> { get }
}

extension LayerDescription: AnyLayerDescription {
  /// The description itself.
  public var typed: LayerDescription<Settings> { self }
}

extension AnyLayerDescription {
  /// The words of configurations that stand for the layer.
  public var forms: [LayerForm] { typed.forms }
}

/// A layer's settings with the description of its kind, whatever their type.
public protocol AnyDescribedLayer {
  /// The hyper-parameters of the kind.
  associatedtype Settings: LayerSettings
  /// The description of the layer's kind.
  var description: LayerDescription<Settings> { get }
  /// What is set for this layer.
  var settings: Settings { get }
}

/// A layer's settings with the description of its kind.
struct DescribedLayer<Settings: LayerSettings>: AnyDescribedLayer {
  let description: LayerDescription<Settings>
  let settings: Settings

  init(_ description: LayerDescription<Settings>, _ settings: Settings) {
    self.description = description
    self.settings = settings
  }

  init(_ description: LayerDescription<Settings>) where Settings == NoSettings {
    self.init(description, NoSettings())
  }
}

extension AnyDescribedLayer {
  /// The layer's kind.
  public var kind: LayerKind { description.kind }
  /// The layer's word in configurations.
  public var word: String { description.word(settings) }
  /// How many inputs the layer takes.
  public var inputCount: ClosedRange<Int> { description.inputCount }
  /// The kind and its settings in a few words, for tables.
  public var summary: String { description.label(settings) }
  /// The function that the layer ends in; linear for one that ends in none.
  public var finalActivation: Activation { description.finalActivation(settings) }

  func resolve(_ inference: LayerInference) throws -> ResolvedLayer {
    try description.infer(settings, inference)
  }
}
