internal import Audio
internal import Tensors

/// How sound files become samples for a network: as in its training.
final class SampleSounds {
  let handling: SoundHandling
  private let analyzer: LogMelAnalyzer
  private let cut = OneWarning()

  /// - Parameters:
  ///   - path: the checkpoint's file, for messages.
  ///   - inputShape: the network's.
  init(_ handling: SoundHandling, _ path: String, _ inputShape: Shape) throws {
    guard inputShape.elementCount == handling.count else {
      throw CommandError.badData(
        "\(path) takes inputs of \(inputShape), but its samples had \(handling.frames) frames of \(handling.spectrum.bands) bands"
      )
    }
    self.handling = handling
    analyzer = try LogMelAnalyzer(handling.spectrum)
  }

  /// A sound file as a sample; it warns of what is cut off.
  func sample(_ path: String) throws(SoundError) -> [Float] {
    let features = try features(path)
    if features.frames > handling.frames {
      cut.give(
        "\(path) has \(features.frames) frames, of which the network sees the "
          + "\(handling.fit == .center ? "middle" : "first") \(handling.frames)")
    }
    return handling.sample(of: features)
  }

  private func features(_ path: String) throws(SoundError) -> Features {
    try handling.features(of: Sound.read(path), by: analyzer, name: path)
  }
}
