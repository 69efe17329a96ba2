internal import Compute
internal import Datasets
internal import Foundation
internal import Reporting
internal import Training

/// How a network does on a dataset, for people and for machines: what suits its task.
struct EvaluationReport {
  private let checkpoint: String
  private let evaluation: Evaluation
  private let dataset: ImageDataset
  private let layout: FigureLayout
  /// Of classes.
  let confusion: ConfusionMatrix?
  /// Of labels.
  let labels: LabelCounts?
  /// Of numbers.
  let errors: OutputErrors?

  /// - Parameters:
  ///   - outputs: names of the network's outputs.
  ///   - classes: names of classes, where there may be more of them than outputs.
  init(
    _ checkpoint: String, _ evaluation: Evaluation, outputs: [String], classes: [String],
    _ dataset: ImageDataset
  ) {
    self.checkpoint = checkpoint
    self.evaluation = evaluation
    self.dataset = dataset
    let sums = evaluation.sums
    layout = sums.layout ?? FigureLayout(.classification, outputs: outputs.count)
    if evaluation.predictions.isEmpty {
      confusion = nil
    } else {
      // A single yes or no tells two classes apart.
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

  /// Figures that stand in no table.
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
      \(NumberText.grouped(evaluation.sums.samples)) samples of \(dataset.imagesName) in \(dataset.path)
      \(headline)

      """
    ]
    func add(_ table: Table) {
      parts.append(table.text(width: terminal.columns, unicode: terminal.hasUnicode))
    }
    if let labels { add(labels.table()) }
    if let errors { add(errors.table()) }
    if let confusion {
      if labels == nil { add(confusion.classTable()) }
      parts.append(confusion.text(width: terminal.columns))
    }
    return parts.joined(separator: "\n")
  }

  // MARK: - JSON

  func json() throws -> String {
    var object: [String: Any] = ["checkpoint": checkpoint, "samples": evaluation.sums.samples]
    for figure in evaluation.sums.figures {
      object[figure.name] = figure.value.isFinite ? figure.value : NSNull()
    }
    if let labels {
      object["labels"] = zip(labels.names, labels.counts).map { name, counts in
        Self.object(counts.figures).merging(["label": name, "taken": counts.taken]) { $1 }
      }
      object["all_decisions"] = Self.object(labels.all.figures)
    }
    if let errors {
      object["outputs"] = zip(errors.names, errors.figures).map { name, figures -> [String: Any] in
        [
          "output": name, "mean_absolute_error": figures.meanAbsolute,
          "root_mean_squared_error": figures.rootMeanSquared, "r2": figures.r2,
        ]
      }
    }
    if let confusion {
      object["confusion"] = confusion.counts
      object["classes"] = confusion.classNames.indices.map { index in
        Self.object(confusion.figures(ofClass: index)).merging(["class": confusion.classNames[index]]) { $1 }
      }
    }
    return try JSONText.make(object)
  }

  private static func object(_ figures: ConfusionMatrix.ClassFigures) -> [String: Any] {
    [
      "samples": figures.count, "precision": figures.precision ?? NSNull(),
      "recall": figures.recall ?? NSNull(), "f1": figures.f1 ?? NSNull(),
    ]
  }
}
