import Foundation
import Tensors
import Testing

@testable import Datasets

/// A minibatch in memory.
private func minibatch<T: PixelValue>(
  _ samples: [[T]], _ shape: Shape, rows: [Int32]? = nil, epoch: Int = 0, position: Int = 0
) -> Minibatch {
  let bytes = samples.flatMap { sample in sample.withUnsafeBytes { Array($0) } }
  return Minibatch(
    epoch: epoch, position: position, isLastOfEpoch: true,
    pixelType: T.self == UInt8.self ? .uint8 : .float32, sampleShape: shape,
    sampleIndices: rows ?? samples.indices.map { Int32($0) },
    labels: samples.indices.map { Int32($0 % 10) },
    sampleByteCount: shape.elementCount * MemoryLayout<T>.stride, pixels: .own(AlignedBuffer(bytes)))
}

private func varied<T: PixelValue>(
  _ augmenter: Augmenter, _ minibatch: Minibatch, _ index: Int, _: T.Type
) -> [T] {
  let pixels = augmenter.pixels(index, of: minibatch).assumingMemoryBound(to: T.self)
  return Array(UnsafeBufferPointer(start: pixels, count: minibatch.sampleShape.elementCount))
}

@Suite("augmentation: whole samples")
struct AugmenterTests {
  private let everything = Augmentation([
    .flipHorizontal(Flip(probability: 0.5)), .flipVertical(Flip(probability: 0.3)),
    .padAndCrop(PadAndCrop(padding: .init(rows: 2, columns: 3), border: .reflect)),
    .affine(RandomAffine(degrees: 20, translate: 0.1, scale: 0.8...1.2, shear: 5, border: .edge)),
    .brightness(strength: 0.3), .contrast(strength: 0.3), .saturation(strength: 0.5),
    .boardSymmetry(RandomSymmetry()),
    .mixup(Mixup(alpha: 0.4, probability: 0.5)), .cutmix(CutMix(alpha: 1, probability: 0.7)),
    .cutout(Cutout(size: .init(rows: 3, columns: 2), fill: 9, probability: 0.5)),
    .mask(SpectrumMask(rows: 3, columns: 2, count: 2, fill: 4)), .noise(deviation: 1.5), .gain(strength: 2),
    .randomErasing(RandomErasing()),
  ])

  private func checkPure<T: PixelValue>(_: T.Type) {
    let shape: Shape = [9, 9, 3]
    let samples = (0..<7).map { sample(shape, T.self, salt: $0) }
    let batch = minibatch(samples, shape, rows: [40, 3, 999, 7, 8, 100_000, 1], epoch: 5, position: 14)
    let (one, two) = (
      Augmenter(everything, sampleShape: shape, seed: 3), Augmenter(everything, sampleShape: shape, seed: 3)
    )
    let forward = (0..<7).map { varied(one, batch, $0, T.self) }
    let backward = (0..<7).reversed().map { varied(two, batch, $0, T.self) }
    #expect(forward == backward.reversed())
    #expect(zip(forward, samples).allSatisfy { $0 != $1 })
    let mixtures = (0..<7).map { (one.mixture($0, of: batch), two.mixture($0, of: batch)) }
    #expect(mixtures.allSatisfy { $0?.partner == $1?.partner && $0?.share == $1?.share })
    #expect(Set(mixtures.map { $0.0?.share }).count > 3, "hardly any sample was mixed")
    let otherSeed = Augmenter(everything, sampleShape: shape, seed: 4)
    #expect(varied(otherSeed, batch, 0, T.self) != forward[0])
    let nextEpoch = minibatch(samples, shape, rows: [40, 3, 999, 7, 8, 100_000, 1], epoch: 6, position: 14)
    #expect(varied(one, nextEpoch, 0, T.self) != forward[0])
    // The minibatch itself is never changed.
    #expect(batch.bytes == samples.flatMap { sample in sample.withUnsafeBytes { Array($0) } })
  }

  @Test("a varied sample is a pure function of seed, epoch and sample, whoever asks and when")
  func pure() {
    checkPure(UInt8.self)
    checkPure(Float.self)
  }

  @Test("where a sample stands in the order changes nothing unless it is mixed")
  func rowKeyed() {
    let shape: Shape = [6, 6, 1]
    let augmentation = Augmentation([
      .flipHorizontal(Flip(probability: 0.5)),
      .padAndCrop(PadAndCrop(padding: .init(rows: 2, columns: 2), border: .zero)),
      .randomErasing(RandomErasing()),
    ])
    let augmenter = Augmenter(augmentation, sampleShape: shape, seed: 0)
    let samples = (0..<20).map { sample(shape, UInt8.self, salt: $0) }
    let straight = minibatch(samples, shape)
    let turned = minibatch(
      samples.reversed(), shape, rows: (0..<20).reversed().map { Int32($0) }, position: 60)
    let variants = (0..<20).map { varied(augmenter, straight, $0, UInt8.self) }
    #expect(variants == (0..<20).map { varied(augmenter, turned, 19 - $0, UInt8.self) })
    #expect(zip(variants, samples).count { $0 != $1 } > 10, "hardly any sample was varied")
  }

  @Test("crop offsets are uniform and steps draw independently of each other")
  func offsets() {
    // One bright pixel in the middle tells the offset; the flip mirrors it first.
    let shape: Shape = [7, 7, 1]
    let samples = [[UInt8](repeating: 0, count: 24) + [200] + [UInt8](repeating: 0, count: 24)]
    let augmentation = Augmentation([
      .padAndCrop(PadAndCrop(padding: .init(rows: 2, columns: 1), border: .zero))
    ])
    let augmenter = Augmenter(augmentation, sampleShape: shape, seed: 9)
    var counts: [Int: Int] = [:]
    let draws = 15 * 200
    for row in 0..<draws {
      let batch = minibatch(samples, shape, rows: [Int32(row)])
      counts[varied(augmenter, batch, 0, UInt8.self).firstIndex(of: 200) ?? -1, default: 0] += 1
    }
    #expect(
      Set(counts.keys) == Set((1...5).flatMap { row in (2...4).map { row * 7 + $0 } }))
    // Chi-squared with 14 degrees of freedom: above 36.1 once in a thousand.
    let chi = counts.values.reduce(0.0) { $0 + pow(Double($1 - 200), 2) / 200 }
    #expect(chi < 36.1)
  }

  @Test("a flip happens as often as its probability says", arguments: [0, 0.25, 1])
  func probability(probability: Double) {
    let shape: Shape = [1, 2, 1]
    let augmenter = Augmenter(
      Augmentation([.flipHorizontal(Flip(probability: probability))]), sampleShape: shape, seed: 1)
    let flips = (0..<2000).count { row in
      varied(augmenter, minibatch([[UInt8(1), 2]], shape, rows: [Int32(row)]), 0, UInt8.self) == [2, 1]
    }
    let spread = 4 * (probability * (1 - probability) * 2000).squareRoot()
    #expect(abs(Double(flips) - probability * 2000) <= spread)
  }

  @Test("erasing fills one rectangle of the asked area and proportions, and nothing else", arguments: [1, 3])
  func erasing(channels: Int) {
    let shape: Shape = [20, 24, channels]
    let erasing = RandomErasing(probability: 1, area: 0.1...0.2, aspect: 0.5...2, fill: .value(255))
    let augmenter = Augmenter(Augmentation([.randomErasing(erasing)]), sampleShape: shape, seed: 2)
    let source = [UInt8](repeating: 1, count: shape.elementCount)
    for row in 0..<50 {
      let result = varied(augmenter, minibatch([source], shape, rows: [Int32(row)]), 0, UInt8.self)
      let filled = result.indices.filter { result[$0] == 255 }
      let rows = Set(filled.map { $0 / (24 * channels) })
      let columns = Set(filled.map { $0 / channels % 24 })
      #expect(filled.count == rows.count * columns.count * channels)
      #expect(result.count { $0 == 1 } + filled.count == result.count)
      let (height, width) = (Double(rows.count), Double(columns.count))
      // Sides are rounded to whole pixels.
      #expect((height - 0.5) * (width - 0.5) <= 0.2 * 480 && (height + 0.5) * (width + 0.5) >= 0.1 * 480)
      #expect((height - 0.5) / (width + 0.5) <= 2 && (height + 0.5) / (width - 0.5) >= 0.5)
    }
  }

  @Test("random filling stays in the sample's range and differs from pixel to pixel")
  func randomFill() {
    let shape: Shape = [16, 16, 1]
    let erasing = RandomErasing(probability: 1, area: 0.3...0.3, aspect: 1...1, fill: .random)
    let augmenter = Augmenter(Augmentation([.randomErasing(erasing)]), sampleShape: shape, seed: 2)
    let floats = (0..<256).map { Float($0) / 64 - 2 }
    let result = varied(augmenter, minibatch([floats], shape), 0, Float.self)
    let new = zip(result, floats).filter { $0 != $1 }.map(\.0)
    #expect(new.count == 81 && Set(new).count > 75)
    #expect(new.allSatisfy { $0 >= -2 && $0 <= 2 })
    let bytes = varied(augmenter, minibatch([[UInt8](repeating: 0, count: 256)], shape), 0, UInt8.self)
    #expect(Set(bytes).count > 50 && (bytes.max() ?? 0) > 200)
  }

  @Test("cutout's square lies around every pixel alike and is cut off at the edges")
  func cutout() {
    let shape: Shape = [5, 4, 1]
    let augmenter = Augmenter(
      Augmentation([.cutout(Cutout(size: .init(rows: 3, columns: 2), fill: 0, probability: 1))]),
      sampleShape: shape,
      seed: 2)
    let source = [UInt8](repeating: 8, count: 20)
    var seen = Set<[UInt8]>()
    for row in 0..<600 {
      seen.insert(varied(augmenter, minibatch([source], shape, rows: [Int32(row)]), 0, UInt8.self))
    }
    var expected = Set<[UInt8]>()
    for centreRow in 0..<5 {
      for centreColumn in 0..<4 {
        var image = source
        for row in max(0, centreRow - 1)...min(4, centreRow + 1) {
          for column in max(0, centreColumn - 1)...centreColumn { image[4 * row + column] = 0 }
        }
        expected.insert(image)
      }
    }
    #expect(seen == expected)
  }

  @Test(
    "partners are another sample each, and every sample is the partner of one", arguments: [2, 3, 8, 128])
  func partners(count: Int) {
    for position in 0..<6 {
      let offset = Augmentation.partnerOffset(seed: 1, epoch: 2, position: position, count: count)
      #expect(Set((0..<count).map { ($0 + offset) % count }).count == count)
      #expect((1..<count).contains(offset))
    }
    #expect(Augmentation.partnerOffset(seed: 1, epoch: 2, position: 0, count: 1) == 0)
  }

  @Test("mixup blends the sample and its partner, each varied on its own, by the share that it reports")
  func mixup() throws {
    let shape: Shape = [4, 4, 3]
    let samples = (0..<6).map { sample(shape, UInt8.self, salt: $0) }
    let batch = minibatch(samples, shape, rows: [10, 11, 12, 13, 14, 15], epoch: 1, position: 6)
    let flip = AugmentationStep.flipHorizontal(Flip(probability: 0.5))
    let alone = Augmenter(Augmentation([flip]), sampleShape: shape, seed: 7)
    let mixer = Augmenter(
      Augmentation([flip, .mixup(Mixup(alpha: 1, probability: 1))]), sampleShape: shape, seed: 7)
    let single = (0..<6).map { varied(alone, batch, $0, UInt8.self) }
    var shares: Set<Float> = []
    for index in 0..<6 {
      let (partner, share) = try #require(mixer.mixture(index, of: batch))
      #expect(partner != index)
      shares.insert(Float(share))
      let expected = zip(single[index], single[partner]).map { own, other in
        UInt8(floor(Double(share) * Double(own) + (1 - Double(share)) * Double(other) + 0.5))
      }
      #expect(varied(mixer, batch, index, UInt8.self) == expected)
    }
    #expect(shares.count == 6 && shares.allSatisfy { $0 > 0 && $0 < 1 }, "\(shares)")
    #expect(mixer.mixture(0, of: minibatch([samples[0]], shape)) == nil)
  }

  @Test("cutmix takes a rectangle of the partner and reports the share of area that is left")
  func cutmix() {
    let shape: Shape = [8, 6, 1]
    let samples = (0..<5).map { [UInt8](repeating: UInt8($0), count: 48) }
    let mixer = Augmenter(
      Augmentation([.cutmix(CutMix(alpha: 1, probability: 0.8))]), sampleShape: shape, seed: 7)
    var mixed = 0
    for position in 0..<40 {
      let batch = minibatch(
        samples, shape, rows: (0..<5).map { Int32($0 + 5 * position) }, position: position)
      for index in 0..<5 {
        let result = varied(mixer, batch, index, UInt8.self)
        guard let (partner, share) = mixer.mixture(index, of: batch) else {
          #expect(result == samples[index])
          continue
        }
        mixed += 1
        let taken = result.indices.filter { result[$0] == UInt8(partner) }
        let (rows, columns) = (Set(taken.map { $0 / 6 }), Set(taken.map { $0 % 6 }))
        #expect(taken.count == rows.count * columns.count)
        #expect(abs(Double(share) - (1 - Double(taken.count) / 48)) < 1e-4)
        #expect(result.count { $0 == UInt8(index) } + taken.count == 48)
      }
    }
    #expect((140...180).contains(mixed))
  }

  @Test("a sample is mixed at most once, by the first step that is admitted")
  func mixedOnce() {
    let shape: Shape = [4, 4, 1]
    let samples = (0..<4).map { [UInt8](repeating: UInt8(60 * $0), count: 16) }
    let batch = minibatch(samples, shape)
    let both = Augmenter(
      Augmentation([.mixup(Mixup(alpha: 1, probability: 1)), .cutmix(CutMix(alpha: 1, probability: 1))]),
      sampleShape: shape,
      seed: 7)
    let first = Augmenter(
      Augmentation([.mixup(Mixup(alpha: 1, probability: 1))]), sampleShape: shape, seed: 7)
    for index in 0..<4 {
      #expect(varied(both, batch, index, UInt8.self) == varied(first, batch, index, UInt8.self))
    }
  }

  @Test("steps say why samples do not fit them")
  func problems() {
    #expect(
      Augmentation.problem(of: .boardSymmetry(RandomSymmetry()), for: [19, 18, 48])?.contains("as many rows")
        == true)
    #expect(Augmentation.problem(of: .boardSymmetry(RandomSymmetry()), for: [19, 19, 48]) == nil)
    #expect(
      Augmentation.problem(of: .saturation(strength: 1), for: [4, 4, 1])?.contains("3 channels") == true)
    #expect(
      Augmentation.problem(of: .flipHorizontal(Flip(probability: 1)), for: [7])?.contains("images") == true)
    #expect(Augmentation.problem(of: .mixup(Mixup(alpha: 1, probability: 1)), for: [7]) == nil)
  }
}
