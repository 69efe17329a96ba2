import Foundation
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Samples of floats with a vector or a class each.
private struct Board {
  let shape: Shape
  var samples: [[Float]] = []
  var labels: [Int32] = []
  var targets: [[Float]] = []

  func minibatch(epoch: Int = 0) -> Minibatch {
    let bytes = samples.flatMap { sample in sample.withUnsafeBytes { Array($0) } }
    return Minibatch(
      epoch: epoch, position: 0, isLastOfEpoch: true, pixelType: .float32, sampleShape: shape,
      sampleIndices: samples.indices.map { Int32($0) }, labels: labels,
      sampleByteCount: shape.elementCount * 4, pixels: .own(AlignedBuffer(bytes)),
      targets: targets.isEmpty
        ? nil : TargetTable(targets.flatMap { $0 }, width: targets.first?.count ?? 1))
  }
}

private func pixels(_ augmenter: Augmenter, _ index: Int, _ minibatch: Minibatch) -> [Float] {
  let start = augmenter.pixels(index, of: minibatch).assumingMemoryBound(to: Float.self)
  return Array(UnsafeBufferPointer(start: start, count: minibatch.sampleShape.elementCount))
}

private func vector(_ answer: MinibatchAnswer, _ count: Int) -> [Float] {
  guard case .values(let values) = answer else { return [] }
  return Array(UnsafeBufferPointer(start: values, count: count))
}

private func label(_ answer: MinibatchAnswer) -> Int {
  guard case .label(let label) = answer else { return -1 }
  return Int(label)
}

/// The eight symmetries of a square of n rows, by where they send a row and a column.
private let symmetries: [@Sendable (_ row: Int, _ column: Int, _ last: Int) -> (Int, Int)] = [
  { r, c, _ in (r, c) }, { r, c, n in (r, n - c) }, { r, c, n in (n - r, c) }, { r, c, n in (n - r, n - c) },
  { r, c, _ in (c, r) }, { r, c, n in (c, n - r) }, { r, c, n in (n - c, r) }, { r, c, n in (n - c, n - r) },
]

/// The sample after a symmetry, in plain loops.
private func turned(_ sample: [Float], _ n: Int, _ planes: Int, _ symmetry: Int) -> [Float] {
  var result = sample
  for row in 0..<n {
    for column in 0..<n {
      let (toRow, toColumn) = symmetries[symmetry](row, column, n - 1)
      for plane in 0..<planes {
        result[(toRow * n + toColumn) * planes + plane] = sample[(row * n + column) * planes + plane]
      }
    }
  }
  return result
}

@Suite("augmentation: answers that lie on the sample")
struct AnswerMoveTests {
  /// Drawn boards: rows, planes of the sample, numbers for each point of the answer, whether there is a pass, a seed.
  private static let draws: [(n: Int, planes: Int, depth: Int, hasPass: Bool, seed: UInt64)] = {
    var random = SplitMix64(seed: 20)
    return (0..<24).map { index in
      (
        n: index < 3 ? [19, 9, 2][index] : Int.random(in: 2...9, using: &random),
        planes: Int.random(in: 1...4, using: &random), depth: Int.random(in: 1...3, using: &random),
        hasPass: Bool.random(using: &random), seed: random.next()
      )
    }
  }()

  private func drawBoard(_ n: Int, _ planes: Int, count: Int, _ random: inout SplitMix64) -> Board {
    Board(
      shape: [n, n, planes],
      samples: (0..<count).map { _ in
        (0..<n * n * planes).map { _ in Float.random(in: -1...1, using: &random) }
      })
  }

  @Test("each symmetry of a board turns planes, points and numbers of points together; a pass stays")
  func symmetriesOfBoards() {
    for (n, planes, depth, hasPass, seed) in Self.draws {
      var random = SplitMix64(seed: seed)
      var board = drawBoard(n, planes, count: 64, &random)
      let points = n * n
      board.labels = (0..<64).map { _ in
        Int32.random(in: 0..<Int32(points + (hasPass ? 1 : 0)), using: &random)
      }
      var numbers = board
      let width = hasPass ? points + 1 : points * depth
      numbers.targets = (0..<64).map { _ in
        (0..<width).map { _ in Float.random(in: -1...1, using: &random) }
      }
      let augmentation = Augmentation([.boardSymmetry(RandomSymmetry(answer: .board))])
      let ofClasses = Augmenter(
        augmentation, sampleShape: board.shape, seed: seed,
        answers: AnswerForm(.classes, count: points + (hasPass ? 1 : 0)))
      let ofNumbers = Augmenter(
        augmentation, sampleShape: board.shape, seed: seed, answers: AnswerForm(.numbers, count: width))
      let (classes, vectors) = (board.minibatch(epoch: 3), numbers.minibatch(epoch: 3))
      var seen: Set<Int> = []
      for index in 0..<64 {
        let result = pixels(ofClasses, index, classes)
        let symmetry = (0..<8).first { turned(board.samples[index], n, planes, $0) == result } ?? -1
        seen.insert(symmetry)
        guard symmetry >= 0 else { continue }
        let point = Int(board.labels[index])
        let (row, column) = symmetries[symmetry](point / n, point % n, n - 1)
        #expect(
          label(ofClasses.answer(index, in: index, of: classes))
            == (point == points ? point : row * n + column))
        #expect(pixels(ofNumbers, index, vectors) == result)
        let (target, found) = (
          numbers.targets[index], vector(ofNumbers.answer(index, in: index, of: vectors), width)
        )
        let own = turned(
          Array(target.prefix(points * (hasPass ? 1 : depth))), n, hasPass ? 1 : depth, symmetry)
        #expect(found == own + (hasPass ? [target[points]] : []))
      }
      #expect(seen == Set(0..<8), "\(n)×\(n): \(seen)")
    }
  }

  /// Steps that move, drawn, two or three of them.
  private func steps(_ random: inout SplitMix64, isSquare: Bool) -> [AugmentationStep] {
    func share(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &random) }
    return (0..<Int.random(in: 2...3, using: &random)).map { _ in
      let border = Border.allCases.randomElement(using: &random) ?? .zero
      switch Int.random(in: isSquare ? 0...5 : 0...4, using: &random) {
      case 0: return .flipHorizontal(Flip(probability: share(0.3...1), answer: .board))
      case 1: return .flipVertical(Flip(probability: share(0.3...1), answer: .board))
      case 2:
        return .padAndCrop(
          PadAndCrop(padding: .init(rows: 2, columns: 1), border: border, answer: .board))
      case 3:
        return .rotate(
          Rotation(degrees: share(1...90), border: border, probability: share(0.3...1), answer: .board))
      case 4:
        return .affine(
          RandomAffine(
            degrees: share(0...40), translate: share(0...0.3), scale: 0.8...1.2, shear: share(0...10),
            border: border, answer: .board))
      default: return .boardSymmetry(RandomSymmetry(answer: .board))
      }
    }
  }

  @Test(
    "an answer that is the sample itself stays the sample through any steps, and through mixtures in its shares"
  )
  func anySteps() {
    var random = SplitMix64(seed: 4)
    for draw in 0..<60 {
      let isSquare = Bool.random(using: &random)
      let height = Int.random(in: 3...8, using: &random)
      let width = isSquare ? height : Int.random(in: 3...8, using: &random)
      let shape: Shape = [height, width, Int.random(in: 1...3, using: &random)]
      var board = Board(
        shape: shape,
        samples: (0..<6).map { _ in
          (0..<shape.elementCount).map { _ in Float.random(in: -1...1, using: &random) }
        })
      board.targets = board.samples
      var list = steps(&random, isSquare: isSquare)
      let mixes = draw % 2 == 1
      if mixes { list.insert(.mixup(Mixup(alpha: 1, probability: 0.7)), at: list.count - 1) }
      let augmenter = Augmenter(
        Augmentation(list), sampleShape: shape, seed: random.next(),
        answers: AnswerForm(.numbers, count: shape.elementCount))
      let batch = board.minibatch(epoch: draw)
      for index in 0..<6 {
        let seen = pixels(augmenter, index, batch)
        let own = vector(augmenter.answer(index, in: index, of: batch), seen.count)
        guard let (partner, share) = augmenter.mixture(index, of: batch) else {
          #expect(own == seen, "\(list)")
          continue
        }
        let other = vector(augmenter.answer(partner, in: index, of: batch), seen.count)
        #expect(vector(augmenter.answer(index, in: index, of: batch), seen.count) == own)
        expectClose(
          seen, zip(own, other).map { share * $0 + (1 - share) * $1 }, absolute: 1e-5, "\(list)")
      }
    }
  }

  @Test("answers that are left stay, whatever happens to the pixels")
  func nowhere() {
    var random = SplitMix64(seed: 9)
    var board = drawBoard(5, 2, count: 16, &random)
    board.labels = (0..<16).map { Int32($0) }
    let batch = board.minibatch()
    for answers in [AnswerForm(.classes, count: 25), AnswerForm(.classes, count: 16)] {
      let augmenter = Augmenter(
        Augmentation([
          .boardSymmetry(RandomSymmetry(answer: .nowhere)),
          .flipHorizontal(Flip(probability: 1, answer: .nowhere)),
        ]), sampleShape: board.shape, seed: 1, answers: answers)
      #expect((0..<16).map { label(augmenter.answer($0, in: $0, of: batch)) } == Array(0..<16))
      #expect((0..<16).contains { pixels(augmenter, $0, batch) != board.samples[$0] })
    }
  }

  @Test("outputs that lie on a sample are mirrored as it is, and twice is never")
  func mirrored() {
    var random = SplitMix64(seed: 2)
    for (count, isPass) in [(12, false), (13, true), (24, false)] {
      let rows = (0..<3 * count).map { _ in Float.random(in: -1...1, using: &random) }
      let form = AnswerForm(.numbers, count: count)
      let depth = count / 12
      for (horizontally, vertically) in [(true, false), (false, true), (true, true)] {
        var expected = rows
        for sample in 0..<3 {
          for row in 0..<3 {
            for column in 0..<4 {
              for plane in 0..<depth {
                let to = ((vertically ? 2 - row : row) * 4 + (horizontally ? 3 - column : column)) * depth
                expected[sample * count + to + plane] =
                  rows[sample * count + (row * 4 + column) * depth + plane]
              }
            }
          }
        }
        var found = rows
        form.mirror(&found, on: [3, 4, 5], horizontally: horizontally, vertically: vertically)
        #expect(found == expected && (!isPass || found[12] == rows[12]))
        form.mirror(&found, on: [3, 4, 5], horizontally: horizontally, vertically: vertically)
        #expect(found == rows)
      }
    }
  }
}

@Suite("augmentation: what must be said of answers")
struct AnswerFormTests {
  private static let boardStep = AugmentationStep.boardSymmetry(RandomSymmetry())
  private static let flip = AugmentationStep.flipVertical(Flip())
  private static let shift = AugmentationStep.padAndCrop(PadAndCrop(padding: .init(rows: 1, columns: 1)))
  private static let go: Shape = [19, 19, 48]

  private func place(
    _ step: AugmentationStep, _ kind: AnswerForm.Kind, _ count: Int, _ shape: Shape = Self.go
  )
    -> AnswerPlace?
  {
    try? step.place(of: AnswerForm(kind, count: count), on: shape)
  }

  private func said(_ step: AugmentationStep, _ answer: AnswerPlace) -> AugmentationStep {
    switch step {
    case .boardSymmetry: return .boardSymmetry(RandomSymmetry(answer: answer))
    case .padAndCrop(var crop):
      crop.answer = answer
      return .padAndCrop(crop)
    default: return .flipVertical(Flip(answer: answer))
    }
  }

  @Test("a board's points, and a pass, turn with it without a word; all else must be said")
  func boards() {
    for kind in [AnswerForm.Kind.classes, .shares, .labels, .numbers] {
      #expect(place(Self.boardStep, kind, 361) == .board)
      #expect(place(Self.boardStep, kind, 362) == .board)
      for count in [1, 2, 10, 360, 363, 4672] {
        #expect(place(Self.boardStep, kind, count) == nil, "\(kind) \(count)")
        #expect(place(said(Self.boardStep, .nowhere), kind, count) == .nowhere)
        #expect(place(said(Self.boardStep, .board), kind, count) == nil)
      }
      #expect(place(said(Self.boardStep, .nowhere), kind, 361) == .nowhere)
    }
    // Several numbers for each point can only be numbers or labels, and their order must be said.
    #expect(place(Self.boardStep, .numbers, 722) == nil && place(Self.boardStep, .classes, 722) == nil)
    #expect(place(said(Self.boardStep, .board), .numbers, 722) == .board)
    #expect(place(said(Self.boardStep, .board), .labels, 722) == .board)
    #expect(place(said(Self.boardStep, .board), .classes, 722) == nil)
  }

  @Test(
    "flips and shifts leave classes and labels, and ask where these may lie on the sample, and for numbers")
  func pictures() {
    for step in [Self.flip, Self.shift] {
      for kind in [AnswerForm.Kind.classes, .shares, .labels] {
        #expect(place(step, kind, 10, [28, 28, 1]) == .nowhere)
        #expect(place(step, kind, 784, [28, 28, 1]) == nil)
        #expect(place(step, kind, 785, [28, 28, 1]) == nil)
        #expect(place(said(step, .nowhere), kind, 784, [28, 28, 1]) == .nowhere)
      }
      #expect(place(step, .classes, 2, [1, 1, 3]) == .nowhere)
      for count in [1, 2, 784] { #expect(place(step, .numbers, count, [28, 28, 1]) == nil) }
      #expect(place(said(step, .nowhere), .numbers, 2, [28, 28, 1]) == .nowhere)
      #expect(place(said(step, .board), .numbers, 2 * 784, [28, 28, 1]) == .board)
    }
    // What a shift moves off the sample has no class any more.
    #expect(place(said(Self.flip, .board), .classes, 784, [28, 28, 1]) == .board)
    #expect(place(said(Self.shift, .board), .classes, 784, [28, 28, 1]) == nil)
    #expect(place(said(Self.shift, .board), .shares, 784, [28, 28, 1]) == nil)
    #expect(place(said(Self.shift, .board), .labels, 784, [28, 28, 1]) == .board)
  }

  @Test("steps that move nothing ask nothing")
  func still() {
    let steps: [AugmentationStep] = [
      .brightness(strength: 1), .contrast(strength: 1), .randomErasing(RandomErasing()), .mixup(Mixup()),
      .cutmix(CutMix()), .cutout(Cutout(size: .init(rows: 1, columns: 1))),
    ]
    for step in steps { #expect(place(step, .numbers, 361) == .nowhere) }
  }
}
