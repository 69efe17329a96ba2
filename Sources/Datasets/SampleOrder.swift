public import Settings
internal import Tensors

/// Whether epochs go through their samples in a random order; `true` and `false` stand for ``everyEpoch`` and ``never``.
public enum Shuffling: Hashable, Sendable, ExpressibleByBooleanLiteral {
  /// In the order of the file, as evaluation uses it.
  case never
  /// In one random order that every epoch repeats, as Keras does once its seed is set.
  case once
  /// In a random order that is new in each epoch.
  case everyEpoch

  /// `true` for a new random order in every epoch, `false` for the order of the file.
  public init(booleanLiteral value: Bool) { self = value ? .everyEpoch : .never }
}

extension SettingForm where Value == Shuffling {
  /// `true`, `false` or `once`.
  public static var shuffling: SettingForm {
    SettingForm<Bool?>.optional("once", .boolean).map(
      { $0.map { $0 ? .everyEpoch : .never } ?? .once },
      back: { shuffling in
        switch shuffling {
        case .never: false
        case .once: nil
        case .everyEpoch: true
        }
      })
  }
}

/// The order in which a training sees its samples: a pure function of seed and epoch.
///
/// Only the position needs saving, and going to any position costs nothing.
///
/// An order may leave out rows of the dataset (those held out for validation), end an epoch before all rows
/// have come, or repeat the same few samples. All of this is in the order alone: readers know nothing of it.
public struct SampleOrder: Sendable, Hashable {
  /// The run's seed.
  public let seed: UInt64
  /// How many samples an epoch has.
  public let count: Int
  /// Whether epochs are shuffled.
  public let shuffling: Shuffling
  /// How many rows there are in the dataset that the order is made for.
  public let datasetCount: Int
  /// The rows that may come; nil for all.
  private let rows: [Int32]?
  /// How many samples come again and again; nil when each comes once.
  private let window: Int?

  /// All rows, each once.
  ///
  /// - Parameter count: the number of samples, at most 2³¹ − 1.
  public init(seed: UInt64, count: Int, shuffle: Shuffling) {
    self.init(seed: seed, datasetCount: count, rows: nil, shuffle: shuffle)
  }

  /// An order of some of the rows.
  ///
  /// - Parameters:
  ///   - datasetCount: rows of the dataset, at most 2³¹ − 1.
  ///   - rows: those that may come, in the order of the file; nil for all.
  ///   - limit: the number of samples after which an epoch ends; where every epoch is shuffled, each has
  ///     other samples. Nil for all.
  ///   - window: the number of samples that every epoch repeats: the first ones of the first epoch. Nil
  ///     repeats none.
  public init(
    seed: UInt64, datasetCount: Int, rows: [Int32]?, shuffle: Shuffling, limit: Int? = nil, window: Int? = nil
  ) {
    precondition(
      datasetCount >= 0 && datasetCount <= Int(Int32.max), "\(datasetCount) samples cannot be ordered")
    let all = rows?.count ?? datasetCount
    precondition(
      window.map { $0 > 0 && $0 <= all } ?? true, "\(window ?? 0) of \(all) samples cannot be repeated")
    self.seed = seed
    self.datasetCount = datasetCount
    self.rows = rows
    self.window = window
    count = min(limit ?? all, all)
    shuffling = shuffle
  }

  /// The samples of an epoch, in its order; where that is random, every permutation of the rows is as likely
  /// as any other.
  ///
  /// - SeeAlso: Durstenfeld, "Algorithm 235: Random permutation", CACM 1964 (the Fisher–Yates shuffle in place).
  public func permutation(epoch: Int) -> [Int32] {
    precondition(epoch >= 0, "epoch \(epoch) is negative")
    var order = rows ?? (0..<Int32(datasetCount)).map { $0 }
    if shuffling != .never {
      let repeatsFirst = shuffling == .once || window != nil
      var random = RandomStream(seed: seed, purpose: .sampleOrder, a: UInt64(repeatsFirst ? 0 : epoch))
      for last in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(last, random.nextInteger(below: last + 1))
      }
    }
    if let window { return (0..<count).map { order[$0 % window] } }
    return count == order.count ? order : Array(order[..<count])
  }
}
