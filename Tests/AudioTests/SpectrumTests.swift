import Foundation
import Testing

@testable import Audio

private func fixture(_ name: String) -> URL {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
}

@Suite("Spectra of sounds")
struct SpectrumTests {
  /// What `Fixtures/make_spectra.py` writes.
  struct Case: Decodable {
    let rate: Int
    let bands: Int
    let transform: Int
    let mel: String
    let low: Double
    let high: Double
    let range: Double?
    let changes: Int
    let window: Int
    let hop: Int
    let samples: [Float]
    let frames: Int
    let features: [Float]
  }

  @Test("features are librosa's within 1e-4")
  func librosa() throws {
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: fixture("spectra.json")))
    #expect(cases.count == 6)
    for item in cases {
      let spectrum = LogMel(
        rate: item.rate, window: item.window, hop: item.hop, transform: item.transform, bands: item.bands,
        low: item.low, high: item.high, scale: try #require(MelScale(rawValue: item.mel)), range: item.range)
      let handling = SoundHandling(spectrum: spectrum, changes: item.changes, frames: 1)
      let found = try handling.features(
        of: Sound(rate: item.rate, samples: item.samples), by: LogMelAnalyzer(spectrum))
      #expect(found.frames == item.frames && found.bands == item.bands && found.channels == item.changes + 1)
      try #require(found.values.count == item.features.count)
      let worst = zip(found.values, item.features).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst < 1e-4, "\(item.rate) samples a second, \(item.bands) bands: \(worst)")
    }
  }

  @Test("the usual settings are windows of 25 ms every 10 ms")
  func defaults() {
    let spectrum = LogMel(rate: 16000)
    #expect(
      spectrum.window == 400 && spectrum.hop == 160 && spectrum.transform == 512 && spectrum.high == 8000)
    #expect(LogMel(rate: 8000, bands: 40).emptyBands.isEmpty)
    #expect(!LogMel(rate: 8000, bands: 200).emptyBands.isEmpty)
    #expect(LogMel(rate: 8000, transform: 1024, bands: 200).emptyBands.isEmpty)
  }

  /// A naive transform in Double, window and all.
  @Test("powers are those of the definition")
  func definition() throws {
    var random = SystemRandomNumberGenerator()
    let samples = (0..<300).map { _ in Float.random(in: -1...1, using: &random) }
    let spectrum = LogMel(rate: 1000, window: 50, hop: 20, transform: 64, bands: 6, range: nil)
    let found = try LogMelAnalyzer(spectrum).features(of: Sound(rate: 1000, samples: samples))
    let filters = MelFilters(.slaney, bands: 6, rate: 1000, transform: 64, low: 0, high: 500)
    for frame in 0..<found.frames {
      for band in 0..<6 {
        var sum = 0.0
        for (place, weight) in filters.bands[band].weights.enumerated() {
          let bin = Double(filters.bands[band].first + place)
          var (real, imaginary) = (0.0, 0.0)
          for n in 0..<50 {
            let source = frame * 20 - 32 + 7 + n
            guard samples.indices.contains(source) else { continue }
            let value = Double(samples[source]) * (0.5 - 0.5 * cos(2 * .pi * Double(n) / 50))
            real += value * cos(2 * .pi * bin * Double(n + 7) / 64)
            imaginary -= value * sin(2 * .pi * bin * Double(n + 7) / 64)
          }
          sum += Double(weight) * (real * real + imaginary * imaginary)
        }
        #expect(abs(Double(found.values[frame * 6 + band]) - log(max(sum, 1e-10))) < 1e-3)
      }
    }
  }

  @Test("samples are normalised, cut and padded as they say")
  func samples() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      let (frames, bands, changes) = (
        Int.random(in: 1...9, using: &random), 3, Int.random(in: 0...2, using: &random)
      )
      let plain = Features(
        frames: frames, bands: bands, channels: 1,
        values: (0..<frames * bands).map { _ in Float.random(in: -9...3, using: &random) })
      let features = plain.withChanges(order: changes)
      let channels = changes + 1
      let length = Int.random(in: 1...9, using: &random)
      for normalization in SoundHandling.Normalization.allCases {
        for fit in SoundHandling.Fit.allCases {
          var handling = SoundHandling(
            spectrum: LogMel(rate: 8000, bands: bands), changes: changes, frames: length, fit: fit,
            normalization: normalization)
          handling.means = (0..<bands * channels).map { Float($0) }
          handling.deviations = (0..<bands * channels).map { Float($0 + 2) }
          var rows = (0..<frames).map { frame in
            Array(features.values[frame * bands * channels..<(frame + 1) * bands * channels]).map {
              Double($0)
            }
          }
          for channel in 0..<channels where normalization == .utterance {
            let all = rows.flatMap { row in row.indices.filter { $0 % channels == channel }.map { row[$0] } }
            let mean = all.reduce(0, +) / Double(all.count)
            let deviation = max(
              1e-5, (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)).squareRoot())
            for row in rows.indices {
              for place in rows[row].indices where place % channels == channel {
                rows[row][place] = (rows[row][place] - mean) / deviation
              }
            }
          }
          if normalization == .global {
            rows = rows.map { $0.enumerated().map { ($1 - Double($0)) / Double($0 + 2) } }
          }
          // One row at a time: from the end that is longer, or the same, last.
          if fit == .center {
            let cut = max(0, rows.count - length)
            rows = Array(rows[(cut / 2)..<(rows.count - (cut - cut / 2))])
            let missing = length - rows.count
            let zeros = [Double](repeating: 0, count: bands * channels)
            rows =
              Array(repeating: zeros, count: missing / 2) + rows
              + Array(repeating: zeros, count: missing - missing / 2)
          } else {
            rows = Array(rows.prefix(length))
            while rows.count < length { rows.append([Double](repeating: 0, count: bands * channels)) }
          }
          let sample = handling.sample(of: features)
          let expected = rows.flatMap { $0 }
          #expect(sample.count == expected.count)
          #expect(zip(sample, expected).allSatisfy { abs(Double($0) - $1) < 1e-4 })
        }
      }
    }
  }

  @Test("settings come back from their pairs, and impossible ones do not")
  func pairs() {
    for normalization in SoundHandling.Normalization.allCases {
      for range in [nil, 37.5] as [Double?] {
        var handling = SoundHandling(
          spectrum: LogMel(rate: 16000, bands: 2, low: 20, high: 7000.5, scale: .htk, range: range),
          changes: 1,
          frames: 98, fit: .start, normalization: normalization)
        if normalization == .global {
          handling.means = [1.5, -2.25, 0.1, 3e-5]
          handling.deviations = [0.3, 1, 7, 2.5e-4]
        }
        #expect(SoundHandling(pairs: handling.pairs) == handling)
        for place in handling.pairs.indices {
          var pairs = handling.pairs
          pairs.remove(at: place)
          #expect(SoundHandling(pairs: pairs) == nil)
        }
        for wrong in [
          "rate=0", "window=9999999", "bands=-1", "transform=7", "high=9000", "mel=bark", "range=-3",
        ] {
          let key = wrong.prefix { $0 != "=" }
          let pairs = handling.pairs.map { $0.hasPrefix("\(key)=") ? wrong : $0 }
          #expect(SoundHandling(pairs: pairs) == nil, "\(wrong)")
        }
      }
    }
  }
}

@Suite("Sound files")
struct SoundFileTests {
  private func expected() throws -> [Float] {
    try JSONDecoder().decode([Float].self, from: Data(contentsOf: fixture("mono.json")))
  }

  @Test("WAV, FLAC, AIFF and floats give the samples, OGG nearly, and two channels their mean")
  func formats() throws {
    let expected = try expected()
    for name in ["mono.wav", "mono.flac", "float.wav", "mono.aiff", "stereo.wav"] {
      let sound = try Sound.read(fixture(name).path)
      #expect(sound.rate == 8000 && sound.samples.count == expected.count)
      #expect(zip(sound.samples, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
    }
    let packed = try Sound.read(fixture("mono.ogg").path)
    #expect(packed.samples.count == expected.count)
    let error = zip(packed.samples, expected).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    let power = expected.reduce(0) { $0 + Double($1 * $1) }
    #expect(error < 0.05 * power)
    #expect(Sound.isSound(path: "a/b.WAV") && !Sound.isSound(path: "wav") && !Sound.isSound(path: "a.txt"))
  }

  @Test("files that are no sound, or damaged anywhere, are refused or read, and never end the process")
  func damage() throws {
    #expect(throws: SoundError.self) { try Sound.read("/nowhere/at/all.wav") }
    #expect(throws: SoundError.self) { try Sound.read([], name: "empty") }
    #expect(throws: SoundError.self) { try Sound.read(Array("no sound at all".utf8), name: "text") }
    for name in ["mono.wav", "mono.flac", "mono.ogg", "mono.aiff", "float.wav"] {
      let bytes = try [UInt8](Data(contentsOf: fixture(name)))
      var generator = SystemRandomNumberGenerator()
      for _ in 0..<120 {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          damaged[Int.random(in: 0..<min(damaged.count, 300), using: &generator)] = UInt8.random(
            in: 0...255, using: &generator)
        }
        if Bool.random(using: &generator) {
          damaged.removeLast(Int.random(in: 0..<damaged.count, using: &generator))
        }
        do {
          let sound = try Sound.read(damaged, name: name)
          #expect(sound.rate > 0 && !sound.samples.isEmpty && sound.samples.allSatisfy(\.isFinite))
        } catch {
          #expect(!error.description.contains("\n"))
        }
      }
    }
  }

  @Test("a tone keeps its height and loudness at another rate")
  func rates() throws {
    for (from, to) in [(44100, 16000), (8000, 16000), (16000, 8000), (22050, 22050)] {
      let samples = (0..<from / 2).map { Float(0.5 * sin(2 * .pi * 440 * Double($0) / Double(from))) }
      let sound = try Sound(rate: from, samples: samples).resampled(to: to)
      #expect(sound.rate == to)
      #expect(abs(sound.samples.count - to / 2) <= 2)
      // Away from the ends, where the filter sees silence.
      let middle = sound.samples[(to / 8)..<(3 * to / 8)]
      var worst = 0.0
      for (index, value) in middle.enumerated() {
        let phase = 2 * Double.pi * 440 * Double(index + to / 8) / Double(to)
        worst = max(worst, abs(Double(value) - 0.5 * sin(phase)))
      }
      #expect(worst < 0.01, "\(from) to \(to): \(worst)")
    }
  }
}
