internal import CSound
internal import Paths

/// Sound of one channel: samples at a rate.
public struct Sound: Sendable, Equatable {
  /// Samples of a second.
  public let rate: Int
  /// The samples; those of files lie between −1 and 1.
  public let samples: [Float]

  /// Takes samples at a rate, which is above 0.
  public init(rate: Int, samples: [Float]) {
    precondition(rate > 0, "a rate is above 0")
    (self.rate, self.samples) = (rate, samples)
  }

  /// How long it is.
  public var seconds: Double { Double(samples.count) / Double(rate) }

  /// The endings of names by which files are taken for sound.
  public static let extensions = [
    "wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "caf", "w64",
  ]

  /// Whether a file's name says that it is sound.
  public static func isSound(path: String) -> Bool {
    let lower = path.lowercased()
    return extensions.contains { lower.hasSuffix(".\($0)") }
  }

  /// The largest file that is read.
  public static let largestFile = 1 << 30
  private static let mostSamples = 1 << 28

  /// Reads a WAV, FLAC, OGG or other file that libsndfile knows.
  ///
  /// - Throws: ``SoundError`` for a file that is missing, or is not sound.
  public static func read(_ path: String) throws(SoundError) -> Sound {
    let bytes: [UInt8]
    do { bytes = try WholeFile.read(path, limit: largestFile) } catch {
      throw SoundError(.missingInput, "cannot read \(path): \(error)")
    }
    return try read(bytes, name: path)
  }

  /// Reads the bytes of such a file; several channels become their mean.
  ///
  /// - Parameter name: what messages call it.
  /// - Throws: ``SoundError`` of kind `badData` for bytes that are no sound, or end early.
  public static func read(_ bytes: [UInt8], name: String) throws(SoundError) -> Sound {
    if let shortage = SoundHeader.shortage(of: bytes) {
      throw SoundError(
        .badData,
        "\(name) ends early: it says that it has \(shortage.said) bytes of sound, and \(shortage.there) are there; fetch it again"
      )
    }
    var info = SF_INFO()
    var memory: UnsafeMutablePointer<csound_memory>?
    var result: Result<Sound, SoundError>?
    bytes.withUnsafeBufferPointer { bytes in
      let file = csound_open(bytes.baseAddress, bytes.count, &info, &memory)
      defer { csound_close(file, memory) }
      guard let file else {
        result = .failure(
          SoundError(.badData, "\(name) is not a sound file: \(String(cString: sf_strerror(nil)))"))
        return
      }
      result = read(file, info, name)
    }
    guard let result else { throw SoundError(.badData, "\(name) cannot be read") }
    return try result.get()
  }

  private static func read(_ file: OpaquePointer, _ info: SF_INFO, _ name: String) -> Result<
    Sound, SoundError
  > {
    let (channels, rate) = (Int(info.channels), Int(info.samplerate))
    guard (1...1024).contains(channels), (1...10_000_000).contains(rate) else {
      return .failure(
        SoundError(
          .badData,
          "\(name) is damaged: it claims \(channels) channel\(channels == 1 ? "" : "s") at \(rate) samples a second"
        )
      )
    }
    let framesAtOnce = max(1, (1 << 16) / channels)
    var block = [Float](repeating: 0, count: framesAtOnce * channels)
    var samples: [Float] = []
    samples.reserveCapacity(max(0, min(Int(info.frames), 1 << 22)))
    while true {
      let frames = Int(sf_readf_float(file, &block, sf_count_t(framesAtOnce)))
      if frames <= 0 { break }
      for frame in 0..<frames {
        if channels == 1 {
          samples.append(block[frame])
        } else {
          var sum: Float = 0
          for channel in 0..<channels { sum += block[frame * channels + channel] }
          samples.append(sum / Float(channels))
        }
      }
      if samples.count > mostSamples {
        return .failure(
          SoundError(.badData, "\(name) has more than \(mostSamples) samples; cut it into shorter pieces"))
      }
    }
    guard sf_error(file) == 0 else {
      return .failure(SoundError(.badData, "\(name) is damaged: \(String(cString: sf_strerror(file)))"))
    }
    guard !samples.isEmpty else { return .failure(SoundError(.badData, "\(name) has no sound in it")) }
    // Files of floats may hold anything.
    guard samples.allSatisfy(\.isFinite) else {
      return .failure(SoundError(.badData, "\(name) has samples that are not finite numbers"))
    }
    return .success(Sound(rate: rate, samples: samples))
  }

  // MARK: - Rates

  /// The same sound at another rate, by libsamplerate's best band-limited interpolation.
  ///
  /// - Throws: ``SoundError`` where the rates are more than 256 times apart.
  public func resampled(to rate: Int, name: String = "the sound") throws(SoundError) -> Sound {
    if rate == self.rate { return self }
    let ratio = Double(rate) / Double(self.rate)
    guard src_is_valid_ratio(ratio) != 0 else {
      throw SoundError(.badData, "\(name) has \(self.rate) samples a second, too far from \(rate)")
    }
    let room = Int((Double(samples.count) * ratio).rounded(.up)) + 64
    var target = [Float](repeating: 0, count: room)
    var data = SRC_DATA()
    data.src_ratio = ratio
    data.input_frames = samples.count
    data.output_frames = room
    data.end_of_input = 1
    let status = samples.withUnsafeBufferPointer { source in
      target.withUnsafeMutableBufferPointer { target in
        data.data_in = source.baseAddress
        data.data_out = target.baseAddress
        return src_simple(&data, Int32(SRC_SINC_BEST_QUALITY), 1)
      }
    }
    guard status == 0 else {
      throw SoundError(.badData, "\(name) cannot be resampled: \(String(cString: src_strerror(status)))")
    }
    let count = max(1, min(room, Int(data.output_frames_gen)))
    return Sound(rate: rate, samples: Array(target[..<count]))
  }
}
