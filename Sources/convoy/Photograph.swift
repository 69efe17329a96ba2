internal import Audio
internal import Compute
internal import Datasets
internal import Digests
internal import Foundation
internal import ImageFiles
internal import Insight
internal import Networks
internal import Paths
internal import Tensors
internal import Training

extension LookContext {
  /// A file's picture.
  ///
  /// - Throws: an error that mentions `large_images` for a picture of more than 40 megapixels, unless those are wanted.
  func picture(_ source: ImageSource) throws -> Image {
    try pictures.check()
    do {
      return try ImageFile.read(
        source.path, orientation: samples.orientation,
        pixelLimit: readsLargeImages ? ImageFile.defaultPixelLimit * 10 : 40_000_000)
    } catch {
      guard error.kind == .badData, error.description.contains("too large") else { throw error }
      throw CommandError.badData(
        "\(error); --large-images (`large_images` in a configuration) reads larger ones")
    }
  }

  /// A picture of a sample, of its kernels or its maps, as people look at it: a sound's time goes to the right, its frequency upwards.
  func oriented(_ image: Image) -> Image { subject.oriented(image) }

  /// The same of a map over a sample.
  func oriented(_ map: Explanation.Map) -> Explanation.Map { subject.drawsSpectra ? map.asSpectrum : map }

  /// A sound file as the network takes it, drawn, and its numbers in 0…1.
  private func prepared(_ sound: String, _ handling: SoundHandling) throws -> (
    picture: Image, pixels: [Float]
  ) {
    _ = try subject.imageShape()
    let sample = try SampleSounds(handling, title, subject.network.inputShape).sample(sound)
    let pixels = sample.map { ($0 - subject.range.low) / subject.range.width }
    return (subject.picture(pixels), pixels)
  }

  /// The picture, brought to the network's own proportions and size, and its pixels in 0…1; for a network of sounds, a sound file.
  func prepared(_ source: ImageSource) throws -> (picture: Image, pixels: [Float]) {
    if let handling = checkpoint.identity.origin?.sounds { return try prepared(source.path, handling) }
    let (picture, shape) = (try picture(source), try subject.imageShape())
    samples.check(picture, height: shape[0], width: shape[1], path: source.path)
    let (pixels, note) = try subject.prepare(picture, fit: samples.fit)
    if let note { TerminalOutput.warn("\(source.path) \(note)") }
    return (subject.picture(pixels), pixels)
  }

  /// The pixels from which an ascent starts; nil where it does not start from a file's picture.
  func pixels(of start: ImageStart) throws -> [Float]? {
    switch start {
    case .noise, .grey, .black: nil
    case .image(let source): try prepared(source).pixels
    }
  }

  /// The picture at a size of its own, in the network's channels.
  ///
  /// - Parameters:
  ///   - side: the longest that the longer side may be, in pixels; nil keeps the size.
  ///   - enlarging: whether a smaller picture is enlarged to it.
  func photograph(_ source: ImageSource, side: Int?, enlarging: Bool = false) throws -> FloatImage {
    let (picture, note) = try subject.withOwnChannels(try picture(source))
    if let note { TerminalOutput.warn("\(source.path) \(note)") }
    let image = FloatImage(picture)
    let longer = max(image.height, image.width)
    guard let side, longer > side || (enlarging && longer < side) else { return image }
    let scale = Double(side) / Double(longer)
    return image.resized(
      height: max(1, Int((Double(image.height) * scale).rounded())),
      width: max(1, Int((Double(image.width) * scale).rounded())))
  }
}

extension ImageSource {
  /// SHA-256 of the file, in hexadecimal.
  func digest() throws -> String {
    let bytes: [UInt8]
    do { bytes = try WholeFile.read(path, limit: .max) } catch {
      throw CommandError.missing("cannot read \(path): \(error)")
    }
    return SHA256.digest(of: bytes).hexadecimal
  }
}

/// Checks for pictures that are processed at a size of their own.
enum Photograph {
  /// Refuses work that does not fit into the free memory.
  static func checkMemory(_ byteCount: Int, advice: String) throws {
    if let problem = MemoryDemand.problem(byteCount, of: "this", advice: advice) {
      throw CommandError.badData(problem)
    }
  }

  /// Refuses a picture that is too small for a layer, and warns of one that is smaller than a layer's receptive field.
  static func checkSize(
    _ path: String, _ image: FloatImage, _ layers: [WeightedLayer], _ subject: Subject
  ) throws {
    for layer in layers { _ = try subject.layerWithMaps(layer.name) }
    let network = subject.network
    do {
      _ = try LayerTrace.shapes(
        of: network, for: layers.map { LayerTap($0.name) },
        imageShape: [image.height, image.width, image.channels])
    } catch let error as NetworkError {
      throw CommandError.badData("\(path) (\(image.height)x\(image.width)) is too small: \(error)")
    }
    let fields = layers.compactMap { layer in
      ReceptiveField.size(of: layer.name, in: network).map { (layer.name, $0) }
    }
    guard let largest = fields.max(by: { $0.1.height < $1.1.height }),
      min(image.height, image.width) < min(largest.1.height, largest.1.width)
    else { return }
    TerminalOutput.warn(
      "\(path) (\(image.height)x\(image.width)) is smaller than the part that one value of '\(largest.0)' sees "
        + "(\(largest.1.height)x\(largest.1.width))")
  }
}
