internal import Foundation

/// Logarithmic spectra of bands, frame by frame.
///
/// Frame `t` of a sound `x` lies around sample `t·hop`, beyond whose ends there is silence:
///
///     X(t, k) = Σ_n w(n) x(t·hop + n − transform/2) exp(−2πi k n / transform)      n = 0 … transform − 1
///     S(t, b) = Σ_k mel(b, k) |X(t, k)|²
///     F(t, b) = ln max(S(t, b), 10⁻¹⁰, max S · 10^(−range/10))
///
/// with the periodic Hann window `w(n) = ½ − ½ cos(2πn / window)` in the middle of the transform, and
/// `1 + samples / hop` frames. This is `librosa.feature.melspectrogram(center=True, pad_mode="constant", power=2)` and
/// `librosa.power_to_db(ref=1, top_db=range)` times ln 10 / 10.
public struct LogMel: Hashable, Sendable {
  /// Samples of a second.
  public var rate: Int
  /// Samples of a window.
  public var window: Int
  /// Samples from one frame to the next.
  public var hop: Int
  /// Samples of a Fourier transform, even and at least the window's.
  public var transform: Int
  /// How many bands there are.
  public var bands: Int
  /// The lowest frequency, in hertz.
  public var low: Double
  /// The highest frequency, in hertz, at most half the rate.
  public var high: Double
  /// How heights of tones follow from frequencies.
  public var scale: MelScale
  /// How many decibels below the loudest band of a sound everything else is lifted to; nil lifts nothing.
  ///
  /// Recordings that were silenced by hand have zeros where others have noise, which tells who made them.
  public var range: Double?

  /// The least power whose logarithm is taken.
  static let leastPower: Float = 1e-10

  /// Windows of 25 ms every 10 ms, and the frequencies up to half the rate.
  public init(
    rate: Int, window: Int? = nil, hop: Int? = nil, transform: Int? = nil, bands: Int = 40, low: Double = 0,
    high: Double? = nil, scale: MelScale = .slaney, range: Double? = 80
  ) {
    self.rate = rate
    self.window = window ?? max(2, Int((0.025 * Double(rate)).rounded()))
    self.hop = hop ?? max(1, Int((0.01 * Double(rate)).rounded()))
    var least = 2
    while least < self.window { least *= 2 }
    self.transform = transform ?? least
    self.bands = bands
    self.low = low
    self.high = high ?? Double(rate) / 2
    self.scale = scale
    self.range = range
  }

  /// How many frames a sound of so many samples has.
  public func frames(ofSamples count: Int) -> Int { 1 + count / hop }

  /// The numbers of bands that have no frequency of the transform in them, from 1.
  ///
  /// Their value would be the same for every sound; a longer transform, or fewer bands, helps.
  public var emptyBands: [Int] {
    MelFilters(scale, bands: bands, rate: rate, transform: transform, low: low, high: high)
      .bands.enumerated().filter { $0.element.weights.isEmpty }.map { $0.offset + 1 }
  }
}

/// Computes logarithmic spectra; one thread at a time.
public final class LogMelAnalyzer {
  /// What is computed.
  public let settings: LogMel
  private let filters: MelFilters
  private let transform: RealTransform
  private let window: [Float]
  private var frame: [Float]
  private var powers: [Float]

  /// - Throws: ``SoundError`` where there is no memory for it.
  public init(_ settings: LogMel) throws(SoundError) {
    precondition(settings.transform >= settings.window, "a window is longer than its transform")
    self.settings = settings
    filters = MelFilters(
      settings.scale, bands: settings.bands, rate: settings.rate, transform: settings.transform,
      low: settings.low, high: settings.high)
    transform = try RealTransform(settings.transform)
    window = (0..<settings.window).map {
      Float(0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(settings.window)))
    }
    frame = [Float](repeating: 0, count: settings.transform)
    powers = [Float](repeating: 0, count: settings.transform / 2 + 1)
  }

  /// The logarithms, frame by frame, of a sound at the settings' rate.
  public func features(of sound: Sound) -> Features {
    precondition(sound.rate == settings.rate, "a sound at \(sound.rate) samples a second")
    let frames = settings.frames(ofSamples: sound.samples.count)
    var values = [Float](repeating: 0, count: frames * settings.bands)
    let margin = (settings.transform - settings.window) / 2
    for index in 0..<frames {
      let start = index * settings.hop - settings.transform / 2 + margin
      for place in 0..<settings.window {
        let source = start + place
        let sample = sound.samples.indices.contains(source) ? sound.samples[source] : 0
        frame[margin + place] = window[place] * sample
      }
      transform.powers(of: frame, into: &powers)
      for (band, filter) in filters.bands.enumerated() {
        var sum: Float = 0
        for (place, weight) in filter.weights.enumerated() { sum += weight * powers[filter.first + place] }
        values[index * settings.bands + band] = sum
      }
    }
    var floor = LogMel.leastPower
    if let range = settings.range, let most = values.max() {
      floor = max(floor, Float(Double(most) * pow(10, -range / 10)))
    }
    for place in values.indices { values[place] = log(max(values[place], floor)) }
    return Features(frames: frames, bands: settings.bands, channels: 1, values: values)
  }
}

/// Numbers of frames, bands and channels: the features themselves, and their changes.
public struct Features: Sendable, Equatable {
  /// How many frames there are.
  public let frames: Int
  /// How many bands a frame has.
  public let bands: Int
  /// How many numbers a band has.
  public let channels: Int
  /// The numbers: frame by frame, band by band, `[frames, bands, channels]`.
  public var values: [Float]

  /// Takes `frames · bands · channels` numbers.
  public init(frames: Int, bands: Int, channels: Int, values: [Float]) {
    precondition(values.count == frames * bands * channels, "\(values.count) numbers for \(frames) frames")
    (self.frames, self.bands, self.channels, self.values) = (frames, bands, channels, values)
  }

  /// The features of one channel with their changes (Δ), and the changes' changes (ΔΔ), as further channels.
  ///
  ///     Δ(t) = Σ_n n (F(t + n) − F(t − n)) / (2 Σ_n n²)          n = 1, 2
  ///
  /// Before the first and after the last frame, these are repeated. It is the regression of the Hidden Markov Model Toolkit, and
  /// `librosa.feature.delta(width=5, mode="nearest")`, applied once or twice.
  ///
  /// - Parameter order: 0 for none, 1 for Δ, 2 for Δ and ΔΔ.
  public func withChanges(order: Int) -> Features {
    precondition(channels == 1 && (0...2).contains(order), "changes of order \(order)")
    var parts = [values]
    for _ in 0..<order { parts.append(changes(of: parts[parts.count - 1])) }
    var all = [Float](repeating: 0, count: values.count * parts.count)
    for (channel, part) in parts.enumerated() {
      for (place, value) in part.enumerated() { all[place * parts.count + channel] = value }
    }
    return Features(frames: frames, bands: bands, channels: parts.count, values: all)
  }

  private func changes(of values: [Float]) -> [Float] {
    func at(_ frame: Int, _ band: Int) -> Float { values[min(max(frame, 0), frames - 1) * bands + band] }
    var result = [Float](repeating: 0, count: values.count)
    for frame in 0..<frames {
      for band in 0..<bands {
        let near = at(frame + 1, band) - at(frame - 1, band)
        let far = at(frame + 2, band) - at(frame - 2, band)
        result[frame * bands + band] = (near + 2 * far) / 10
      }
    }
    return result
  }
}
