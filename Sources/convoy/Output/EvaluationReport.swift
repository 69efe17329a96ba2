internal import Compute
internal import Datasets
internal import Networks
internal import Reporting
internal import Tensors
internal import Training

/// A network's figures on a dataset that suit its task, for people and for machines.
struct EvaluationReport {
  private let checkpoint: String
  private let evaluation: Evaluation
  private let dataset: ImageDataset
  private let layout: FigureLayout
  /// The classes; nil for other tasks, and for moves of Go, which are too many to tell apart one by one.
  let confusion: ConfusionMatrix?
  /// How moves of Go are predicted as the game goes on; nil for all other samples.
  let phases: GamePhases?
  /// The labels; nil for other tasks.
  let labels: LabelCounts?
  /// The numbers; nil for other tasks.
  let errors: OutputErrors?

  /// - Parameters:
  ///   - outputs: the names of the network's outputs.
  ///   - classes: the names of the classes, of which there may be more than outputs.
  init(
    _ checkpoint: String, _ evaluation: Evaluation, outputs: [String], classes: [String],
    _ dataset: ImageDataset
  ) {
    self.checkpoint = checkpoint
    self.evaluation = evaluation
    self.dataset = dataset
    let sums = evaluation.sums
    layout = sums.layout ?? FigureLayout(.classification, outputs: outputs.count)
    phases = dataset.moveNumbers.map { GamePhases(moveNumbers: $0, ranks: evaluation.ranks) }
    if evaluation.predictions.isEmpty || dataset.planes != nil {
      confusion = nil
    } else {
      // A single output tells two classes apart.
      let pair = classes.count == 2 ? classes : dataset.classNames ?? []
      let names = outputs.count > 1 ? outputs : pair.count == 2 ? pair : ["0", "1"]
      confusion = ConfusionMatrix(
        classNames: names, labels: evaluation.labels, predictions: evaluation.predictions)
    }
    let task = layout.criterion.task
    labels =
      task == .labels
      ? LabelCounts(
        names: outputs,
        counts: layout.decisions(sums.values).map {
          LabelCounts.Counts(right: $0.right, taken: $0.taken, actual: $0.actual)
        }) : nil
    errors =
      task == .values
      ? OutputErrors(
        names: outputs,
        figures: layout.errors(sums.values, samples: sums.samples).map {
          OutputErrors.Figures(
            meanAbsolute: $0.meanAbsolute, rootMeanSquared: $0.rootMeanSquared, r2: $0.r2)
        }) : nil
  }

  /// The figures that are in no table.
  var headline: String {
    let inTables: Set<String> = ["precision", "recall", "f1"]
    return evaluation.sums.figures.filter { !inTables.contains($0.name) }.map {
      "\($0.name) \(NumberText.short($0.value))"
    }.joined(separator: "  ")
  }

  // MARK: - Text

  func text(_ terminal: Terminal) -> String {
    var parts = [
      """
      \(checkpoint)
      \(counted(evaluation.sums.samples, "sample", as: NumberText.grouped(evaluation.sums.samples))) of \(dataset.imagesName) in \(dataset.path)
      \(headline)

      """
    ]
    func add(_ table: Table) {
      parts.append(table.text(width: terminal.tableWidth, unicode: terminal.hasUnicode))
    }
    if let phases { add(phases.table) }
    if let labels { add(labels.table()) }
    if let errors { add(errors.table()) }
    if let confusion {
      if labels == nil { add(confusion.classTable()) }
      parts.append(confusion.text(width: terminal.tableWidth))
    }
    return parts.joined(separator: "\n")
  }

  // MARK: - JSON

  func json() throws -> String {
    try ResultJSON.text(
      EvaluationResult(
        checkpoint: checkpoint, samples: evaluation.sums.samples,
        figures: evaluation.sums.figures.map { ($0.name, $0.value) },
        labels: labels.map { labels in
          zip(labels.names, labels.counts).map { name, counts in
            EvaluationResult.Label(label: name, taken: counts.taken, EvaluationResult.Rates(counts.figures))
          }
        },
        allDecisions: labels.map { EvaluationResult.Rates($0.all.figures) },
        outputs: errors.map { zip($0.names, $0.figures).map(EvaluationResult.Output.init) },
        phases: phases?.phases, confusion: confusion?.counts,
        classes: confusion.map { confusion in
          confusion.classNames.indices.map { index in
            EvaluationResult.Class(
              class: confusion.classNames[index],
              EvaluationResult.Rates(confusion.figures(ofClass: index)))
          }
        }))
  }
}

/// A network's figures on a dataset: loss and metrics, each under its name, and what suits its task.
private struct EvaluationResult: Encodable {
  /// How well a class or label is recognised.
  struct Rates: Encodable {
    let samples: Int
    @NullIfMissing var precision: Double?
    @NullIfMissing var recall: Double?
    @NullIfMissing var f1: Double?

    init(_ figures: ConfusionMatrix.ClassFigures) {
      samples = figures.count
      (precision, recall, f1) = (figures.precision, figures.recall, figures.f1)
    }
  }

  struct Class: Encodable {
    let `class`: String
    let rates: Rates

    init(class name: String, _ rates: Rates) { (self.class, self.rates) = (name, rates) }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: NamedKey.self)
      try container.encode(`class`, forKey: "class")
      try rates.encode(to: encoder)
    }
  }

  struct Label: Encodable {
    let label: String
    /// The number of samples that are taken to have the label.
    let taken: Int
    let rates: Rates

    init(label: String, taken: Int, _ rates: Rates) {
      (self.label, self.taken, self.rates) = (label, taken, rates)
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: NamedKey.self)
      try container.encode(label, forKey: "label")
      try container.encode(taken, forKey: "taken")
      try rates.encode(to: encoder)
    }
  }

  struct Output: Encodable {
    let output: String
    let meanAbsoluteError: Double
    let rootMeanSquaredError: Double
    let r2: Double

    init(_ name: String, _ figures: OutputErrors.Figures) {
      output = name
      meanAbsoluteError = figures.meanAbsolute
      rootMeanSquaredError = figures.rootMeanSquared
      r2 = figures.r2
    }
  }

  let checkpoint: String
  let samples: Int
  let figures: [(name: String, value: Double)]
  let labels: [Label]?
  /// The rates of all labels together.
  let allDecisions: Rates?
  let outputs: [Output]?
  let phases: [GamePhases.Phase]?
  /// A row for each true class, a column for each predicted one.
  let confusion: [[Int]]?
  let classes: [Class]?

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: NamedKey.self)
    try container.encode(checkpoint, forKey: "checkpoint")
    try container.encode(samples, forKey: "samples")
    for figure in figures { try container.encode(figure.value, forKey: NamedKey(figure.name)) }
    try container.encodeIfPresent(labels, forKey: "labels")
    try container.encodeIfPresent(allDecisions, forKey: "allDecisions")
    try container.encodeIfPresent(outputs, forKey: "outputs")
    try container.encodeIfPresent(phases, forKey: "phases")
    try container.encodeIfPresent(confusion, forKey: "confusion")
    try container.encodeIfPresent(classes, forKey: "classes")
  }
}
