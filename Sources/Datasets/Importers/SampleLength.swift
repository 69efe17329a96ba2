internal import Tensors

/// The length of samples that nobody chose: that of the longest one, unless a single long one would make the file many times as large.
enum SampleLength {
  /// Bytes from which a file that is nearly all padding is refused.
  private static let largeByteCount = 1 << 28
  /// How many times as long as the middle one the longest sample of such a file is; reviews of films come to 15.
  private static let mostTimesMiddle = 1000

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
    let middle = lengths.isEmpty ? 1 : lengths.sorted()[lengths.count / 2]
    guard byteCount > Double(largeByteCount), longest / max(1, middle) > mostTimesMiddle else {
      return longest
    }
    throw DatasetError(
      .badData,
      "\(path): the longest sample has \(counted(longest, noun)), half of them at most \(middle): all padded to the longest would take "
        + "\(Int(byteCount / 1e6)) MB; \(option) says how long samples are")
  }
}
