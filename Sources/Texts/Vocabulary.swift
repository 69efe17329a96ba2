/// The words that a network knows, by number.
///
/// Number 0 pads short texts, and number 1 stands for every word that is not in the list; they are written as Keras's
/// `TextVectorization` writes them, as the empty text and `[UNK]`. The other words follow, the most frequent first, and among
/// equally frequent ones in the order of their bytes.
public struct Vocabulary: Hashable, Sendable {
  /// All words by number; the first two are ``padding`` and ``unknown``.
  public let words: [String]
  private let numbers: [String: Int32]

  /// The number that pads short texts.
  public static let paddingNumber: Int32 = 0
  /// The number of every word that is not in the list.
  public static let unknownNumber: Int32 = 1
  /// How the padding is written: as nothing.
  public static let padding = ""
  /// How a word that is not in the list is written.
  public static let unknown = "[UNK]"
  /// The most words that there can be: a float32 counts no further without gaps.
  public static let mostWords = 1 << 24

  /// Takes a list that begins with ``padding`` and ``unknown``.
  ///
  /// - Returns: nil for a list that does not begin so, has a word twice, or has too many.
  public init?(words: [String]) {
    guard words.count >= 2, words.count <= Self.mostWords, words[0] == Self.padding, words[1] == Self.unknown
    else { return nil }
    var numbers: [String: Int32] = [:]
    numbers.reserveCapacity(words.count)
    for (number, word) in words.enumerated() {
      guard numbers.updateValue(Int32(number), forKey: word) == nil else { return nil }
    }
    self.words = words
    self.numbers = numbers
  }

  /// Makes the list of the most frequent words.
  ///
  /// - Parameters:
  ///   - counts: how often each word is there.
  ///   - minimum: how often a word must be there to be in the list, at least 1.
  ///   - most: how many numbers there may be at most, with those of the padding and of unknown words; at least 2.
  public init(counts: [(word: String, count: Int)], minimum: Int = 1, most: Int = Self.mostWords) {
    let frequent = counts.filter {
      $0.count >= minimum && $0.word != Self.padding && $0.word != Self.unknown
    }
    let sorted = frequent.sorted {
      $0.count == $1.count
        ? $0.word.utf8.lexicographicallyPrecedes($1.word.utf8) : $0.count > $1.count
    }
    words = [Self.padding, Self.unknown] + sorted.prefix(max(0, most - 2)).map(\.word)
    numbers = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($0.element, Int32($0.offset)) })
  }

  /// How many numbers there are, with those of the padding and of unknown words.
  public var count: Int { words.count }

  /// A word's number; ``unknownNumber`` where it is not in the list.
  public func number(of word: String) -> Int32 { numbers[word] ?? Self.unknownNumber }

  /// Whether the word is in the list.
  public func contains(_ word: String) -> Bool { numbers[word].map { $0 > Self.unknownNumber } ?? false }

  /// By the words: numbers follow from them.
  public static func == (left: Vocabulary, right: Vocabulary) -> Bool { left.words == right.words }

  /// By the words, as equality is.
  public func hash(into hasher: inout Hasher) { hasher.combine(words) }
}
