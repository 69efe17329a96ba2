public import ArgumentParser
internal import Datasets
public import ImageFiles
internal import Training

/// How pictures of files become samples for a network: as in its training, or as the user says.
final class SamplePictures: Sendable {
  let fit: ImageFit
  let orientation: OrientationUse
  /// Whether neither the checkpoint nor the user says how pictures are brought to the network's proportions.
  private let isGuessed: Bool
  private let warning = OneWarning()

  /// - Parameters:
  ///   - fit: nil takes that of the training, as for `orientation`.
  init(_ checkpoint: Checkpoint, fit: ImageFit?, orientation: OrientationUse?) {
    let known = checkpoint.identity.origin?.pictures
    self.fit = fit ?? known?.fit ?? .crop
    self.orientation = orientation ?? known?.orientation ?? .upright
    isGuessed = fit == nil && known == nil
  }

  /// Warns once where a picture loses its edges although nobody said so.
  func check(_ image: Image, height: Int, width: Int, path: String) {
    guard isGuessed, !image.hasProportions(height: height, width: width) else { return }
    warning.give(
      "\(path) (\(image.height)x\(image.width)) is cut to the network's proportions (\(height)x\(width)), because the checkpoint "
        + "does not say how pictures of its training were fitted; --fit crop, stretch or pad says it")
  }
}

extension ImageFit: ExpressibleByArgument {}

/// The options of how pictures become samples.
struct SamplePictureOptions: ParsableArguments {
  @Option(
    help:
      "How pictures reach the network's proportions: crop (cut off what is too long), stretch, or pad (with black); by default as in its training."
  )
  var fit: ImageFit?

  @Option(
    help: """
      Turn photographs as the camera recorded (upright), or leave their pixels as they are stored (stored); by default as in the \
      network's training.
      """)
  var orientation: OrientationUse?

  func pictures(for checkpoint: Checkpoint) -> SamplePictures {
    SamplePictures(checkpoint, fit: fit, orientation: orientation)
  }
}
