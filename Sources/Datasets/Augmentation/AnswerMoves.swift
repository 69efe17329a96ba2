public import Tensors

/// The right answer for a sample of a minibatch.
public enum MinibatchAnswer {
  /// The sample's class, counted from 0.
  case label(Int32)
  /// The sample's target: as many numbers as the network has outputs.
  case values(UnsafePointer<Float>)
}

extension Minibatch {
  /// The right answer for a sample; a vector is valid while the minibatch lives.
  public func answer(_ index: Int) -> MinibatchAnswer {
    targetValues(index).map(MinibatchAnswer.values) ?? .label(label(index))
  }
}

/// Moves answers that lie on the sample as its pixels are moved.
///
/// An answer has one number for each point, or several, channels innermost. One more may follow them, for a
/// pass, which stays where it is. A class is the number of a point.
final class AnswerMoves: Sendable {
  /// The points, with the numbers of each as channels.
  private let grid: PixelGrid
  /// How many numbers an answer has, a pass included.
  private let count: Int
  /// Whether each step moves answers.
  private let movers: [Bool]
  /// Two places for the answer of the sample, and two for that of its partner.
  private let places: [AlignedBuffer<UInt8>]

  /// - Parameters:
  ///   - augmentation: steps that are possible for the samples and answers.
  /// - Returns: nil where no step moves answers.
  init?(_ augmentation: Augmentation, _ form: AnswerForm, _ shape: Shape) {
    movers = augmentation.steps.map { $0.movesAnswers(form, on: shape) }
    guard movers.contains(true) else { return nil }
    count = form.count
    grid = PixelGrid([shape[0], shape[1], max(1, form.count / (shape[0] * shape[1]))])
    places = (0..<4).map { [count] _ in AlignedBuffer(count: count * MemoryLayout<Float>.stride) }
  }

  func isMoved(byStep index: Int) -> Bool { movers[index] }

  func moved(_ answer: MinibatchAnswer, isPartner: Bool, by moves: [Move]) -> MinibatchAnswer {
    switch answer {
    case .label(let label):
      return .label(moves.reduce(label, moved))
    case .values(let values):
      var frame = Frame<Float>(
        UnsafeRawPointer(values), places[isPartner ? 2 : 0], places[isPartner ? 3 : 1], count: count)
      for move in moves { move.apply(to: &frame, grid) }
      if frame.current != values, count > grid.count {
        (frame.writable() + grid.count).update(from: values + grid.count, count: count - grid.count)
      }
      return .values(frame.current)
    }
  }

  /// Where a class goes: a pass stays.
  private func moved(_ label: Int32, _ move: Move) -> Int32 {
    guard (0..<grid.pixelCount).contains(Int(label)), let place = move.place(of: Int(label), grid) else {
      return label
    }
    return Int32(place)
  }
}

extension AnswerForm {
  /// Mirrors answers that lie on samples, one after another, as the samples are mirrored; then turns rows into columns.
  ///
  /// That takes back a ``BoardSymmetry``, which does the same in the other order.
  /// - Parameters:
  ///   - rows: a whole number of answers.
  ///   - shape: of the samples, with whose points the answers fit.
  ///   - transposed: only for squares.
  public func mirror(
    _ rows: inout [Float], on shape: Shape, horizontally: Bool, vertically: Bool, transposed: Bool = false
  ) {
    let grid = PixelGrid([shape[0], shape[1], max(1, count / (shape[0] * shape[1]))])
    let byteCount = count * MemoryLayout<Float>.stride
    let places = (AlignedBuffer<UInt8>(count: byteCount), AlignedBuffer<UInt8>(count: byteCount))
    rows.withUnsafeMutableBufferPointer { rows in
      guard let first = rows.baseAddress else { return }
      for start in stride(from: 0, to: rows.count, by: count) {
        var frame = Frame<Float>(UnsafeRawPointer(first + start), places.0, places.1, count: count)
        if horizontally { frame.replace(grid.flipHorizontal) }
        if vertically { frame.replace(grid.flipVertical) }
        if transposed { frame.replace(grid.transpose) }
        if frame.current != first + start { (first + start).update(from: frame.current, count: grid.count) }
      }
    }
  }
}
