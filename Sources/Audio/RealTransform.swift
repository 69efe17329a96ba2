internal import CSound

/// The Fourier transform of real samples, by KissFFT; one thread at a time.
final class RealTransform {
  /// How many samples it takes; even.
  let count: Int
  private let plan: kiss_fftr_cfg
  private var values: [kiss_fft_cpx]

  /// - Throws: ``SoundError`` where there is no memory for it.
  init(_ count: Int) throws(SoundError) {
    precondition(count > 0 && count.isMultiple(of: 2), "a transform of \(count) samples")
    guard let plan = kiss_fftr_alloc(Int32(count), 0, nil, nil) else {
      throw SoundError(.badData, "no memory for a Fourier transform of \(count) samples")
    }
    self.count = count
    self.plan = plan
    values = [kiss_fft_cpx](repeating: kiss_fft_cpx(r: 0, i: 0), count: count / 2 + 1)
  }

  deinit { csound_free_plan(plan) }

  /// The squared sizes of the frequencies from 0 to half the rate.
  ///
  /// - Parameters:
  ///   - samples: ``count`` of them.
  ///   - powers: out, `count / 2 + 1`.
  func powers(of samples: [Float], into powers: inout [Float]) {
    kiss_fftr(plan, samples, &values)
    for bin in values.indices {
      powers[bin] = values[bin].r * values[bin].r + values[bin].i * values[bin].i
    }
  }
}
