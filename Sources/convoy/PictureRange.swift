internal import ArgumentParser
internal import Datasets
internal import Insight
internal import Networks
internal import Synchronization
internal import Training

/// What the black and white of pictures are to a network: what it was trained on, or what somebody says.
final class PictureRange: Sendable {
  /// Pixels that a look makes up lie in it.
  let range: PixelRange
  /// What is said before a picture is taken; nil where nothing is in doubt.
  private let remark: String?
  /// Why no picture is taken; nil where one can be.
  private let refusal: String?
  private let hasRemarked = Mutex(false)

  /// - Parameters:
  ///   - black: nil for what it was in training, as is `white`.
  ///   - option: by which somebody can say both.
  /// - Throws: ``CommandError`` where black is not below white.
  init(
    _ checkpoint: Checkpoint, black: Float? = nil, white: Float? = nil, option: String = "--range LOW,HIGH"
  ) throws {
    let (own, remark, refusal) = PictureRange.own(checkpoint, option)
    let (low, high) = (black ?? own.low, white ?? own.high)
    guard low < high else {
      throw CommandError.usage(
        "white must be more than black, and they are \(PixelSpan.text(high)) and \(PixelSpan.text(low)); "
          + "\(option) says both")
    }
    range = PixelRange(low: low, high: high)
    let isSaid = black != nil && white != nil
    (self.remark, self.refusal) = isSaid ? (nil, nil) : (remark, refusal)
  }

  private static func own(
    _ checkpoint: Checkpoint, _ option: String
  ) -> (range: PixelRange, remark: String?, refusal: String?) {
    guard let pixels = checkpoint.identity.pixels else {
      let remark =
        checkpoint.network.scalesItsInput
        ? nil
        : "the checkpoint does not say what pixels it was trained on, so that those of pictures are taken as 0 to 255; "
          + "\(option) says otherwise"
      return (.bytes, remark, nil)
    }
    guard let range = pixels.pictureRange else {
      return (
        pixels.low < pixels.high ? PixelRange(low: pixels.low, high: pixels.high) : .bytes, nil,
        "the network was trained on \(pixels), which does not tell what the black and white of a picture are to it; say it "
          + "by \(option)"
      )
    }
    let remark =
      range.lowerBound < 0
      ? "pictures are brought into \(PixelSpan.text(range.lowerBound)) to \(PixelSpan.text(range.upperBound)), since the "
        + "network was trained on \(pixels); \(option) says otherwise"
      : nil
    return (PixelRange(low: range.lowerBound, high: range.upperBound), remark, nil)
  }

  /// Before the first picture is taken.
  ///
  /// - Throws: ``CommandError`` where nobody knows what its pixels are to the network.
  func check() throws {
    if let refusal { throw CommandError.usage(refusal) }
    // Once, however many pictures there are.
    let isFirst = hasRemarked.withLock { hasRemarked in
      defer { hasRemarked = true }
      return !hasRemarked
    }
    if isFirst, let remark { TerminalOutput.warn(remark) }
  }

  /// Bytes as the network takes them; nil where it takes bytes.
  func values(_ pixels: [UInt8]) -> [Float]? {
    guard range != .bytes else { return nil }
    return pixels.map { range.low + range.width * (Float($0) / 255) }
  }
}

extension ResolvedNetwork {
  /// Whether the first layer takes numbers as large as bytes.
  fileprivate var scalesItsInput: Bool {
    switch layers.first?.spec {
    case .rescale(let rescale): abs(rescale.scale) <= 1.0 / 16
    case .normalization: true
    default: false
    }
  }
}

/// What black and white are to a network.
struct RangeOption: ParsableArguments {
  // A number below 0 is no option.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What black and white are to the network, such as 0,1; as in its training by default.",
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
      throw ValidationError("--range takes two numbers like 0,255, the smaller one first, not '\(range)'")
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
      "the samples of \(dataset.path) are \(pixels), and the network was trained on \(known): figures of it say little"
    )
  }
}
