public import Compute
internal import Datasets

/// ``ClassWeights`` for a data set, where they apply.
///
/// Where each sample has one class, given by a label or by shares of classes, a weight multiplies the losses of a class's samples;
/// of shares the largest decides, as for Keras's `class_weight`. Of several labels each has its weight in the mean over them.
struct LossWeights: Hashable, Sendable {
  /// The weight of each class's samples; empty stands for 1 each.
  var ofClasses: [Double] = []
  /// The weight of each label in the mean over labels; empty stands for 1 each.
  var ofOutputs: [Double] = []

  static let even = LossWeights()

  init() {}

  /// - Throws: ``TrainingError`` of kind `configuration` where the weights do not fit the data.
  init(_ weights: ClassWeights, _ criterion: Criterion, _ dataset: ImageDataset, outputs: Int)
    throws(TrainingError)
  {
    let isByClass = criterion.weighsByClass
    switch weights {
    case .equal: return
    case .given(let list):
      let expected = criterion.targets == .classes && outputs == 1 ? max(2, dataset.classCount) : outputs
      guard list.count == expected else {
        throw TrainingError(
          .configuration,
          "training.loss: class_weights has \(list.count) numbers, but there are \(expected) classes")
      }
      if isByClass { ofClasses = list } else { ofOutputs = list }
    case .balanced:
      guard isByClass else {
        throw TrainingError(
          .configuration,
          "training.loss: class_weights: balanced needs one class for each sample, but \(dataset.path) has several labels; "
            + "give a list of numbers")
      }
      let counts = dataset.mainClassCounts()
      let present = counts.filter { $0 > 0 }.count
      ofClasses = (0..<max(outputs, counts.count)).map { index in
        let count = index < counts.count ? counts[index] : 0
        return count == 0 ? 0 : Double(dataset.count) / (Double(present) * Double(count))
      }
    }
  }
}

extension Criterion {
  /// Whether weights of classes are those of samples, each of which is of one class, and not of several labels.
  public var weighsByClass: Bool { targets == .classes || task == .classes }
}
