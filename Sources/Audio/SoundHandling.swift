internal import Foundation

/// How sounds became the samples of a dataset, which is how other sounds become samples like these.
///
/// A sample is a picture of ``frames`` rows (time) and as many columns as there are bands (frequency), with a channel for the
/// logarithms and one each for their changes.
public struct SoundHandling: Hashable, Sendable {
  /// How numbers are brought to a common size.
  public enum Normalization: String, Sendable, CaseIterable {
    /// They stay as they are.
    case none
    /// Each channel of a sound gets the mean 0 and the deviation 1 over its frames and bands.
    case utterance
    /// Each band of each channel gets the mean 0 and the deviation 1 over all frames of the training sounds.
    case global
  }

  /// Which part of a long sound is kept, and where a short one lies.
  public enum Fit: String, Sendable, CaseIterable {
    /// The middle.
    case center
    /// The beginning.
    case start
  }

  /// The logarithmic spectra.
  public var spectrum: LogMel
  /// 0 for none, 1 for changes, 2 for changes and their changes.
  public var changes: Int
  /// How many frames a sample has.
  public var frames: Int
  /// Where a sound lies in its sample.
  public var fit: Fit
  /// How numbers are brought to a common size.
  public var normalization: Normalization
  /// For `global` the mean of each band and channel, `[bands, channels]`; otherwise empty.
  public var means: [Float]
  /// For `global` the deviation of each band and channel; otherwise empty.
  public var deviations: [Float]

  /// Takes all that decides a sample; means and deviations can follow.
  public init(
    spectrum: LogMel, changes: Int = 0, frames: Int, fit: Fit = .center,
    normalization: Normalization = .utterance, means: [Float] = [], deviations: [Float] = []
  ) {
    (self.spectrum, self.changes, self.frames, self.fit) = (spectrum, changes, frames, fit)
    (self.normalization, self.means, self.deviations) = (normalization, means, deviations)
  }

  /// How many channels a sample has.
  public var channels: Int { changes + 1 }

  /// How many numbers a sample has.
  public var count: Int { frames * spectrum.bands * channels }

  /// What lies under a deviation, so that silence does not divide by nothing.
  static let leastDeviation = 1e-5

  // MARK: - Samples

  /// A sound's features before they are normalised and brought to length.
  ///
  /// - Throws: ``SoundError`` where it cannot be resampled.
  public func features(
    of sound: Sound, by analyzer: LogMelAnalyzer, name: String = "the sound"
  ) throws(SoundError) -> Features {
    analyzer.features(of: try sound.resampled(to: spectrum.rate, name: name)).withChanges(order: changes)
  }

  /// Features as a sample, `[frames, bands, channels]`: normalised, then cut off or surrounded by zeros, which are the mean.
  public func sample(of features: Features) -> [Float] {
    let normal = normalized(features)
    let row = features.bands * features.channels
    var sample = [Float](repeating: 0, count: frames * row)
    let kept = min(frames, features.frames)
    let (source, target) =
      fit == .start ? (0, 0) : ((features.frames - kept) / 2, (frames - kept) / 2)
    sample.replaceSubrange(
      target * row..<(target + kept) * row, with: normal[source * row..<(source + kept) * row])
    return sample
  }

  private func normalized(_ features: Features) -> [Float] {
    var values = features.values
    let width = features.bands * features.channels
    switch normalization {
    case .none: break
    case .utterance:
      for channel in 0..<features.channels {
        var (sum, squares) = (0.0, 0.0)
        let places = stride(from: channel, to: values.count, by: features.channels)
        for place in places { sum += Double(values[place]) }
        let mean = sum / Double(features.frames * features.bands)
        for place in places { squares += (Double(values[place]) - mean) * (Double(values[place]) - mean) }
        let deviation = max(
          Self.leastDeviation, (squares / Double(features.frames * features.bands)).squareRoot())
        for place in places { values[place] = Float((Double(values[place]) - mean) / deviation) }
      }
    case .global:
      for place in values.indices {
        values[place] = (values[place] - means[place % width]) / deviations[place % width]
      }
    }
    return values
  }

  // MARK: - Files

  /// The name of the attribute that holds it in HDF5 files.
  public static let attribute = "sound"

  /// Its form in HDF5 files: `rate=8000`, `window=200`, ….
  public var pairs: [String] {
    var pairs = [
      "rate=\(spectrum.rate)", "window=\(spectrum.window)", "hop=\(spectrum.hop)",
      "transform=\(spectrum.transform)", "bands=\(spectrum.bands)", "low=\(spectrum.low)",
      "high=\(spectrum.high)", "mel=\(spectrum.scale.rawValue)",
      "range=\(spectrum.range.map { "\($0)" } ?? "none")", "changes=\(changes)", "frames=\(frames)",
      "fit=\(fit.rawValue)", "normalize=\(normalization.rawValue)",
    ]
    if normalization == .global {
      pairs.append("means=\(means.map { "\($0)" }.joined(separator: ","))")
      pairs.append("deviations=\(deviations.map { "\($0)" }.joined(separator: ","))")
    }
    return pairs
  }

  /// Reads that form.
  ///
  /// - Returns: nil for pairs that do not say all, or not in words and numbers that are possible.
  public init?(pairs: [String]) {
    func value(_ key: String) -> String? {
      pairs.first { $0.hasPrefix("\(key)=") }.map { String($0.dropFirst(key.count + 1)) }
    }
    func whole(_ key: String, _ range: ClosedRange<Int>) -> Int? {
      value(key).flatMap { Int($0) }.flatMap { range.contains($0) ? $0 : nil }
    }
    func number(_ key: String) -> Double? {
      value(key).flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
    }
    func list(_ key: String) -> [Float]? {
      value(key).map { $0.split(separator: ",").compactMap { Float($0) } }
    }
    guard let rate = whole("rate", 1...10_000_000), let transform = whole("transform", 2...1 << 20),
      transform.isMultiple(of: 2), let window = whole("window", 1...transform),
      let hop = whole("hop", 1...1 << 20), let bands = whole("bands", 1...4096), let low = number("low"),
      let high = number("high"), 0 <= low, low < high, high <= Double(rate) / 2,
      let scale = value("mel").flatMap(MelScale.init), let range = value("range"),
      range == "none" || (Double(range).map { $0 > 0 && $0.isFinite } ?? false),
      let changes = whole("changes", 0...2), let frames = whole("frames", 1...1 << 20),
      let fit = value("fit").flatMap(Fit.init),
      let normalization = value("normalize").flatMap(Normalization.init)
    else { return nil }
    self.init(
      spectrum: LogMel(
        rate: rate, window: window, hop: hop, transform: transform, bands: bands, low: low, high: high,
        scale: scale, range: Double(range)), changes: changes, frames: frames, fit: fit,
      normalization: normalization)
    guard normalization == .global else { return }
    guard let means = list("means"), let deviations = list("deviations"), means.count == bands * channels,
      deviations.count == means.count, deviations.allSatisfy({ $0 > 0 })
    else { return nil }
    (self.means, self.deviations) = (means, deviations)
  }
}
