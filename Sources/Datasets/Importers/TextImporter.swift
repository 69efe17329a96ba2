internal import Paths
internal import Tensors
public import Texts

/// Texts with labels, which become rows of word numbers.
///
/// The vocabulary is made of the training samples alone: what is tested has words that the network has never seen, as it will be
/// in use. It is written beside the samples, and travels into checkpoints.
public struct TextImporter: DatasetImporter {
  /// Which samples are tested on, besides the sources that are for testing.
  public enum Testing: Hashable, Sendable {
    /// None.
    case none
    /// This share, above 0 and below 1, of each class.
    case share(Double, seed: UInt64)
    /// One part of a cross-validation.
    case fold(Fold)
  }

  /// Which words get numbers.
  public enum Words: Hashable, Sendable {
    /// The most frequent words of the training samples: those that are there at least `minimum` times, and at most `most` with the
    /// numbers of padding and unknown words.
    case frequent(minimum: Int, most: Int)
    /// A list that exists.
    case known(Vocabulary)
  }

  /// Where the texts are.
  public var sources: [TextSource]
  /// The encoding of lines and of files in folders; nil for UTF-8, or what a file's byte order mark says.
  public var encoding: TextEncoding?
  /// How texts are cut into tokens.
  public var tokens: TokenRule
  /// Whether capitals become small letters; nil follows the rule.
  public var lowersCase: Bool?
  /// The words of a sample; nil for those of the longest training sample.
  public var length: Int?
  /// Where a short text is padded.
  public var padding: TextHandling.Side
  /// Where a long text is cut off.
  public var cut: TextHandling.Side
  /// Which words get numbers.
  public var words: Words
  /// Which samples are tested on.
  public var testing: Testing
  /// A text file of word2vec or GloVe with vectors of words, which are written beside the vocabulary; nil for none.
  public var vectors: String?

  /// An importer that by default keeps every word of the training samples and tests on nothing but sources for testing.
  public init(
    _ sources: [TextSource], encoding: TextEncoding? = nil, tokens: TokenRule = .words,
    lowersCase: Bool? = nil, length: Int? = nil, padding: TextHandling.Side = .end,
    cut: TextHandling.Side = .end, words: Words = .frequent(minimum: 1, most: Vocabulary.mostWords),
    testing: Testing = .none
  ) {
    self.sources = sources
    self.encoding = encoding
    self.tokens = tokens
    self.lowersCase = lowersCase
    self.length = length
    (self.padding, self.cut) = (padding, cut)
    self.words = words
    self.testing = testing
  }

  /// Reads everything and writes the dataset.
  public func write(to output: DatasetOutput, progress: (Double) throws -> Void) throws -> ImportSummary {
    precondition(!sources.isEmpty, "an import needs at least one source")
    var texts = TokenizedTexts(tokens, lowersCase: lowersCase ?? tokens.lowersCase)
    var strays: [String] = []
    try withoutActuallyEscaping(progress) { progress in
      for (place, source) in sources.enumerated() {
        let reader = TextSourceReader(source: source, encoding: encoding) { share in
          try output.check()
          try progress((Double(place) + share) / Double(sources.count) * 0.9)
        }
        try reader.read { text, label, place in
          try texts.add(text, label: label, isTest: source.isTest, place: place)
        } passOver: {
          strays.append($0)
        }
      }
    }
    guard texts.count > 0 else {
      throw DatasetError(.badData, "\(sources[0].path) has no texts")
    }
    let classes = try classes(texts)
    let labels = texts.labels.map { classes.number($0) }
    let isTested = isTested(labels, texts)
    guard isTested.contains(false) else {
      throw DatasetError(.badData, "all texts are for testing; there are none to learn from")
    }
    let handling = try handling(texts, isTested)
    let vectors = try self.vectors.map { path in
      try WordVectorFile(path, for: handling.vocabulary, check: output.check) { try progress(0.9 + $0 * 0.1) }
    }
    let writer = try DatasetWriter(output)
    var counts: [(name: String, count: Int)] = []
    for (name, tested) in [("train", false), ("test", true)] {
      let rows = isTested.indices.filter { isTested[$0] == tested }
      if rows.isEmpty { continue }
      try write(rows, of: texts, handling, to: writer, "\(name)/images")
      try writer.writeLabels("\(name)/labels", rows.map { labels[$0] }, classNames: classes.names)
      counts.append((name, rows.count))
    }
    if let vectors { try writer.writeVectors(vectors.vectors, width: vectors.width) }
    try writer.finish()
    return ImportSummary(
      path: output.path, counts: counts, sampleShape: [handling.length], classNames: classes.names,
      notes: classes.notes
        + SplitRemarks.notes(
          labels: labels, isTested: isTested, names: classes.names, noun: "text", testing: testingWords)
        + [SplitRemarks.passedOver(strays, noun: "name", "where no text is expected")].compactMap(\.self)
        + notes(texts, handling, isTested),
      details: details(texts, handling, isTested)
        + (vectors.map {
          ["vectors: \($0.found) of \(handling.vocabulary.count - 2) words have one, of \($0.width) numbers"]
        } ?? []))
  }

  private func write(
    _ rows: [Int], of texts: TokenizedTexts, _ handling: TextHandling, to writer: DatasetWriter,
    _ name: String
  ) throws {
    let numbers = texts.words.map { handling.vocabulary.number(of: $0) }
    let length = handling.length
    var next = 0
    try writer.writeImages(
      name, sampleShape: [length], pixelType: .float32, capacity: rows.count,
      facts: DatasetWriter.ImageFacts(origin: .texts(handling))
    ) { memory in
      let count = min(memory.count / (4 * length), rows.count - next)
      let target = memory.bindMemory(to: Float.self)
      for place in 0..<count {
        let ids = texts.ids(ofText: rows[next + place])
        let (kept, first) = handling.places(ofWords: ids.count)
        let row = UnsafeMutableBufferPointer(rebasing: target[place * length..<(place + 1) * length])
        row.update(repeating: Float(Vocabulary.paddingNumber))
        for (position, id) in ids.dropFirst(kept.lowerBound).prefix(kept.count).enumerated() {
          row[first + position] = Float(numbers[Int(id)])
        }
      }
      next += count
      return count
    }
  }

  // MARK: - Classes and splits

  /// The classes' names, and the number of each source's or row's label.
  private struct Classes {
    let names: [String]
    let notes: [String]
    let number: ([UInt8]) -> Int32
  }

  private func classes(_ texts: TokenizedTexts) throws -> Classes {
    let named = sources.compactMap { source -> String? in
      if case .lines(let name) = source.form { name } else { nil }
    }
    guard named.isEmpty else {
      // In the order in which they were given.
      var names: [String] = []
      for name in named where !names.contains(name) { names.append(name) }
      let places = Dictionary(
        uniqueKeysWithValues: names.enumerated().map { (Array($0.element.utf8), Int32($0.offset)) })
      let present = Set(texts.differentLabels.compactMap { places[$0].map { Int($0) } })
      let empty = EmptyClasses.note(present: present, count: names.count)
      return Classes(names: names, notes: ClassNaming.alike(names, "class") + [empty].compactMap(\.self)) {
        places[$0] ?? 0
      }
    }
    let classes = try CSVClasses(
      words: texts.differentLabels, paths: sources.map(\.path).joined(separator: ", "))
    return Classes(names: classes.names, notes: classes.notes) { classes.label(of: $0) }
  }

  /// What asked for test samples; nil where nothing did.
  private var testingWords: String? {
    switch testing {
    case .none: sources.contains(where: \.isTest) ? "the sources for testing" : nil
    case .fold(let fold): "part \(fold.number) of \(fold.count)"
    case .share(let share, _): "a share of \(share)"
    }
  }

  private func isTested(_ labels: [Int32], _ texts: TokenizedTexts) -> [Bool] {
    switch testing {
    case .none: return texts.isTest
    case .fold(let fold): return fold.isTested(labels)
    case .share(let share, let seed):
      var marks = [Bool](repeating: false, count: labels.count)
      for row in SplitAssignment.rows(labels: labels, shares: [share], seed: seed)[0] {
        marks[Int(row)] = true
      }
      return marks
    }
  }

  // MARK: - Words

  private func handling(_ texts: TokenizedTexts, _ isTested: [Bool]) throws -> TextHandling {
    let trained = isTested.indices.filter { !isTested[$0] }
    let vocabulary: Vocabulary
    switch words {
    case .known(let known): vocabulary = known
    case .frequent(let minimum, let most):
      var counts = [Int](repeating: 0, count: texts.words.count)
      for row in trained { for id in texts.ids(ofText: row) { counts[Int(id)] += 1 } }
      vocabulary = Vocabulary(
        counts: zip(texts.words, counts).map { ($0, $1) }, minimum: max(1, minimum), most: most)
    }
    guard vocabulary.count > 2 else {
      throw DatasetError(
        .badData, "\(sources[0].path): the training texts have no words by the rule '\(tokens.rawValue)'")
    }
    let length =
      try length
      ?? SampleLength.longest(
        trained.map { texts.ids(ofText: $0).count }, count: texts.count, elementByteCount: 4, noun: "word",
        option: "--length", path: sources[0].path)
    return TextHandling(
      tokens: tokens, lowersCase: lowersCase, length: length, padding: padding, cut: cut,
      vocabulary: vocabulary)
  }

  // MARK: - Remarks

  /// What a person should look at.
  private func notes(_ texts: TokenizedTexts, _ handling: TextHandling, _ isTested: [Bool]) -> [String] {
    var notes: [String] = []
    if texts.blank > 0 {
      notes.append("\(counted(texts.blank, "blank text")) \(texts.blank == 1 ? "was" : "were") left out")
    }
    let wordless = isTested.indices.filter { texts.ids(ofText: $0).isEmpty }.count
    if wordless > 0 {
      notes.append(
        "\(counted(wordless, "text")) \(wordless == 1 ? "has" : "have") no words by the rule '\(tokens.rawValue)' and \(wordless == 1 ? "is" : "are") padding alone"
      )
    }
    let long = isTested.indices.filter { texts.ids(ofText: $0).count > handling.length }.count
    if long > 0 {
      notes.append(
        "\(counted(long, "text")) \(long == 1 ? "has" : "have") more than \(handling.length) words and lost "
          + "\(handling.cut == .end ? "their last" : "their first") ones; --length keeps more")
    }
    let trained = Set(isTested.indices.filter { !isTested[$0] }.map { Array(texts.ids(ofText: $0)) })
    let shared = isTested.indices.filter { isTested[$0] && trained.contains(Array(texts.ids(ofText: $0))) }
      .count
    if shared > 0 {
      notes.append(
        "\(counted(shared, "test text")) \(shared == 1 ? "is" : "are") among the training texts, word for word"
      )
    }
    return notes
  }

  /// What was done, for a person who wants to know.
  private func details(_ texts: TokenizedTexts, _ handling: TextHandling, _ isTested: [Bool]) -> [String] {
    let vocabulary = handling.vocabulary
    var lines = [
      "vocabulary: \(vocabulary.count) words of the training texts, with the padding (0) and unknown words (1), tokens by '\(tokens.rawValue)'"
        + (handling.lowersCase ? " in small letters" : ""),
      "samples: \(counted(handling.length, "word")), short texts padded at their \(handling.padding.rawValue), long ones cut at their "
        + handling.cut.rawValue,
    ]
    if case .known = words { lines[0] = "vocabulary: \(vocabulary.count) words, as given" }
    for (name, tested) in [("training", false), ("test", true)] {
      var (all, unknown) = (0, 0)
      let isKnown = texts.words.map { vocabulary.contains($0) }
      for row in isTested.indices where isTested[row] == tested {
        for id in texts.ids(ofText: row) {
          all += 1
          if !isKnown[Int(id)] { unknown += 1 }
        }
      }
      if unknown > 0 { lines.append("unknown words: \(unknown) of \(all) in the \(name) texts") }
    }
    switch testing {
    case .fold(let fold):
      lines.append(
        "test: part \(fold.number) of \(fold.count), of each class an equal share, drawn with seed \(fold.seed)"
      )
    case .share(let share, let seed):
      lines.append("test: \(share) of each class, drawn with seed \(seed)")
    case .none: break
    }
    return lines
  }
}
