internal import Glibc
internal import Tensors

/// How a sample is mixed with another one of its minibatch.
struct Mixing: Sendable {
  enum Method: Sendable {
    case blend
    case rectangle(PixelRectangle)
  }

  /// The partner's place in the minibatch.
  let partner: Int
  /// What is left of the sample itself.
  let share: MixShare
  let method: Method
  /// The place in the list of steps; the steps before it vary the partner, too, with the partner's random
  /// numbers.
  let step: Int
}

extension Augmentation {
  /// How many places after a sample its partner is, counted round the minibatch: no sample is its own
  /// partner, and each is the partner of exactly one.
  ///
  /// A pure function of seed, epoch and the minibatch's place in it.
  static func partnerOffset(seed: UInt64, epoch: Int, position: Int, count: Int) -> Int {
    guard count > 1 else { return 0 }
    // A sample's streams have rows of 31 bits and few steps: the highest bit keeps these apart from them.
    var random = RandomStream(
      seed: seed, purpose: .augmentation, a: UInt64(epoch), b: 1 << 63 | UInt64(position))
    return 1 + random.nextInteger(below: count - 1)
  }

  /// What is mixed into a sample of a minibatch; nil when it stays alone.
  ///
  /// Where several mixing steps are configured, only the first that its probability admits is applied.
  func mixing(_ index: Int, of minibatch: Minibatch, _ grid: PixelGrid, seed: UInt64) -> Mixing? {
    guard minibatch.count > 1 else { return nil }
    for (step, kind) in steps.enumerated() where kind.isMix {
      var random = stream(seed: seed, minibatch.epoch, row: minibatch.sampleIndices[index], step: step)
      let offset = Self.partnerOffset(
        seed: seed, epoch: minibatch.epoch, position: minibatch.position, count: minibatch.count)
      let partner = (index + offset) % minibatch.count
      switch kind {
      case .mixup(let mixup):
        guard random.nextUniformDouble() < mixup.probability else { continue }
        return Mixing(
          partner: partner, share: MixShare(random.nextBeta(mixup.alpha)), method: .blend, step: step)
      case .cutmix(let cutmix):
        guard random.nextUniformDouble() < cutmix.probability else { continue }
        let side = (1 - random.nextBeta(cutmix.alpha)).squareRoot()
        let rectangle = PixelRectangle(
          around: random.nextInteger(below: grid.height), random.nextInteger(below: grid.width),
          height: Int(Double(grid.height) * side), width: Int(Double(grid.width) * side), in: grid)
        return Mixing(
          partner: partner,
          share: MixShare(1 - Double(rectangle.area) / Double(grid.pixelCount)),
          method: .rectangle(rectangle), step: step)
      case .flipHorizontal, .flipVertical, .padAndCrop, .rotate, .affine, .brightness, .contrast, .saturation,
        .randomErasing, .cutout, .mask, .noise, .gain, .boardSymmetry:
        continue
      }
    }
    return nil
  }

  /// The random numbers of one step for one sample.
  func stream(seed: UInt64, _ epoch: Int, row: Int32, step: Int) -> RandomStream {
    RandomStream(
      seed: seed, purpose: .augmentation, a: UInt64(epoch), b: UInt64(step) << 32 | UInt64(row))
  }
}

extension RandomStream {
  /// A number from the symmetric beta distribution, as a ratio of gamma variables in logarithms, so that small shapes do not
  /// underflow.
  ///
  /// - SeeAlso: Marsaglia & Tsang, "A Simple Method for Generating Gamma Variables", TOMS 2000.
  mutating func nextBeta(_ shape: Double) -> Double {
    let (first, second) = (nextLogGamma(shape), nextLogGamma(shape))
    return 1 / (1 + exp(second - first))
  }

  private mutating func nextLogGamma(_ shape: Double) -> Double {
    // Below 1: Gamma(a) = Gamma(a + 1)·U^(1/a).
    let boost = shape < 1 ? log(1 - nextUniformDouble()) / shape : 0
    let d = (shape < 1 ? shape + 1 : shape) - 1 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let normal = nextNormal()
      let base = 1 + c * normal
      guard base > 0 else { continue }
      let cube = base * base * base
      if log(1 - nextUniformDouble()) < normal * normal / 2 + d - d * cube + d * log(cube) {
        return log(d * cube) + boost
      }
    }
  }

  /// A number from the standard normal distribution (Box & Muller 1958).
  private mutating func nextNormal() -> Double {
    let radius = (-2 * log(1 - nextUniformDouble())).squareRoot()
    return radius * cos(2 * .pi * nextUniformDouble())
  }
}
