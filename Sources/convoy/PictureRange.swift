internal import ArgumentParser
internal import Audio
internal import Datasets
internal import Insight
internal import Networks
internal import Tensors
internal import Training

/// What black and white pixels of pictures are to a network: the range of its training, or one that the user gives.
final class PictureRange: Sendable {
  /// The range of the pixels that a look makes.
  let range: PixelRange
  /// The warning before the first picture is taken; nil where nothing is in doubt.
  private let remark: String?
  /// The reason why no picture can be taken; nil where one can.
  private let refusal: String?
  private let warning = OneWarning()

  /// Decides the range.
  ///
  /// - Parameters:
  ///   - black: nil takes the value of the training, as for `white`.
  ///   - option: the option by which a user can give both.
  /// - Throws: ``CommandError`` where black is not below white.
  init(
    _ checkpoint: Checkpoint, black: Float? = nil, white: Float? = nil, option: String = "--range LOW,HIGH"
  ) throws {
    let (own, remark, refusal) = PictureRange.own(checkpoint, option)
    let (low, high) = (black ?? own.low, white ?? own.high)
    guard low < high else {
      throw CommandError.usage(
        "white must be more than black, but they are \(PixelSpan.text(high)) and \(PixelSpan.text(low)); "
          + "\(option) sets both")
    }
    range = PixelRange(low: low, high: high)
    let isSaid = black != nil && white != nil
    (self.remark, self.refusal) = isSaid ? (nil, nil) : (remark, refusal)
  }

  private static func own(
    _ checkpoint: Checkpoint, _ option: String
  ) -> (range: PixelRange, remark: String?, refusal: String?) {
    // A spectrum is drawn around its mean; nobody takes a picture for one.
    if let sounds = checkpoint.identity.origin?.sounds, sounds.normalization != .none {
      return (PixelRange(low: -3, high: 3), nil, nil)
    }
    guard let pixels = checkpoint.identity.pixels else {
      let remark =
        checkpoint.network.scalesItsInput
        ? nil
        : "the checkpoint does not say what pixels it was trained on, so pictures are taken as 0 to 255; "
          + "\(option) sets another range"
      return (.bytes, remark, nil)
    }
    guard let range = pixels.pictureRange else {
      // A network of vectors or sequences takes no picture in any range, which whoever reads one says.
      let takesPictures = checkpoint.network.inputShape.rank == 3
      return (
        pixels.low < pixels.high ? PixelRange(low: pixels.low, high: pixels.high) : .bytes, nil,
        !takesPictures
          ? nil
          : "the network was trained on \(pixels), which does not tell what black and white pixels are to it; "
            + "set them by \(option)"
      )
    }
    let remark =
      range.lowerBound < 0
      ? "pictures are scaled to \(PixelSpan.text(range.lowerBound)) to \(PixelSpan.text(range.upperBound)), because the "
        + "network was trained on \(pixels); \(option) sets another range"
      : nil
    return (PixelRange(low: range.lowerBound, high: range.upperBound), remark, nil)
  }

  /// Warns once, before the first picture is taken.
  ///
  /// - Throws: ``CommandError`` where the range of pixels is unknown.
  func check() throws {
    if let refusal { throw CommandError.usage(refusal) }
    if let remark { warning.give(remark) }
  }

  /// Bytes as the network takes them; nil where it takes bytes.
  func values(_ pixels: [UInt8]) -> [Float]? {
    guard range != .bytes else { return nil }
    return pixels.map { range.low + range.width * (Float($0) / 255) }
  }
}

extension ResolvedNetwork {
  /// Whether the first layer scales numbers as large as bytes.
  fileprivate var scalesItsInput: Bool {
    guard let first = layers.first?.spec else { return false }
    if case .normalization = first { return true }
    if case .rescale(let rescale) = first { return abs(rescale.scale) <= 1.0 / 16 }
    return false
  }
}

/// The option for what black and white pixels are to a network.
struct RangeOption: ParsableArguments {
  // A number below 0 must not be taken for an option.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What black and white pixels are to the network, such as 0,1; by default as in its training.",
      valueName: "low,high"))
  var range: String?

  private var ends: [Float]? {
    guard let range else { return nil }
    let ends = range.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low.isFinite, high.isFinite, low < high
    else {
      return nil
    }
    return [low, high]
  }

  func validate() throws {
    if let range, ends == nil {
      throw ValidationError("--range takes two numbers such as 0,255, the smaller one first, not '\(range)'")
    }
  }

  func pictures(for checkpoint: Checkpoint) throws -> PictureRange {
    try PictureRange(checkpoint, black: ends?[0], white: ends?[1])
  }
}

extension Checkpoint {
  /// Warns of samples that are much larger or smaller than those of the training.
  func warnOfPixels(_ dataset: ImageDataset) throws {
    guard let known = identity.pixels else { return }
    let pixels = try dataset.pixelSpan()
    guard pixels.isUnlike(known) else { return }
    TerminalOutput.warn(
      "the samples of \(dataset.path) are \(pixels), but the network was trained on \(known), so its figures say little"
    )
  }
}
