internal import Compute
internal import Foundation
internal import Reporting
internal import Training

/// A network's answer for one sample.
struct Prediction {
  /// The right answer.
  enum Truth {
    case label(String)
    case values([Float])
  }

  let name: String
  let criterion: Criterion
  /// The names of the outputs with probabilities or numbers, in the network's order.
  let outputs: [(name: String, value: Double)]
  /// The right answer; nil where it is unknown.
  let truth: Truth?

  /// The outputs from the largest down; among equals the earlier output comes first.
  private var ranked: [(name: String, value: Double)] {
    outputs.enumerated().sorted {
      ($1.element.value, $0.offset) < ($0.element.value, $1.offset)
    }.map(\.element)
  }

  /// The names of the labels that the sample is taken to have.
  private var taken: [String] { outputs.filter { $0.value > 0.5 }.map(\.name) }

  /// The names of the labels that the sample has; nil where they are unknown.
  private var actual: [String]? {
    guard case .values(let values)? = truth else { return nil }
    return zip(outputs, values).filter { $1 > 0.5 }.map(\.0.name)
  }

  // MARK: - Text

  /// A table of predictions.
  ///
  /// - Parameter top: the number of classes or labels to show for each sample.
  static func table(_ predictions: [Prediction], top: Int) -> Table {
    guard let criterion = predictions.first?.criterion else { return Table([Table.Column("input")]) }
    let word = criterion.givesProbabilities ? "probability" : "output"
    switch criterion.task {
    case .classes, .labels:
      var table = Table([
        Table.Column("input"), Table.Column(criterion.task == .classes ? "class" : "label"),
        Table.Column(word, .trailing),
      ])
      for prediction in predictions {
        for (rank, best) in prediction.ranked.prefix(top).enumerated() {
          table.add([rank == 0 ? prediction.title : "", best.name, NumberText.fixed(best.value, 4)])
        }
      }
      return table
    case .values:
      let hasTargets = predictions.contains { $0.truth != nil }
      var table = Table(
        [Table.Column("input"), Table.Column("output"), Table.Column("value", .trailing)]
          + (hasTargets ? [Table.Column("target", .trailing)] : []))
      for prediction in predictions {
        for (index, output) in prediction.outputs.enumerated() {
          table.add(
            [index == 0 ? prediction.name : "", output.name, NumberText.short(output.value)]
              + (hasTargets ? [prediction.target(index)] : []))
        }
      }
      return table
    }
  }

  /// The sample's name with its true class or labels.
  private var title: String {
    switch truth {
    case .label(let label): "\(name) (\(label))"
    case .values:
      if criterion.task == .labels {
        "\(name) (\((actual ?? []).isEmpty ? "none" : (actual ?? []).joined(separator: ", ")))"
      } else {
        name
      }
    case nil: name
    }
  }

  private func target(_ index: Int) -> String {
    switch truth {
    case .label(let label): label
    case .values(let values): NumberText.short(Double(values[index]))
    case nil: ""
    }
  }

  // MARK: - CSV

  /// The names of the columns, and a row for each prediction: the input, the answer, the right answer where it is known, and
  /// every output in the network's order.
  static func rows(_ predictions: [Prediction]) -> [[String]] {
    guard let first = predictions.first else { return [] }
    let names = first.outputs.map(\.name)
    var titles = ["input"]
    switch first.criterion.task {
    case .classes: titles.append("class")
    case .labels: titles.append("labels")
    case .values: break
    }
    switch first.truth {
    case .label: titles.append("label")
    case .values: titles += first.criterion.task == .labels ? ["targets"] : names.map { "target \($0)" }
    case nil: break
    }
    return [titles + names] + predictions.map(\.row)
  }

  private var row: [String] {
    var cells = [name]
    switch criterion.task {
    case .classes: cells.append(ranked[0].name)
    case .labels: cells.append(taken.joined(separator: "|"))
    case .values: break
    }
    switch truth {
    case .label(let label): cells.append(label)
    case .values(let values):
      cells += criterion.task == .labels ? [(actual ?? []).joined(separator: "|")] : values.map { "\($0)" }
    case nil: break
    }
    return cells + outputs.map { "\($0.value)" }
  }

  // MARK: - JSON

  var result: PredictionResult {
    let values = outputs.map(\.value)
    let areProbabilities = criterion.givesProbabilities
    var result = PredictionResult(input: name)
    if areProbabilities { result.probabilities = values } else { result.values = values }
    switch criterion.task {
    case .classes:
      result.class = ranked[0].name
      if areProbabilities { result.probability = ranked[0].value }
    case .labels: result.labels = taken
    case .values: break
    }
    switch truth {
    case .label(let label): result.label = label
    case .values(let values): result.targets = values.map(Double.init)
    case nil: break
    }
    return result
  }
}

/// A network's answer for one sample: the parts that suit its task, and the right answer where it is known.
struct PredictionResult: Encodable {
  let input: String
  /// The probabilities of all classes or labels.
  var probabilities: [Double]?
  /// All outputs that are not probabilities.
  var values: [Double]?
  /// The most probable class.
  var `class`: String?
  var probability: Double?
  /// The labels that the sample is taken to have.
  var labels: [String]?
  /// The right class.
  var label: String?
  /// The right values.
  var targets: [Double]?

  init(input: String) { self.input = input }
}
