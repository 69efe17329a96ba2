internal import Compute
internal import Parallel

/// Which rank updates which parameters: to each a range of slices, in the ranks' order.
///
/// The optimizer's state lies with the owner alone. Who owns what changes no bit: a slice's update depends on nothing but the slice, and
/// on norms that are added in the slices' order.
struct Ownership: Sendable {
  /// The numbers of the slices of each rank, by rank.
  let slices: [Range<Int>]
  /// The places of their parameters in the flat buffers, by rank, without gaps.
  let parameters: [Range<Int>]
  /// The places of these among what only trained parameters have, by rank, without gaps.
  let trained: [Range<Int>]
  private let rank: Int

  /// Divides slices evenly.
  ///
  /// - Parameters:
  ///   - slices: all slices in the order of their places.
  ///   - tasks: pieces of gradients that are computed at once and not divided.
  ///   - storageCount: floats of the flat buffers.
  ///   - trainedCount: floats of the buffers that only trained parameters have a place in.
  init(_ slices: [UpdateSlice], tasks: [GatheredGradients.Task], storageCount: Int, trainedCount: Int, ranks: Ranks) {
    let size = ranks.communicator.size
    rank = ranks.rank
    let inner = Set(
      tasks.flatMap { task in
        slices.indices.filter {
          slices[$0].gradientRange == nil && slices[$0].range.lowerBound > task.range.lowerBound
            && task.range.contains(slices[$0].range.lowerBound)
        }
      })
    let total = slices.reduce(0) { $0 + $1.range.count }
    var (bounds, done) = ([0], 0)
    for index in slices.indices {
      // A rank's share ends at the first slice that may be a bound and lies behind its part of all floats.
      while bounds.count < size, done * size >= total * bounds.count, !inner.contains(index) {
        bounds.append(index)
      }
      done += slices[index].range.count
    }
    while bounds.count <= size { bounds.append(slices.count) }
    self.slices = (0..<size).map { bounds[$0]..<bounds[$0 + 1] }
    let starts = bounds.map { bound in
      bound == 0 ? 0 : bound < slices.count ? slices[bound].range.lowerBound : storageCount
    }
    parameters = (0..<size).map { starts[$0]..<starts[$0 + 1] }
    let trainedStarts = bounds.map { bound in
      bound == 0 ? 0 : bound < slices.count ? slices[bound].trainedRange.lowerBound : trainedCount
    }
    trained = (0..<size).map { trainedStarts[$0]..<trainedStarts[$0 + 1] }
  }

  /// The slices that this rank updates.
  var ownSlices: Range<Int> { slices[rank] }
  /// The place of this rank's parameters among the trained ones.
  var ownTrained: Range<Int> { trained[rank] }
  /// The place of this rank's parameters in the flat buffers.
  var ownParameters: Range<Int> { parameters[rank] }

  /// The bytes of each rank's part of an array with an element for each slice.
  func sliceParts(stride: Int) -> [Range<Int>] {
    slices.map { $0.lowerBound * stride..<$0.upperBound * stride }
  }

  /// The bytes of each rank's part of a buffer of parameters.
  var parameterParts: [Range<Int>] {
    let stride = MemoryLayout<Float>.stride
    return parameters.map { $0.lowerBound * stride..<$0.upperBound * stride }
  }

  /// The bytes of each rank's part of a buffer of what trained parameters have.
  var trainedParts: [Range<Int>] {
    let stride = MemoryLayout<Float>.stride
    return trained.map { $0.lowerBound * stride..<$0.upperBound * stride }
  }
}
