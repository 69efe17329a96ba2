internal import Tensors

/// The length of samples that nobody chose: that of the longest one, unless a single long one would make the file many times as large.
enum SampleLength {
  /// Bytes from which a file that is nearly all padding is refused.
  private static let largeByteCount = 1 << 30
  /// How many times the space of what there is such a file takes.
  private static let mostPadding = 20

  /// The longest length.
  ///
  /// - Parameters:
  ///   - lengths: of the training samples.
  ///   - count: how many samples there are in all.
  ///   - elementByteCount: bytes that one unit of length takes.
  ///   - noun: what a length counts: `word`.
  ///   - option: the option that gives a length.
  /// - Throws: ``DatasetError`` of kind `badData`.
  static func longest(
    _ lengths: [Int], count: Int, elementByteCount: Int, noun: String, option: String, path: String
  ) throws(DatasetError) -> Int {
    let longest = max(1, lengths.max() ?? 1)
    let byteCount = Double(count) * Double(longest) * Double(elementByteCount)
    let total = Double(lengths.reduce(0, +)) * Double(elementByteCount)
    guard byteCount > Double(largeByteCount), byteCount > Double(mostPadding) * total else { return longest }
    let middle = lengths.sorted()[lengths.count / 2]
    throw DatasetError(
      .badData,
      "\(path): the longest sample has \(counted(longest, noun)), half of them at most \(middle): all padded to the longest would take "
        + "\(Int(byteCount / 1e9)) GB; \(option) says how long samples are")
  }
}
