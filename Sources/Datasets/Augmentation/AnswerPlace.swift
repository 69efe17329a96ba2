public import Settings
public import Tensors

/// What a step that moves pixels does to the sample's answer.
public enum AnswerPlace: String, Hashable, Sendable, CaseIterable, SettingWord {
  /// The answer lies on the sample, and moves with it.
  case board
  /// The answer lies nowhere on the sample, and stays the same.
  case nowhere = "none"

  /// What the word means, for references.
  public var summary: String {
    switch self {
    case .board: "the answer lies on the sample and moves with it"
    case .nowhere: "the answer stays the same"
    }
  }
}

extension SettingKey {
  /// What a step does to the answer.
  ///
  /// - Parameter otherwise: what holds without the key.
  static func answer(
    _ path: any WritableKeyPath<Root, AnswerPlace?> & Sendable,
    otherwise: String =
      "`none` where there are not as many classes or labels as points; otherwise it must be written"
  ) -> SettingKey {
    SettingKey(
      "answer", path, given: .word, otherwise: otherwise,
      "What happens to the answer: `board` moves it with the pixels, `none` leaves it as it is.")
  }
}

/// The form of a sample's answer, as far as steps that move its pixels must know it.
public struct AnswerForm: Hashable, Sendable {
  /// What the network's outputs say of a sample.
  public enum Kind: Hashable, Sendable {
    /// One class.
    case classes
    /// The share of each class; the shares add up to 1.
    case shares
    /// For each of several labels, whether the sample has it.
    case labels
    /// Numbers of any size.
    case numbers

    var noun: String {
      switch self {
      case .classes, .shares: "classes"
      case .labels: "labels"
      case .numbers: "numbers"
      }
    }
  }

  /// What the outputs say of a sample.
  public let kind: Kind
  /// How many outputs the network has: classes, labels or numbers.
  public let count: Int

  /// Answers of `count` classes, labels or numbers.
  public init(_ kind: Kind, count: Int) {
    self.kind = kind
    self.count = count
  }

  /// Whether there is one output for each point of a sample, or one more for a pass, which lies nowhere;
  /// for labels and numbers, there may also be several for each point, the same number everywhere, channels
  /// innermost.
  func fits(points: Int) -> Bool {
    if count == points || count == points + 1 { return true }
    switch kind {
    case .classes, .shares: return false
    case .labels, .numbers: return count.isMultiple(of: points)
    }
  }
}

extension AugmentationStep {
  /// Whether the step moves pixels, and how: from point to point, or to places between points and off the sample.
  private enum Movement {
    case none
    case pointToPoint
    case anywhere
  }

  private var movement: Movement {
    switch self {
    case .flipHorizontal, .flipVertical, .boardSymmetry: .pointToPoint
    case .padAndCrop, .rotate, .affine: .anywhere
    case .brightness, .contrast, .saturation, .randomErasing, .cutout, .mask, .noise, .gain, .mixup, .cutmix:
      .none
    }
  }

  /// What the configuration says about the answer; nil where it says nothing.
  var answer: AnswerPlace? {
    switch self {
    case .flipHorizontal(let flip), .flipVertical(let flip): flip.answer
    case .padAndCrop(let crop): crop.answer
    case .rotate(let rotation): rotation.answer
    case .affine(let affine): affine.answer
    case .boardSymmetry(let symmetry): symmetry.answer
    case .brightness, .contrast, .saturation, .randomErasing, .cutout, .mask, .noise, .gain, .mixup, .cutmix:
      nil
    }
  }

  /// What happens to answers of a form: what the configuration says, or what follows from the form.
  ///
  /// A wrong guess would teach a network falsehoods, and nothing would show it. So the configuration must say
  /// what is ambiguous.
  ///
  /// - Parameter shape: of the samples, which the step fits.
  /// - Throws: ``AnswerProblem`` where the configuration must say it and does not, or what it says makes no
  ///   sense.
  func place(of form: AnswerForm, on shape: Shape) throws(AnswerProblem) -> AnswerPlace {
    guard movement != .none else { return .nowhere }
    let points = shape[0] * shape[1]
    let fits = form.fits(points: points)
    switch answer {
    case .nowhere: return .nowhere
    case .board:
      guard fits else { throw .unfit(form, points: points) }
      guard movement == .pointToPoint || form.kind == .labels || form.kind == .numbers else {
        throw .offThePoints
      }
      return .board
    case nil: break
    }
    if case .boardSymmetry = self {
      if form.count == points || form.count == points + 1 { return .board }
    } else if points == 1 || (form.kind != .numbers && !fits) {
      return .nowhere
    }
    throw .missing(form, points: points)
  }
}

extension AugmentationStep {
  /// Whether the step moves answers of a form with samples of a shape, both of which it fits.
  public func movesAnswers(_ form: AnswerForm, on shape: Shape) -> Bool {
    (try? place(of: form, on: shape)) == .board
  }
}

/// Why it is not clear, or not possible, what a step should do to answers.
enum AnswerProblem: Error, Hashable, Sendable {
  /// The configuration must say it, and does not.
  case missing(AnswerForm, points: Int)
  /// Answers are to move with the sample, and there are too few or too many of them for its points.
  case unfit(AnswerForm, points: Int)
  /// Classes are to move to places where there is no class.
  case offThePoints

  /// The problem, in one line.
  ///
  /// - Parameter key: how the setting is written, up to its word: `answer: `.
  func text(_ key: String) -> String {
    func needed(_ form: AnswerForm, _ points: Int) -> String {
      let each = form.kind == .labels || form.kind == .numbers ? "one or more for each" : "one for each"
      return
        "\(form.kind.noun): \(each) of the sample's \(points) points, or one for each and one more for a pass; the network has \(form.count)"
    }
    switch self {
    case .missing(let form, let points) where form.fits(points: points):
      return
        "it is not clear what happens to the answer: the network's \(form.count) \(form.kind.noun) may or may not lie on the sample's "
        + "\(points) points; write \(key)board if they move with it, \(key)none if they stay the same"
    case .missing(let form, let points):
      return
        "it is not clear what happens to the answer: write \(key)none if \(form.kind.noun) stay the same when the sample is moved; "
        + "\(key)board moves them with it and takes \(needed(form, points))"
    case .unfit(let form, let points): return "\(key)board takes \(needed(form, points))"
    case .offThePoints:
      return
        "\(key)board takes labels or numbers here, not classes: the step moves points off the sample and between others, where "
        + "there is no class"
    }
  }
}

extension Augmentation {
  /// Why a step cannot be applied to samples with answers of a form; nil when it can.
  ///
  /// - Parameter key: how the setting is written, up to its word.
  public static func problem(
    of step: AugmentationStep, for shape: Shape, answers: AnswerForm, key: String = "answer: "
  ) -> String? {
    if let problem = problem(of: step, for: shape) { return problem }
    do throws(AnswerProblem) {
      _ = try step.place(of: answers, on: shape)
      return nil
    } catch {
      return error.text(key)
    }
  }
}
