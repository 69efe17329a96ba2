internal import Dispatch

/// How fast samples are varied.
public enum AugmentationSpeed {
  /// How many samples one core varies per second, measured for about `seconds` on a minibatch of the
  /// dataset's first samples, at most 128.
  public static func samplesPerSecond(
    _ augmentation: Augmentation, _ dataset: ImageDataset, seed: UInt64, seconds: Double = 0.25
  ) throws -> Double {
    let minibatch = try dataset.samples(Array(0..<min(128, dataset.count)))
    let augmenter = Augmenter(augmentation, sampleShape: dataset.sampleShape, seed: seed)
    var (count, epoch, spent) = (0, 0, 0.0)
    // The first pass only warms caches.
    for index in 0..<minibatch.count { _ = augmenter.pixels(index, of: minibatch) }
    while spent < seconds {
      let start = DispatchTime.now().uptimeNanoseconds
      for _ in 0..<20 {
        let batch = minibatch.inEpoch(epoch)
        for index in 0..<batch.count { _ = augmenter.pixels(index, of: batch) }
        epoch += 1
        count += batch.count
      }
      spent += Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
    }
    return Double(count) / spent
  }
}
