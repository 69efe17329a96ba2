public import Settings

/// Samples of a training set that are kept out of training, to measure its progress.
///
/// Which ones these are follows from the labels and from ``seed``, which is not the run's: trainings with
/// other seeds hold out the same samples.
public struct HeldOut: Hashable, Sendable {
  /// How many samples are held out.
  public enum Amount: Hashable, Sendable {
    /// This share of all samples, in (0, 1), rounded to a whole number of them.
    case fraction(Double)
    /// This many samples, above 0.
    case count(Int)
  }

  /// Which samples are held out.
  public enum Choice: String, Hashable, Sendable, CaseIterable, SettingWord {
    /// At random; of each class the same share, to within one sample.
    case stratified
    /// At random.
    case random
    /// The file's first rows.
    case first
    /// The file's last rows, as with Keras's `validation_split`.
    case last

    /// What the word means, for references.
    public var summary: String {
      switch self {
      case .stratified: "at random, an equal share of each class"
      case .random: "at random"
      case .first: "the first rows"
      case .last: "the last rows, as with Keras's `validation_split`"
      }
    }
  }

  /// How many samples are held out.
  public var amount: Amount
  /// Which samples are held out.
  public var choice: Choice
  /// What decides a random choice, whatever the run's seed is.
  public var seed: UInt64

  /// By default a choice by class, with a seed of 0.
  public init(_ amount: Amount, choice: Choice = .stratified, seed: UInt64 = 0) {
    self.amount = amount
    self.choice = choice
    self.seed = seed
  }

  /// The settings of `data.validation` where samples are held out.
  ///
  /// That exactly one of `fraction` and `count` is written must be checked separately.
  public static let settings = SettingsDescription<HeldOut>(
    "Training samples that are held out. They take the place of the test samples after each epoch, for the best "
      + "checkpoint, early stopping and plateau; the test samples are only evaluated at the end.",
    HeldOut(.count(0)),
    [
      SettingKey(
        "fraction", \.fraction, given: .number(.openUnit), otherwise: "either this or `count`",
        "The share of the training samples that is held out."),
      SettingKey(
        "count", \.count, given: .integer(1...1 << 31), otherwise: "either this or `fraction`",
        "How many samples are held out."),
      SettingKey(
        "take", \.choice, .word,
        "Which samples are held out: random ones, with or without an equal share of each class, or the first or last of the file."
      ),
      SettingKey(
        "seed", \.seed, .seed,
        "The seed of this choice alone: runs with other seeds hold out the same samples."),
    ])

  /// The share, nil where a number of samples is given; setting nil changes nothing.
  private var fraction: Double? {
    get { if case .fraction(let share) = amount { share } else { nil } }
    set { if let newValue { amount = .fraction(newValue) } }
  }

  /// The number of samples, nil where a share is given; setting nil changes nothing.
  private var count: Int? {
    get { if case .count(let count) = amount { count } else { nil } }
    set { if let newValue { amount = .count(newValue) } }
  }

  /// How many samples are held out where there are `total`.
  public func count(of total: Int) -> Int {
    switch amount {
    case .fraction(let share): Int((share * Double(total)).rounded())
    case .count(let count): count
    }
  }

  /// The rows that are held out and those that are left, both in the order of the file.
  ///
  /// - Parameter labels: the class of each sample; where there are no classes, the same number for each.
  public func rows(labels: [Int32]) -> (heldOut: [Int32], left: [Int32]) {
    let count = count(of: labels.count)
    precondition(
      count >= 0 && count <= labels.count, "\(count) of \(labels.count) samples cannot be held out")
    let all = (0..<Int32(labels.count)).map { $0 }
    switch choice {
    case .first: return (Array(all[..<count]), Array(all[count...]))
    case .last: return (Array(all[(labels.count - count)...]), Array(all[..<(labels.count - count)]))
    case .stratified, .random:
      let classes = choice == .stratified ? labels : labels.map { _ in 0 }
      let share = Double(count) / Double(max(labels.count, 1))
      let heldOut = SplitAssignment.rows(labels: classes, shares: [share], seed: seed)[0]
      let chosen = Set(heldOut)
      return (heldOut, all.filter { !chosen.contains($0) })
    }
  }
}
