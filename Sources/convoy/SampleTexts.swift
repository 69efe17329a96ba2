internal import Datasets
internal import Paths
internal import Tensors
internal import Texts

/// How texts become samples for a network: as in its training.
final class SampleTexts: Sendable {
  let handling: TextHandling
  private let path: String
  private let inputShape: Shape
  private let wordless = OneWarning()
  private let cut = OneWarning()

  /// - Parameters:
  ///   - path: the checkpoint's file, for messages.
  ///   - inputShape: the network's.
  init(_ handling: TextHandling, _ path: String, _ inputShape: Shape) {
    (self.handling, self.path, self.inputShape) = (handling, path, inputShape)
  }

  /// Texts of the command line.
  ///
  /// - Throws: ``CommandError`` where one is a file's name: whoever names a file hardly means the name.
  static func checked(_ texts: [String]) throws -> [String] {
    for text in texts {
      guard PathText.isUnicode(text) else {
        throw CommandError.usage("\(PathText.readable(text)) is not UTF-8")
      }
      if text.allSatisfy(\.isWhitespace) { throw CommandError.usage("a text is empty") }
      if FileStatus.isFile(text) {
        throw CommandError.usage(
          "\(text) is a file, and this network takes texts; --lines \(text) takes the text of each of its lines"
        )
      }
    }
    return texts
  }

  /// The lines of a file that are not blank.
  static func lines(of path: String) throws -> [String] {
    let reader = try LineReader(path, encoding: nil)
    var texts: [String] = []
    var blank: [Int] = []
    while let line = try reader.next() {
      if line.allSatisfy(\.isWhitespace) { blank.append(reader.line) } else { texts.append(line) }
    }
    if let first = blank.first, !texts.isEmpty {
      TerminalOutput.warn(
        "\(path): passed over \(counted(blank.count, "blank line")), \(blank.count > 1 ? "such as" : "namely") line \(first); answers are those of the "
          + "other lines, in their order")
    }
    guard !texts.isEmpty else { throw CommandError.badData("\(path) has no lines of text") }
    return texts
  }

  /// A text as a sample; it warns of words that are lost.
  func sample(_ text: String) -> TextSample {
    let sample = handling.sample(of: text)
    let known = sample.numbers.contains { $0 > Vocabulary.unknownNumber }
    if !known {
      wordless.give("\"\(Self.short(text))\" has no word that the network knows, so its answer means nothing")
    }
    if sample.words.count > handling.length {
      cut.give(
        "\"\(Self.short(text))\" has \(sample.words.count) words, and the network sees the \(handling.cut == .end ? "first" : "last") "
          + "\(handling.length)")
    }
    return sample
  }

  /// Texts as a minibatch.
  func minibatch(_ texts: some Collection<String>) throws -> Minibatch {
    guard inputShape.elementCount == handling.length else {
      throw CommandError.badData(
        "\(path) takes inputs of \(inputShape), but its samples had \(counted(handling.length, "word"))")
    }
    return Minibatch(
      values: texts.flatMap { sample($0).numbers.map { Float($0) } }, sampleShape: inputShape)
  }

  /// A text's beginning.
  static func short(_ text: String) -> String {
    text.count <= 60 ? text : text.prefix(59) + "…"
  }
}
