internal import Texts

/// Texts as numbers of their words, in the order in which words first come.
struct TokenizedTexts {
  /// The different words.
  private(set) var words: [String] = []
  /// The label of each text, as bytes of UTF-8.
  var labels: [[UInt8]] { labelIDs.map { differentLabels[Int($0)] } }
  private(set) var differentLabels: [[UInt8]] = []
  private(set) var isTest: [Bool] = []
  /// How many texts were blank.
  private(set) var blank = 0
  private var labelIDs: [Int32] = []
  private var numbers: [String: Int32] = [:]
  private var labelNumbers: [[UInt8]: Int32] = [:]
  private var numberedWords = WordPages()
  private let rule: TokenRule
  private let lowersCase: Bool

  init(_ rule: TokenRule, lowersCase: Bool) { (self.rule, self.lowersCase) = (rule, lowersCase) }

  var count: Int { isTest.count }

  /// The words of a text by their places in ``words``.
  func ids(ofText index: Int) -> ArraySlice<Int32> { numberedWords.text(index) }

  /// Numbers the words of one more text, unless it is blank.
  ///
  /// - Throws: ``DatasetError`` of kind `badData` for a zero byte.
  mutating func add(_ text: String, label: [UInt8], isTest: Bool, place: String) throws {
    guard !text.utf8.contains(0) else {
      throw DatasetError(.badData, "\(place): a zero byte; is it a text?")
    }
    guard !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else {
      blank += 1
      return
    }
    let text = TextHandling.composed(text)
    numberedWords.begin(most: text.unicodeScalars.count)
    rule.forEachToken(of: text, lowersCase: lowersCase) { word in
      if let number = numbers[word] {
        numberedWords.append(number)
      } else {
        let number = Int32(words.count)
        numbers[word] = number
        words.append(word)
        numberedWords.append(number)
      }
    }
    numberedWords.end()
    if let number = labelNumbers[label] {
      labelIDs.append(number)
    } else {
      labelNumbers[label] = Int32(differentLabels.count)
      labelIDs.append(Int32(differentLabels.count))
      differentLabels.append(label)
    }
    self.isTest.append(isTest)
  }
}

/// Rows of numbers, each whole on one page.
///
/// One array that grows would be copied each time, and then take three times what it holds.
private struct WordPages {
  private static let pageCount = 1 << 18
  private var pages: [[Int32]] = [[]]
  private var places: [(page: Int, words: Range<Int>)] = []
  private var start = 0

  func text(_ index: Int) -> ArraySlice<Int32> {
    let place = places[index]
    return pages[place.page][place.words]
  }

  /// Begins a text of at most so many words.
  mutating func begin(most count: Int) {
    let last = pages.count - 1
    if pages[last].count + count > pages[last].capacity {
      // Memory that is reserved and not written to costs nothing.
      pages.append([])
      pages[pages.count - 1].reserveCapacity(max(Self.pageCount, count))
    }
    start = pages[pages.count - 1].count
  }

  mutating func append(_ word: Int32) { pages[pages.count - 1].append(word) }

  mutating func end() {
    places.append((pages.count - 1, start..<pages[pages.count - 1].count))
  }
}
