internal import Datasets

/// Mirrored views of each sample, whose outputs are averaged with those of the sample as it is.
///
/// The mean is that of the network's outputs before softmax: for probabilities, a geometric mean.
public enum TestTimeFlips: String, Hashable, Sendable, CaseIterable {
  /// The sample as it is.
  case none
  /// And with left and right exchanged.
  case horizontal
  /// And with top and bottom exchanged.
  case vertical
  /// All four.
  case both

  /// Each view as steps that always happen.
  var views: [Augmentation] {
    let (left, top) = (
      AugmentationStep.flipHorizontal(probability: 1), AugmentationStep.flipVertical(probability: 1)
    )
    let mirrored: [[AugmentationStep]] =
      switch self {
      case .none: []
      case .horizontal: [[left]]
      case .vertical: [[top]]
      case .both: [[left], [top], [left, top]]
      }
    return [.none] + mirrored.map { Augmentation($0) }
  }
}
