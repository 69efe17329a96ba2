public import Tensors

/// How training samples are varied: steps in the order in which they are applied, each keeping the sample's shape.
///
/// What happens to a sample is a pure function of (seed, epoch, row of the dataset); a mixture depends on the
/// minibatch, too, which gives the partner. Every step has random numbers of its own, so that one step's
/// draws do not shift another's. Bytes stay bytes: results are rounded to the nearest and clamped to 0...255.
/// Floats are not clamped, since their range is not known.
public struct Augmentation: Hashable, Sendable {
  /// The steps, the first one first; none where samples stay as they are.
  public var steps: [AugmentationStep]

  /// Steps in the order in which they are applied.
  public init(_ steps: [AugmentationStep] = []) { self.steps = steps }

  /// Samples stay as they are.
  public static let none = Augmentation()

  /// Whether some samples may be mixtures of two, with targets of two.
  public var mixes: Bool { steps.contains(where: \.isMix) }

  /// Why a step cannot be applied to samples of a shape; nil when it can.
  public static func problem(of step: AugmentationStep, for shape: Shape) -> String? {
    if step.isMixup { return nil }
    guard shape.rank == 3 else {
      return "it needs images, height × width × channels, and the samples are \(shape)"
    }
    switch step {
    case .boardSymmetry:
      return shape[0] == shape[1] ? nil : "it needs as many rows as columns, and the samples are \(shape)"
    case .saturation:
      return shape[2] == 3 ? nil : "it needs 3 channels (red, green, blue), and the samples are \(shape)"
    case .padAndCrop(let crop):
      let fits = crop.padding.rows < shape[0] && crop.padding.columns < shape[1]
      return crop.border != .reflect || fits
        ? nil : "a reflected border must be narrower than the samples, which are \(shape)"
    case .flipHorizontal, .flipVertical, .rotate, .affine, .brightness, .contrast, .randomErasing, .cutout,
      .mask, .noise, .gain, .mixup, .cutmix:
      return nil
    }
  }
}
