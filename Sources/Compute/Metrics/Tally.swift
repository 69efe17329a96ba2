/// A sum over samples that metrics follow from; several may share one.
enum Tally: Hashable, Sendable {
  case correct
  case top(Int)
  case exact
  case decisions
  case absoluteError
  case squaredError
  case targetMoments
  case cosine

  var rule: any TallyRule {
    switch self {
    case .correct: CorrectTally()
    case .top(let count): TopTally(count: count)
    case .exact: ExactTally()
    case .decisions: DecisionTally()
    case .absoluteError: AbsoluteErrorTally()
    case .squaredError: SquaredErrorTally()
    case .targetMoments: TargetMomentTally()
    case .cosine: CosineTally()
    }
  }
}

/// What a sum is made of.
protocol TallyRule: Sendable {
  /// The word that checkpoints have for it.
  var name: String { get }
  /// How many numbers it is.
  func width(outputs: Int) -> Int
  /// Adds a sample to the sum.
  ///
  /// - Parameter sums: as many numbers as ``width(outputs:)``.
  func add(_ sample: JudgedSample, to sums: UnsafeMutablePointer<Double>)
}

/// A sample's outputs beside its target.
struct JudgedSample {
  let row: UnsafeBufferPointer<Float>
  let target: TargetVector
  let task: Criterion.Task
  /// The class with the largest output, the first of equal ones; 0 where the task is another.
  let taken: Int
  /// The right class, or the one with the largest share; 0 where the task is another.
  let actual: Int

  init(_ row: UnsafeBufferPointer<Float>, _ target: TargetVector, _ task: Criterion.Task) {
    self.row = row
    self.target = target
    self.task = task
    taken = task == .classes ? row.indexOfLargest : 0
    actual = task == .classes ? target.mainClass : 0
  }

  /// Whether a label is taken for true, σ(z) > ½.
  func isTaken(_ label: Int) -> Bool { row[label] > 0 }

  /// Whether a label is true.
  func isActual(_ label: Int) -> Bool { target[label] > 0.5 }

  /// How many decisions on labels are right.
  var rightLabels: Int { row.indices.count(where: { isTaken($0) == isActual($0) }) }
}
