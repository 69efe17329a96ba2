internal import Datasets

/// Mirrored or turned views of each sample, whose outputs are averaged with those of the sample as it is.
///
/// The mean is that of the network's outputs before softmax: for probabilities, a geometric mean. Outputs that lie on the sample are
/// mirrored back first.
public enum TestTimeFlips: String, Hashable, Sendable, CaseIterable {
  /// The sample as it is.
  case none
  /// The sample as it is, and with left and right exchanged.
  case horizontal
  /// The sample as it is, and with top and bottom exchanged.
  case vertical
  /// The sample as it is, with either exchanged, and with both.
  case both
  /// All eight turns and reflections of a square sample.
  case eight

  /// How a view is mirrored.
  struct View {
    var horizontally = false
    var vertically = false
    /// Whether rows become columns first.
    var transposed = false
    /// Whether it is one of the eight symmetries of a board, on which answers usually lie.
    var isOfBoard = false

    /// Steps that always happen.
    func augmentation(_ answer: AnswerPlace?) -> Augmentation {
      if isOfBoard {
        let index = (transposed ? 4 : 0) + (vertically ? 2 : 0) + (horizontally ? 1 : 0)
        return Augmentation([.boardSymmetry(RandomSymmetry(answer: answer, index: index))])
      }
      let flip = Flip(probability: 1, answer: answer)
      return Augmentation(
        (horizontally ? [.flipHorizontal(flip)] : []) + (vertically ? [.flipVertical(flip)] : []))
    }
  }

  /// The sample as it is, then the others.
  var views: [View] {
    let (left, top) = (View(horizontally: true), View(vertically: true))
    return switch self {
    case .none: [View()]
    case .horizontal: [View(), left]
    case .vertical: [View(), top]
    case .both: [View(), left, top, View(horizontally: true, vertically: true)]
    case .eight:
      (0..<8).map { index in
        View(
          horizontally: index & 1 != 0, vertically: index & 2 != 0, transposed: index & 4 != 0,
          isOfBoard: true)
      }
    }
  }
}
