internal import Compute
public import Datasets
public import ImageFiles
public import Networks
public import Parallel
internal import Tensors

/// The images of a dataset that excite a layer's filters or units most, and the mean activations over all samples.
public struct TopExamples: Sendable {
  /// A sample that excites a filter or unit, and how much.
  public struct Example: Hashable, Sendable {
    /// The row in the dataset, from 0.
    public let row: Int
    /// The sum of the filter's map or its largest value, as ranked, or the unit's value.
    public let activation: Double
    /// The place where the map is largest; nil for units.
    public let peak: Place?
  }

  /// By what samples are ranked.
  public enum Ranking: String, Hashable, Sendable, CaseIterable {
    /// By the sum over the filter's map.
    case sum
    /// By the largest value of the filter's map.
    case largest
  }

  /// Where in a feature map an activation is largest.
  public struct Place: Hashable, Sendable {
    /// The row in the map, from 0.
    public let row: Int
    /// The column in the map, from 0.
    public let column: Int
  }

  /// The layer.
  public let layer: ResolvedLayer
  /// By filter, the samples that excite it most, best first; among equals the earlier row comes first.
  public let examples: [[Example]]
  /// By filter, the mean activation over all samples, as ranked.
  public let means: [Double]
  /// By filter, the number of samples in which it is above zero somewhere, whatever the sum over its map.
  public let activeCounts: [Int]
  /// The number of samples in the dataset.
  public let sampleCount: Int

  /// Samples of one pass; the number is fixed, so that bytes do not depend on the workers.
  private static let shard = 32
  private static let chunk = 1024

  /// Runs all samples through the network.
  ///
  /// - Parameters:
  ///   - keep: how many examples to keep for each filter.
  ///   - ranking: by what samples are ranked.
  ///   - admits: is asked before each piece of work; false ends it.
  ///   - progress: is told how many samples are done.
  /// - Returns: nil where `admits` said no.
  /// - Throws: ``InsightError`` for a layer that is missing and for samples that do not fit the network.
  public init?(
    _ dataset: ImageDataset, layer name: String, in subject: Subject, keep: Int, by ranking: Ranking = .sum,
    pool: WorkerPool,
    while admits: @Sendable () -> Bool = { true }, progress: (Int) -> Void = { _ in }
  ) throws {
    let layer = try subject.layer(name)
    try subject.check(dataset)
    let tap = LayerTap(name)
    let filters = layer.outputShape.dimensions.last ?? 1
    let places = layer.outputShape.elementCount / filters
    // A sequence is an image of one row.
    let width = layer.outputShape.rank == 3 ? layer.outputShape[1] : places
    let hasMaps = layer.outputShape.rank >= 2
    var sums = [Double](repeating: 0, count: filters)
    var active = [Int](repeating: 0, count: filters)
    var best = [[Example]](repeating: [], count: filters)
    var plans: [Int: LayerTrace] = [:]
    let sessions = IndexedValues<[Int: LayerTrace.Session]>(count: pool.workerCount)
    for first in stride(from: 0, to: dataset.count, by: Self.chunk) {
      let rows = Array(first..<min(first + Self.chunk, dataset.count))
      let batch = try dataset.samples(rows, threads: pool.workerCount)
      let sharding = Sharding(sampleCount: rows.count, shardSize: Self.shard)
      for size in sharding.sizes where plans[size] == nil {
        plans[size] = try LayerTrace(
          subject.network, values: subject.values, taps: [tap], samples: size, gradient: false)
      }
      let known = plans
      let activations = AlignedBuffer<Double>(count: rows.count * filters)
      let peaks = AlignedBuffer<Int32>(count: rows.count * filters)
      let largest = AlignedBuffer<Float>(count: rows.count * filters)
      let done = try pool.forEach(in: 0..<sharding.count, while: { _ in admits() }) { shard, worker in
        let range = sharding[shard]
        guard let trace = known[range.count] else { return }
        let session = try sessions[worker]?[range.count] ?? trace.makeSession()
        sessions[worker, default: [:]][range.count] = session
        let pixels = AlignedBuffer<Float>(count: range.count * trace.imageShape.elementCount)
        batch.copyPixels(of: range, to: pixels.elements)
        try session.forward(pixels.baseAddress)
        let values = session.value(of: tap)
        for sample in range {
          for filter in 0..<filters {
            let start = (sample - range.lowerBound) * places * filters + filter
            var (sum, peak) = (0.0, 0)
            for place in 0..<places {
              let value = values[start + place * filters]
              sum += Double(value)
              if value > values[start + peak * filters] { peak = place }
            }
            let top = values[start + peak * filters]
            activations.baseAddress[sample * filters + filter] = ranking == .sum ? sum : Double(top)
            largest.baseAddress[sample * filters + filter] = top
            peaks.baseAddress[sample * filters + filter] = Int32(peak)
          }
        }
      }
      guard done == sharding.count else { return nil }
      for (index, row) in rows.enumerated() {
        for filter in 0..<filters {
          let activation = activations[index * filters + filter]
          sums[filter] += activation
          if largest[index * filters + filter] > 0 { active[filter] += 1 }
          if best[filter].count == keep, let last = best[filter].last, activation <= last.activation {
            continue
          }
          let peak = Int(peaks[index * filters + filter])
          let example = Example(
            row: row, activation: activation,
            peak: hasMaps ? Place(row: peak / width, column: peak % width) : nil)
          let place = best[filter].firstIndex { $0.activation < activation } ?? best[filter].count
          best[filter].insert(example, at: place)
          if best[filter].count > keep { best[filter].removeLast() }
        }
      }
      progress(min(first + Self.chunk, dataset.count))
    }
    self.layer = layer
    examples = best
    means = sums.map { $0 / Double(dataset.count) }
    activeCounts = active
    sampleCount = dataset.count
  }

  /// An example's picture with a frame around the receptive field of the place where its map is largest.
  public static func picture(
    _ image: Image, _ example: Example, layer: String, in network: ResolvedNetwork, scale: Int = 1
  ) -> Image {
    var result = image.converted(to: .rgb).enlarged(by: scale)
    // A sequence is drawn in rows of its own.
    guard let peak = example.peak, network.inputShape.rank == 3,
      let field = ReceptiveField(row: peak.row, column: peak.column, of: layer, in: network)
    else { return result }
    result.frame(
      rows: field.rows.lowerBound * scale..<field.rows.upperBound * scale,
      columns: field.columns.lowerBound * scale..<field.columns.upperBound * scale, color: [255, 80, 60])
    return result
  }
}
