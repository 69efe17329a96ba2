/// One of several kinds, named by a single key: `adam: {learning_rate: 1e-3}`, or by a bare word: `flatten`.
public struct UnionSchema: Sendable {
  /// A word and what may be written behind it.
  public struct Kind: Sendable {
    /// The kind's word.
    public let name: String
    /// What may be written behind the word; nil for a kind that is only a word.
    public let payload: Schema?
    /// What the kind is, in one sentence for references.
    public let summary: String

    /// A kind; a nil payload means that the word stands alone.
    public init(_ name: String, _ payload: Schema?, _ summary: String) {
      self.name = name
      self.payload = payload
      self.summary = summary
    }

    /// Whether the bare word is enough.
    public var canBeBare: Bool {
      switch payload {
      case nil: true
      case .object(let object): object.isAllOptional
      default: false
      }
    }
  }

  /// What the kinds are kinds of, for messages: `optimizer`.
  public let noun: String
  /// All kinds, in the order of references.
  public let kinds: [Kind]

  /// A union of these kinds.
  public init(_ noun: String, _ kinds: [Kind]) {
    self.noun = noun
    self.kinds = kinds
  }

  /// The kind of this word; nil where there is none.
  public func kind(_ name: String) -> Kind? { kinds.first { $0.name == name } }
}
