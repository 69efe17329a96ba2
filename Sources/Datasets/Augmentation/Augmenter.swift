public import Tensors

/// Varies the samples of minibatches, one at a time, in memory of its own; every worker has one.
///
/// Steps pass the sample between two places that stay in the core's cache. Which worker asks for which sample changes nothing:
/// the result depends only on the augmentation, the seed, the minibatch and the sample's place in it.
public final class Augmenter: Sendable {
  /// The steps that it applies.
  public let augmentation: Augmentation
  private let seed: UInt64
  private let grid: PixelGrid
  /// Two places for the sample and two for its partner.
  private let places: [AlignedBuffer<UInt8>]
  /// How answers are moved; nil where no step does.
  private let answers: AnswerMoves?

  /// An augmenter for samples of one shape.
  ///
  /// - Parameters:
  ///   - sampleShape: the shape that the samples will have; every step must be possible for it and for the answers
  ///     (``Augmentation/problem(of:for:answers:key:)``).
  ///   - seed: the run's seed.
  ///   - answers: the form of the samples' answers; nil where only pixels are asked for.
  public init(_ augmentation: Augmentation, sampleShape: Shape, seed: UInt64, answers: AnswerForm? = nil) {
    for step in augmentation.steps {
      let problem =
        answers.map { Augmentation.problem(of: step, for: sampleShape, answers: $0) }
        ?? Augmentation.problem(of: step, for: sampleShape)
      precondition(problem == nil, "\(step): \(problem ?? "")")
    }
    self.augmentation = augmentation
    self.seed = seed
    grid = PixelGrid(sampleShape)
    let byteCount = sampleShape.elementCount * PixelType.float32.byteCount
    places = (0..<(augmentation.mixes ? 4 : 2)).map { _ in AlignedBuffer(count: byteCount) }
    self.answers = answers.flatMap { AnswerMoves(augmentation, $0, sampleShape) }
  }

  /// A sample as this epoch has it; valid until the next call, and while the minibatch lives.
  ///
  /// - Parameter index: the sample's place in the minibatch.
  public func pixels(_ index: Int, of minibatch: Minibatch) -> UnsafeRawPointer {
    precondition(
      minibatch.sampleShape.elementCount == grid.count,
      "expected samples of \(grid.count) numbers, got \(minibatch.sampleShape)")
    return switch minibatch.pixelType {
    case .uint8: UnsafeRawPointer(vary(index, of: minibatch, as: UInt8.self))
    case .float32: UnsafeRawPointer(vary(index, of: minibatch, as: Float.self))
    }
  }

  /// The other sample in a mixture, and the share of the sample itself; nil when it is not mixed.
  public func mixture(_ index: Int, of minibatch: Minibatch) -> (partner: Int, share: Float)? {
    guard augmentation.mixes else { return nil }
    return augmentation.mixing(index, of: minibatch, grid, seed: seed).map { ($0.partner, $0.share.float) }
  }

  /// A sample's answer as this epoch has it: moved as its pixels are.
  ///
  /// Vectors are valid while the minibatch lives, and until the next call of the same kind: for a sample
  /// itself, or for a partner.
  ///
  /// - Parameters:
  ///   - place: the sample's place in the minibatch.
  ///   - index: the place of the sample that it becomes a part of: its own, or that of the sample whose
  ///     partner it is.
  public func answer(_ place: Int, in index: Int, of minibatch: Minibatch) -> MinibatchAnswer {
    let answer = minibatch.answer(place)
    guard let answers else { return answer }
    return answers.moved(answer, isPartner: place != index, by: moves(place, in: index, of: minibatch))
  }

  /// The moves of the steps that move answers, as drawn and in order: before a mixture those of the sample
  /// itself, after it those of the mixture.
  private func moves(_ place: Int, in index: Int, of minibatch: Minibatch) -> [Move] {
    let mixing = augmentation.mixes ? augmentation.mixing(index, of: minibatch, grid, seed: seed) : nil
    return augmentation.steps.enumerated().compactMap { number, step in
      guard answers?.isMoved(byStep: number) == true else { return nil }
      let own = number < mixing?.step ?? 0 ? place : index
      var random = augmentation.stream(
        seed: seed, minibatch.epoch, row: minibatch.sampleIndices[own], step: number)
      return step.drawMove(grid, &random)
    }
  }

  private func vary<T: PixelValue>(_ index: Int, of minibatch: Minibatch, as: T.Type) -> UnsafePointer<T> {
    var frame = Frame<T>(source(index, of: minibatch, places[0]), places[0], places[1], count: grid.count)
    let mixing =
      augmentation.mixes ? augmentation.mixing(index, of: minibatch, grid, seed: seed) : nil
    let (epoch, row) = (minibatch.epoch, minibatch.sampleIndices[index])
    apply(0..<(mixing?.step ?? augmentation.steps.count), to: &frame, epoch, row)
    if let mixing {
      var partner = Frame<T>(
        source(mixing.partner, of: minibatch, places[2]), places[2], places[3], count: grid.count)
      apply(0..<mixing.step, to: &partner, epoch, minibatch.sampleIndices[mixing.partner])
      let own = frame.writable()
      switch mixing.method {
      case .blend: T.mix(own, partner.current, count: grid.count, share: mixing.share)
      case .rectangle(let rectangle): rectangle.copy(grid, from: partner.current, to: own)
      }
      apply(mixing.step + 1..<augmentation.steps.count, to: &frame, epoch, row)
    }
    return frame.current
  }

  /// A sample before all steps; one that is packed is unpacked into a place.
  private func source(
    _ index: Int, of minibatch: Minibatch, _ place: AlignedBuffer<UInt8>
  ) -> UnsafeRawPointer {
    guard minibatch.isPacked else { return minibatch.address(index) }
    minibatch.unpack(index, into: place.baseAddress)
    return UnsafeRawPointer(place.baseAddress)
  }

  private func apply<T: PixelValue>(
    _ steps: Range<Int>, to frame: inout Frame<T>, _ epoch: Int, _ row: Int32
  ) {
    for index in steps {
      let step = augmentation.steps[index]
      // Mixtures have been drawn already.
      if step.isMix { continue }
      var random = augmentation.stream(seed: seed, epoch, row: row, step: index)
      apply(step, to: &frame, &random)
    }
  }

  private func apply<T: PixelValue>(
    _ step: AugmentationStep, to frame: inout Frame<T>, _ random: inout RandomStream
  ) {
    switch step {
    case .flipHorizontal, .flipVertical, .padAndCrop, .rotate, .affine, .boardSymmetry:
      step.drawMove(grid, &random)?.apply(to: &frame, grid)
    case .brightness(let strength):
      let factor = random.factor(strength)
      T.scale(frame.writable(), count: grid.count, factor: factor, offset: 0)
    case .contrast(let strength):
      let factor = random.factor(strength)
      let mean = T.meanGrey(frame.current, count: grid.pixelCount, channels: grid.channels)
      T.scale(frame.writable(), count: grid.count, factor: factor, offset: (1 - factor) * mean)
    case .saturation(let strength):
      T.saturate(frame.writable(), count: grid.pixelCount, factor: random.factor(strength))
    case .randomErasing(let erasing):
      guard let rectangle = erasing.draw(grid, &random) else { return }
      switch erasing.fill {
      case .value(let value): rectangle.fill(grid, frame.writable(), with: T(nearest: Float(value)))
      case .random: rectangle.fillRandomly(grid, frame.writable(), &random)
      }
    case .cutout(let cutout):
      guard random.nextUniformDouble() < cutout.probability else { return }
      let rectangle = PixelRectangle(
        around: random.nextInteger(below: grid.height), random.nextInteger(below: grid.width),
        height: cutout.size.rows, width: cutout.size.columns, in: grid)
      rectangle.fill(grid, frame.writable(), with: T(nearest: Float(cutout.fill)))
    case .mixup, .cutmix:
      return
    }
  }
}

extension RandomStream {
  /// Uniform in 1 ± strength, at least 0.
  fileprivate mutating func factor(_ strength: Double) -> Double {
    max(0, uniform(1 - strength, 1 + strength))
  }
}

extension PixelRectangle {
  /// Fills the rectangle with a random number for each value.
  func fillRandomly<T: PixelValue>(
    _ grid: PixelGrid, _ pixels: UnsafeMutablePointer<T>, _ random: inout RandomStream
  ) {
    if let bytes = pixels as? UnsafeMutablePointer<UInt8> {
      for row in rows {
        let start = bytes + row * grid.stride + columns.lowerBound * grid.channels
        fillBytes(start, count: columns.count * grid.channels, &random)
      }
      return
    }
    var (low, high) = (pixels[0].float, pixels[0].float)
    for index in 1..<max(1, grid.count) {
      low = min(low, pixels[index].float)
      high = max(high, pixels[index].float)
    }
    for row in rows {
      let start = pixels + row * grid.stride + columns.lowerBound * grid.channels
      for index in 0..<columns.count * grid.channels {
        start[index] = T(nearest: low + (high - low) * random.nextUniform())
      }
    }
  }

  /// Takes four bytes from each random number.
  private func fillBytes(_ bytes: UnsafeMutablePointer<UInt8>, count: Int, _ random: inout RandomStream) {
    var word: UInt32 = 0
    for index in 0..<count {
      word = index & 3 == 0 ? random.nextUInt32() : word >> 8
      bytes[index] = UInt8(truncatingIfNeeded: word)
    }
  }
}
