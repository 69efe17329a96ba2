internal import Foundation

/// How texts became the samples of a dataset, which is how other texts become samples like these.
///
/// A sample is a row of ``length`` word numbers.
public struct TextHandling: Hashable, Sendable {
  /// A text's beginning or its end.
  public enum Side: String, Sendable, CaseIterable {
    /// Its first words.
    case start
    /// Its last words.
    case end
  }

  /// How texts are cut into tokens.
  public var tokens: TokenRule
  /// Whether capitals become small letters.
  public var lowersCase: Bool
  /// How many words a sample has, at least 1.
  public var length: Int
  /// Where a short text is padded.
  public var padding: Side
  /// Where a long text is cut off.
  public var cut: Side
  /// The words by number.
  public var vocabulary: Vocabulary

  /// Takes all that decides a sample.
  public init(
    tokens: TokenRule, lowersCase: Bool? = nil, length: Int, padding: Side = .end, cut: Side = .end,
    vocabulary: Vocabulary
  ) {
    precondition(length > 0, "a sample has at least one word")
    self.tokens = tokens
    self.lowersCase = lowersCase ?? tokens.lowersCase
    self.length = length
    (self.padding, self.cut) = (padding, cut)
    self.vocabulary = vocabulary
  }

  // MARK: - Texts to numbers

  /// A text in Unicode's composed form, in which the same letter has the same bytes.
  public static func composed(_ text: String) -> String {
    text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
  }

  /// A text's words in their order.
  public func words(of text: String) -> [String] {
    tokens.tokens(of: Self.composed(text), lowersCase: lowersCase)
  }

  /// A text as a sample.
  public func sample(of text: String) -> TextSample { TextSample(words(of: text), self) }

  /// The places of a text's words in its sample: which words are kept, and where the first of them stands.
  ///
  /// - Parameter count: how many words the text has.
  public func places(ofWords count: Int) -> (kept: Range<Int>, first: Int) {
    let kept = min(count, length)
    let start = cut == .end ? 0 : count - kept
    return (start..<start + kept, padding == .end ? 0 : length - kept)
  }

  // MARK: - Files

  /// The name of the attribute that holds it in HDF5 files.
  public static let attribute = "text"
  /// The name of the dataset that holds the vocabulary.
  public static let vocabularyName = "vocabulary"

  /// Its form in HDF5 files, without the vocabulary: `tokens=kim`, `case=lower`, `length=56`, `pad=end`, `cut=end`.
  public var pairs: [String] {
    [
      "tokens=\(tokens.rawValue)", "case=\(lowersCase ? "lower" : "keep")", "length=\(length)",
      "pad=\(padding.rawValue)", "cut=\(cut.rawValue)",
    ]
  }

  /// Reads that form.
  ///
  /// - Returns: nil for pairs that do not say all, or not in words that are known here.
  public init?(pairs: [String], vocabulary: Vocabulary) {
    func value(_ key: String) -> String? {
      pairs.first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
    }
    guard let tokens = value("tokens").flatMap(TokenRule.init), let letters = value("case"),
      ["lower", "keep"].contains(letters), let length = value("length").flatMap({ Int($0) }),
      (1...Vocabulary.mostWords).contains(length), let padding = value("pad").flatMap(Side.init),
      let cut = value("cut").flatMap(Side.init)
    else { return nil }
    self.init(
      tokens: tokens, lowersCase: letters == "lower", length: length, padding: padding, cut: cut,
      vocabulary: vocabulary)
  }
}

/// A text as a sample, and what became of its words.
public struct TextSample: Sendable {
  /// All words of the text.
  public let words: [String]
  /// The sample: a number for each of its places.
  public let numbers: [Int32]
  /// Which of the words are in the sample.
  public let kept: Range<Int>
  /// The place of the first of them.
  public let first: Int

  init(_ words: [String], _ handling: TextHandling) {
    self.words = words
    (kept, first) = handling.places(ofWords: words.count)
    var numbers = [Int32](repeating: Vocabulary.paddingNumber, count: handling.length)
    for (place, word) in words[kept].enumerated() {
      numbers[first + place] = handling.vocabulary.number(of: word)
    }
    self.numbers = numbers
  }

  /// The words of the sample that the vocabulary does not have, each once.
  public var unknownWords: [String] {
    var seen: Set<String> = []
    return words[kept].enumerated().filter { numbers[first + $0.offset] == Vocabulary.unknownNumber }
      .map(\.element).filter { seen.insert($0).inserted }
  }
}
