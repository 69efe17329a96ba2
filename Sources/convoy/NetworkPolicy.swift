internal import Datasets
internal import Go
internal import Networks
internal import Tensors
internal import Training

/// A trained network that says how probable each move is.
final class NetworkPolicy: MovePolicy {
  let size: Int
  private let encoder: PlaneEncoder
  private let predictor: Predictor
  private let flips: TestTimeFlips
  private let stop: StopRequest

  /// - Parameters:
  ///   - path: the checkpoint's file, for messages.
  ///   - flips: views of each position whose outputs are averaged.
  /// - Throws: ``CommandError`` where the network was not trained on positions of Go.
  init(_ path: String, _ checkpoint: Checkpoint, flips: TestTimeFlips, workers: Int, stop: StopRequest) throws
  {
    let shape = checkpoint.network.inputShape
    guard let planes = PlaneSet(planeNames: checkpoint.identity.channelNames) else {
      throw CommandError.badData(
        "\(path): the network was not trained on positions of Go; `convoy import sgf` makes a dataset of such")
    }
    guard shape.rank == 3, shape[0] == shape[1], BoardShape.sizes.contains(shape[0]), shape[2] == planes.count
    else { throw CommandError.badData("\(path): the network takes inputs of \(shape), which are no boards") }
    size = shape[0]
    encoder = PlaneEncoder(planes, size: size)
    predictor = try checkpoint.predictor(path, samples: 1, workers: workers)
    guard [size * size, size * size + 1].contains(predictor.outputCount),
      predictor.criterion.task == .classes
    else {
      throw CommandError.badData(
        "\(path): the network has \(counted(predictor.outputCount, "output")), but moves on this board are \(size * size + 1)")
    }
    self.flips = flips
    self.stop = stop
  }

  func probabilities(_ board: Board, for colour: Colour) throws -> [Double] {
    try probabilities(of: encoder.values(board, for: colour))
  }

  /// The probabilities for a position in planes, `[H, W, C]`; of a network without a pass, that is never made.
  func probabilities(of values: [UInt8]) throws -> [Double] {
    guard let outputs = try predictor.logits(pixels: values, stop: stop, flips: flips) else {
      throw SilentEnd(.stopped)
    }
    let probabilities = predictor.values(outputs[...])
    return probabilities.count == size * size ? probabilities + [0] : probabilities
  }
}
