internal import Settings
internal import Tensors

/// A trained vector for each word of a vocabulary.
///
/// - `src`: [N, T], whole numbers from 0 to below `vocabulary`; `embeddings`: [vocabulary, dimension];
///   `dst`: [N, T, dimension].
public struct Embedding: Hashable, Sendable, Codable {
  /// How many words there are.
  public var vocabulary: Int
  /// Length of a word's vector.
  public var dimension: Int
  /// The number of the word that pads short texts, whose vector starts at zero and is never trained; nil where there is none.
  public var paddingWord: Int?
  /// Whether the vectors are left untrained, as where they come from elsewhere.
  public var isFrozen: Bool
  /// How the vectors start.
  public var initializer: Initializer
  /// Whether words start with the vectors that the dataset has for them.
  public var isPretrained: Bool

  /// An embedding; the defaults are Keras's.
  public init(
    vocabulary: Int, dimension: Int, paddingWord: Int? = nil, isFrozen: Bool = false,
    initializer: Initializer = .uniform, isPretrained: Bool = false
  ) {
    self.vocabulary = vocabulary
    self.dimension = dimension
    self.paddingWord = paddingWord
    self.isFrozen = isFrozen
    self.initializer = initializer
    self.isPretrained = isPretrained
  }
}

extension Embedding {
  private enum CodingKeys: String, CodingKey {
    case vocabulary, dimension, paddingWord, isFrozen, initializer, isPretrained
  }

  /// Reads what checkpoints of this and of earlier versions say.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      vocabulary: try container.decode(Int.self, forKey: .vocabulary),
      dimension: try container.decode(Int.self, forKey: .dimension),
      paddingWord: try container.decodeIfPresent(Int.self, forKey: .paddingWord),
      isFrozen: try container.decode(Bool.self, forKey: .isFrozen),
      initializer: try container.decode(Initializer.self, forKey: .initializer),
      isPretrained: try container.decodeIfPresent(Bool.self, forKey: .isPretrained) ?? false)
  }

  /// Writes what earlier versions can read wherever they have what it says.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(vocabulary, forKey: .vocabulary)
    try container.encode(dimension, forKey: .dimension)
    try container.encodeIfPresent(paddingWord, forKey: .paddingWord)
    try container.encode(isFrozen, forKey: .isFrozen)
    try container.encode(initializer, forKey: .initializer)
    if isPretrained { try container.encode(isPretrained, forKey: .isPretrained) }
  }
}

extension LayerDescription where Settings == Embedding {
  /// Keras's `mask_zero` is never written: Keras's later layers would then skip the padding, while those here see its zeros.
  static let embedding = LayerDescription(
    .embedding, "A trained vector for each word of a text, which is given by its number.",
    Embedding(vocabulary: 1, dimension: 1),
    [
      SettingKey(
        "vocabulary", \.vocabulary, .integer(1...1 << 24), default: .required, keras: "input_dim",
        "How many words there are; samples hold numbers from 0 to one less than this."),
      SettingKey(
        "dimension", \.dimension, .width, default: .required, keras: "output_dim",
        "Length of a word's vector."),
      SettingKey(
        "padding_word", \.paddingWord, .optional("none", .integer(0...1 << 24)),
        "The number of the word that pads short texts; its vector is zero and stays zero."),
      SettingKey(
        "frozen", \.isFrozen, .boolean, keras: .negated("trainable"),
        "Whether the vectors are left untrained."),
      SettingKey("initializer", \.initializer, .word, "How the vectors are initialised."),
      SettingKey(
        "pretrained", \.isPretrained, .boolean,
        "Whether words start with the vectors that the training data has for them, as `convoy import text --vectors` writes them; others as "
          + "`initializer` says."),
    ],
    keras: KerasLayer("Embedding", options: [.only("mask_zero", [false])]), make: LayerSpec.embedding,
    label: { "embedding of \($0.vocabulary) words" + ($0.isFrozen ? ", frozen" : "") },
    infer: { try $0.infer($1) })
}

extension KerasOption {
  /// The opposite of a truth value, left out where the setting has its default.
  fileprivate static func negated(_ name: String) -> KerasOption {
    @Sendable func not(_ content: ResolvedValue.Content) -> ResolvedValue.Content {
      if case .boolean(let value) = content { .boolean(!value) } else { content }
    }
    return KerasOption(name, isLeftOutAtDefault: true, write: not, read: not)
  }
}

extension Embedding {
  fileprivate func infer(_ inference: LayerInference) throws -> ResolvedLayer {
    let input = inference.input
    try inference.require(vocabulary, atLeast: 1, "vocabulary")
    try inference.require(dimension, atLeast: 1, "dimension")
    guard input.rank == 1 else {
      throw inference.mismatch(
        "embedding takes a row of word numbers [length] and '\(inference.layer.inputs[0])' gives \(input)")
    }
    if let word = paddingWord, !(0..<vocabulary).contains(word) {
      throw inference.wrong(
        "padding_word", "\(word) must be from 0 to \(vocabulary - 1), the vocabulary's last word")
    }
    let table = ParameterSpec(
      name: "embeddings", shape: [vocabulary, dimension], role: .table, initializer: initializer,
      fans: Fans(incoming: vocabulary, outgoing: dimension), isFrozen: isFrozen, zeroRow: paddingWord)
    return inference.make(
      output: [input[0], dimension], view: .everything, parameters: [table], flopsPerElement: 0)
  }
}
