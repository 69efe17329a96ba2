/// What each dimension of an array of samples is, in the order of the file, outermost first.
///
/// It is written as letters: N for samples, H, W and C for rows, columns and channels of images, L and C for
/// steps and channels of sequences, F for features. `NCHW` is PyTorch's order. `NCWH` is MATLAB's H×W×C×N,
/// which HDF5 reverses.
public struct AxisOrder: Sendable, Hashable, CustomStringConvertible {
  /// The letters that go together, in the order in which samples are kept.
  static let known = ["NHWC", "NHW", "NLC", "NF"]

  /// The letters in the order of the file.
  let letters: [Character]
  /// The same letters in the order in which samples are kept.
  let kept: [Character]

  /// Reads the letters, in upper or lower case.
  ///
  /// - Returns: nil for letters that are not an order of samples.
  public init?(_ text: String) {
    let letters = Array(text.uppercased())
    guard let kept = Self.known.first(where: { $0.sorted() == letters.sorted() }) else { return nil }
    self.letters = letters
    self.kept = Array(kept)
  }

  /// The usual order of this many dimensions; nil where there is none.
  init?(rank: Int) {
    switch rank {
    case 2: self.init("NF")
    case 3: self.init("NHW")
    case 4: self.init("NHWC")
    default: return nil
    }
  }

  /// Whether samples in the usual order would have many channels and a height of 1 or 3, which PyTorch's order explains better.
  static func looksChannelsFirst(_ shape: [Int]) -> Bool {
    shape.count == 4 && [1, 3].contains(shape[1]) && !(1...4).contains(shape[3])
  }

  /// The order of an array that has numbers for each point of samples in this order.
  ///
  /// It has the same dimensions, or the same without channels. Otherwise, as with rows of features, which
  /// have no points, it has the usual ones, if the samples have the usual ones, too.
  /// - Returns: nil where the order is not clear.
  func ofPoints(rank: Int) -> AxisOrder? {
    if rank == letters.count { return self }
    if rank == letters.count - 1 { return AxisOrder(String(letters.filter { $0 != "C" })) }
    return isKept ? AxisOrder(rank: rank) : nil
  }

  /// The letters, in the order of the file.
  public var description: String { String(letters) }

  /// The place of the samples among the dimensions.
  var samplePlace: Int { letters.firstIndex(of: "N") ?? 0 }

  /// Whether samples lie in the file as they are kept.
  var isKept: Bool { letters == kept }

  /// The dimensions of one sample as it is kept, with one channel where the file has none.
  func sampleShape(_ shape: [Int]) -> [Int] {
    let dimensions = kept.dropFirst().map { letter in shape[letters.firstIndex(of: letter) ?? 0] }
    return dimensions.count == 2 ? dimensions + [1] : dimensions
  }

  /// Rearranges samples that lie in memory as in the file: they follow one another, each as it is kept.
  ///
  /// - Parameters:
  ///   - shape: the dimensions of `source`, in the order of the file.
  func arrange<T: BitwiseCopyable>(
    _ source: UnsafeBufferPointer<T>, shape: [Int], into target: UnsafeMutableBufferPointer<T>
  ) {
    var strides = [Int](repeating: 1, count: shape.count)
    for place in shape.indices.dropLast().reversed() {
      strides[place] = strides[place + 1] * shape[place + 1]
    }
    // Always four dimensions: missing ones are put in front, with a length of 1.
    var (counts, steps) = ([Int](), [Int]())
    for letter in kept {
      let place = letters.firstIndex(of: letter) ?? 0
      counts.append(shape[place])
      steps.append(strides[place])
    }
    counts = [Int](repeating: 1, count: 4 - counts.count) + counts
    steps = [Int](repeating: 0, count: 4 - steps.count) + steps
    var to = 0
    for a in 0..<counts[0] {
      for b in 0..<counts[1] {
        for c in 0..<counts[2] {
          let from = a * steps[0] + b * steps[1] + c * steps[2]
          for d in 0..<counts[3] {
            target[to] = source[from + d * steps[3]]
            to += 1
          }
        }
      }
    }
  }
}
