public import Compute
public import Datasets
internal import Foundation
public import ImageFiles
public import Networks
public import Parallel
internal import Tensors
internal import Training

/// What a network learned, layer by layer, for one page: kernels, the image that maximises each filter, the samples that excite it
/// most, and how some samples flow through the layers.
public struct Gallery: Sendable {
  /// One filter of a convolution, or one unit of a dense layer.
  public struct Filter: Sendable {
    /// The number of the filter or unit, from 0.
    public let index: Int
    /// The name of a class for a unit of the output, else the number.
    public let label: String
    /// The kernel as a picture; nil for units.
    public let kernel: Image?
    /// The image that maximises it.
    public let maximum: Maximum
    /// That image, drawn.
    public let maximumPicture: Image
    /// The samples that excite it most, best first; an activation is the sum of the map, or the unit's value.
    public let examples: [(picture: Image, activation: Double, label: String, row: Int)]
    /// The mean activation over all samples.
    public let mean: Double
    /// The share of the samples in which its activation is above zero.
    public let activeShare: Double
  }

  /// A layer with what the page shows of it.
  public struct Room: Sendable {
    /// The layer.
    public let layer: ResolvedLayer
    /// The filters or units that are shown; empty for layers that have nothing of their own to learn.
    public let filters: [Filter]
    /// How many filters the layer has.
    public let filterCount: Int
    /// The layer's output for each of the inputs, in their order.
    public let flow: [Image]
  }

  /// A sample with the network's answer for it.
  public struct Input: Sendable {
    /// The row in the dataset, from 0.
    public let row: Int
    /// What the dataset says of the sample; empty where it says nothing.
    public let label: String
    /// The sample as a picture.
    public let picture: Image
    /// The most probable classes or labels, best first, or the first numbers; at most three.
    public let verdict: [(name: String, value: Double)]
  }

  /// The network that is shown.
  public let network: ResolvedNetwork
  /// What the network's outputs mean.
  public let task: Criterion.Task
  /// Whether they are probabilities, rather than numbers of any size.
  public let givesProbabilities: Bool
  /// The layers, in the network's order.
  public let rooms: [Room]
  /// The samples that can flow through the layers.
  public let inputs: [Input]
  /// The path of the dataset.
  let dataName: String
  /// The number of samples in the dataset.
  public let sampleCount: Int

  /// Computes everything that the page shows.
  ///
  /// - Parameters:
  ///   - start: the pixels of an ascent's starting image, in 0…1, where ``AscentSettings/start`` names one.
  ///   - admits: is asked before each piece of work; false ends it.
  ///   - progress: is told the name of each layer when its work begins.
  /// - Returns: nil where `admits` said no.
  /// - Throws: ``InsightError`` where the network takes no images or the dataset does not fit it.
  public init?(
    of subject: Subject, _ dataset: ImageDataset, _ settings: Settings, start: [Float]? = nil,
    pool: WorkerPool, while admits: @Sendable () -> Bool = { true }, progress: (String) -> Void = { _ in }
  ) throws {
    _ = try subject.imageShape()
    try subject.check(dataset)
    network = subject.network
    task = subject.criterion.task
    givesProbabilities = subject.criterion.givesProbabilities
    dataName = dataset.path
    sampleCount = dataset.count
    let rows = Self.inputRows(dataset, count: settings.inputs)
    let images = try rows.map { try dataset.pixels(row: $0, for: subject) }
    let outputs = try subject.outputs(of: images)
    inputs = rows.indices.map { index in
      let values = Array(outputs[index].enumerated())
      let ranked =
        subject.criterion.task == .values
        ? values : values.sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
      return Input(
        row: rows[index], label: subject.caption(row: rows[index], of: dataset),
        picture: subject.oriented(subject.picture(images[index])),
        verdict: ranked.prefix(3).map { (subject.classNames[$0.offset], $0.element) })
    }
    let taps = network.layers.map { LayerTap($0.name) }
    let trace = try LayerTrace(network, values: subject.values, taps: taps, gradient: false)
    let session = try trace.makeSession()
    let values = try images.map { image in
      try session.values(for: subject.units(image))
    }
    var rooms: [Room] = []
    for layer in network.layers {
      let flow = values.map { Self.flowPicture($0[LayerTap(layer.name)] ?? [], layer, subject) }
      let count = layer.outputShape.dimensions.last ?? 0
      var filters: [Filter] = []
      if layer.spec.hasFeatures {
        progress(layer.name)
        guard
          let found = try Self.filters(
            of: layer, Array(0..<min(count, settings.filters)), subject, dataset, settings, start, pool,
            admits)
        else { return nil }
        filters = found
      }
      rooms.append(Room(layer: layer, filters: filters, filterCount: count, flow: flow))
    }
    self.rooms = rooms
  }

  private static func filters(
    of layer: ResolvedLayer, _ indices: [Int], _ subject: Subject, _ dataset: ImageDataset,
    _ settings: Settings, _ start: [Float]?, _ pool: WorkerPool, _ admits: @Sendable () -> Bool
  ) throws -> [Filter]? {
    let isOutput = layer.name == subject.network.network.output.name
    let hasMaps = layer.outputShape.rank == 3
    let targets = indices.map { index -> Target in
      if hasMaps { return .filter(layer: layer.name, index: index) }
      return isOutput ? .output(index) : .neuron(layer: layer.name, index: index)
    }
    let maxima = try Maximization(subject, settings.ascent, start: start).run(
      targets, pool: pool, while: admits)
    guard maxima.count == targets.count,
      let examples = try TopExamples(
        dataset, layer: layer.name, in: subject, keep: settings.examples, pool: pool, while: admits)
    else { return nil }
    let kernels = hasMaps ? try FilterPictures(of: subject, layer: layer.name) : nil
    let side = max(subject.network.inputShape[0], subject.network.inputShape[1])
    // Frames of one pixel need room: small images are doubled before they are drawn.
    let scale = side < 64 ? 2 : 1
    return try indices.map { index in
      Filter(
        index: index, label: isOutput ? subject.classNames[index] : "\(index)",
        kernel: (kernels?.picture(index)).map(subject.oriented), maximum: maxima[index],
        maximumPicture: subject.oriented(subject.picture(maxima[index].image)),
        examples: try examples.examples[index].map { example in
          let picture = subject.picture(try dataset.pixels(row: example.row, for: subject))
          return (
            subject.oriented(
              TopExamples.picture(picture, example, layer: layer.name, in: subject.network, scale: scale)),
            example.activation, subject.caption(row: example.row, of: dataset), example.row
          )
        },
        mean: examples.means[index],
        activeShare: Double(examples.activeCounts[index]) / Double(dataset.count))
    }
  }

  // MARK: - Inputs

  /// Samples from each class in turn, the first ones of the file; without classes the first samples of the file.
  private static func inputRows(_ dataset: ImageDataset, count: Int) -> [Int] {
    if dataset.labels.isEmpty { return Array(0..<min(count, dataset.count)) }
    var byClass = [[Int]](repeating: [], count: dataset.classCount)
    for (row, label) in dataset.labels.enumerated() where byClass[Int(label)].count < count {
      byClass[Int(label)].append(row)
    }
    var rows: [Int] = []
    var round = 0
    while rows.count < min(count, dataset.count) {
      let next = byClass.compactMap { $0.indices.contains(round) ? $0[round] : nil }
      if next.isEmpty { break }
      rows += next
      round += 1
    }
    return Array(rows.prefix(count))
  }

  // MARK: - Flow

  /// All maps of a layer in a grid, or the values of a vector as squares; black is 0, or the least value where some are negative.
  private static func flowPicture(_ values: [Float], _ layer: ResolvedLayer, _ subject: Subject) -> Image {
    if layer.outputShape.rank == 3 {
      let maps = FeatureMaps(layer: layer, values: values)
      return grid((0..<maps.count).map { subject.oriented(maps.picture($0)) })
    }
    let low = min(values.min() ?? 0, 0)
    let high = max(values.max() ?? 0, low)
    let scale = high > low ? 255 / (high - low) : 0
    return grid(
      values.map {
        Image(height: 1, width: 1, channels: .grey, pixels: [Picture.level(($0 - low) * scale)])
      }, gap: 0)
  }

  private static func grid(_ tiles: [Image], gap: Int = 1) -> Image {
    guard let first = tiles.first else { return Image(height: 1, width: 1, channels: .grey, pixels: [0]) }
    var columns = 1
    while columns * columns < tiles.count * 3 { columns += 1 }
    columns = min(columns, tiles.count)
    let rows = (tiles.count + columns - 1) / columns
    let (height, width) = (first.height + gap, first.width + gap)
    let (totalHeight, totalWidth) = (rows * height - gap, columns * width - gap)
    var result = Image(
      height: totalHeight, width: totalWidth, channels: .grey,
      pixels: [UInt8](repeating: 90, count: totalHeight * totalWidth))
    for (index, tile) in tiles.enumerated() {
      result.paste(tile, at: index / columns * height, index % columns * width)
    }
    return result
  }
}

extension ImageDataset {
  /// The pixels of a sample in 0…1, scaled by the network's range.
  public func pixels(row: Int, for subject: Subject) throws -> [Float] {
    let batch = try samples([row])
    var pixels = [Float](repeating: 0, count: sampleShape.elementCount)
    pixels.withUnsafeMutableBufferPointer { batch.copyPixels(of: 0..<1, to: $0) }
    return pixels.map { ($0 - subject.range.low) / subject.range.width }
  }
}
