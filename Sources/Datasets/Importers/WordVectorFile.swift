internal import HDF5
internal import Tensors
internal import Texts

/// Vectors of words from a text file: a word in each line with its numbers behind it, separated by blanks.
///
/// word2vec's text files begin with a line of two whole numbers, those of words and of numbers for each word; GloVe's do not. A word
/// may have blanks in it. Where a word is there twice, the first counts. The file may be gzip.
struct WordVectorFile {
  /// Numbers of a vector.
  let width: Int
  /// The vectors of a vocabulary's words, `[words, width]`; NaN where the file has none, and zeros for the padding.
  let vectors: [Float]
  /// How many of the words have one.
  let found: Int

  /// Reads the vectors of a vocabulary's words.
  ///
  /// - Parameters:
  ///   - check: called now and then; what it throws ends the reading.
  ///   - progress: called with the share of the file that has been read.
  /// - Throws: ``DatasetError`` with the line of what is no vector.
  init(
    _ path: String, for vocabulary: Vocabulary, check: () throws -> Void, progress: (Double) throws -> Void
  ) throws {
    let reader = try LineReader(path, encoding: nil)
    guard try reader.nextBytes() else { throw DatasetError(.badData, "\(path) is empty") }
    let blank = UInt8(ascii: " ")
    func fields() -> [ArraySlice<UInt8>] { reader.bytes.split(whereSeparator: { $0 == blank || $0 == 9 }) }
    func whole(_ bytes: ArraySlice<UInt8>) -> Int? { Int(String(decoding: bytes, as: UTF8.self)) }
    var first = fields()
    var width = first.count - 1
    var promised = 0
    if first.count == 2, whole(first[0]) != nil, let wanted = whole(first[1]), (1...1 << 16).contains(wanted)
    {
      (promised, width) = (whole(first[0]) ?? 0, wanted)
      guard try reader.nextBytes() else {
        throw DatasetError(.badData, "\(path) has no words after its first line")
      }
      first = fields()
    }
    guard width >= 1 else {
      throw DatasetError(
        .badData, "\(path), line \(reader.line): a word with its numbers behind it is expected")
    }
    var vectors = [Float](repeating: .nan, count: vocabulary.count * width)
    for place in 0..<width { vectors[Int(Vocabulary.paddingNumber) * width + place] = 0 }
    var (found, words) = (0, 0)
    repeat {
      let parts = fields()
      if parts.isEmpty { continue }
      words += 1
      guard parts.count > width else {
        throw DatasetError(
          .badData,
          "\(path), line \(reader.line): it has \(parts.count - 1) numbers, but others have \(width)")
      }
      let names = parts.dropLast(width).map { String(decoding: $0, as: UTF8.self) }
      let word = TextHandling.composed(names.joined(separator: " "))
      if vocabulary.contains(word) {
        let row = Int(vocabulary.number(of: word)) * width
        if vectors[row].isNaN {
          for (place, part) in parts.suffix(width).enumerated() {
            guard let value = CSVReader.decimal(part), Float(value).isFinite else {
              throw DatasetError(
                .badData,
                "\(path), line \(reader.line): \"\(String(decoding: part, as: UTF8.self).prefix(40))\" is not a number"
              )
            }
            vectors[row + place] = Float(value)
          }
          found += 1
        }
      }
      if reader.line % 1024 == 0 {
        try check()
        try progress(reader.progress)
      }
    } while try reader.nextBytes()
    guard words >= promised else {
      throw DatasetError(
        .badData,
        "\(path) is truncated: its first line promises \(promised) words, and \(words) follow; fetch it again, or correct that line"
      )
    }
    guard found > 0 else {
      throw DatasetError(.badData, "\(path) has none of the vocabulary's \(vocabulary.count - 2) words")
    }
    (self.width, self.vectors, self.found) = (width, vectors, found)
  }

  /// The name of the dataset that holds them.
  static let name = "vectors"
}

extension ImageDataset {
  /// The vectors that the file has for the words of its vocabulary; nil where it has none.
  ///
  /// - Returns: the vectors, `[words, width]`, in which a word without one has NaN, and their width.
  /// - Throws: ``DatasetError`` of kind `badData` for vectors that do not fit the vocabulary.
  public func wordVectors() throws -> (values: [Float], width: Int)? {
    guard let count = origin?.texts?.vocabulary.count else { return nil }
    return try translatingErrors { () throws -> (values: [Float], width: Int)? in
      let root = try File.open(path, reading: [WordVectorFile.name]).root
      guard try root.members().contains(where: { $0.name == WordVectorFile.name }) else { return nil }
      let dataset = try root.dataset(WordVectorFile.name)
      guard dataset.shape.count == 2, dataset.shape[0] == count, dataset.shape[1] > 0 else {
        throw DatasetError(
          .badData,
          "\"\(WordVectorFile.name)\" of \(path) has shape \(Shape(dataset.shape)), but the vocabulary has \(count) words"
        )
      }
      return (try dataset.read(Float.self), dataset.shape[1])
    }
  }
}
