public import Tensors

/// How training samples are varied: steps in the order in which they are applied, each keeping the sample's shape.
///
/// What happens to a sample is a pure function of (seed, epoch, row of the dataset); every step has random numbers of
/// its own, so that one step's draws do not shift another's. Bytes stay bytes: results are rounded to the nearest and held in
/// 0...255. Floats are not held in any range, since theirs is not known.
public struct Augmentation: Hashable, Sendable {
  public var steps: [AugmentationStep]

  public init(_ steps: [AugmentationStep] = []) { self.steps = steps }

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
    case .boardSymmetry where shape[0] != shape[1]:
      return "it needs as many rows as columns, and the samples are \(shape)"
    case .saturation where shape[2] != 3:
      return "it needs 3 channels (red, green, blue), and the samples are \(shape)"
    case .padAndCrop(let padding, .reflect)
    where padding.rows >= shape[0] || padding.columns >= shape[1]:
      return "a reflected border must be narrower than the samples, which are \(shape)"
    default:
      return nil
    }
  }
}

/// One way to vary a sample.
public enum AugmentationStep: Hashable, Sendable {
  /// Left and right change places.
  case flipHorizontal(probability: Double)
  /// Top and bottom change places.
  case flipVertical(probability: Double)
  /// A border is put around the sample, and a part of the sample's size cut out at a uniform place (He et al. 2015,
  /// <https://arxiv.org/abs/1512.03385>, section 4.2).
  case padAndCrop(padding: Extent, border: Border)
  case affine(RandomAffine)
  /// `v·f`, f uniform in 1 ± strength and at least 0.
  case brightness(strength: Double)
  /// `f·v + (1 − f)·m`, m the sample's mean grey, f uniform in 1 ± strength and at least 0.
  case contrast(strength: Double)
  /// `f·v + (1 − f)·g`, g the pixel's grey (ITU-R BT.601), f uniform in 1 ± strength and at least 0.
  case saturation(strength: Double)
  case randomErasing(RandomErasing)
  /// A rectangle around a uniform pixel is filled; what reaches over the edge is cut off (DeVries & Taylor 2017,
  /// <https://arxiv.org/abs/1708.04552>).
  case cutout(size: Extent, fill: Double, probability: Double)
  /// `λ·sample + (1 − λ)·partner`, λ from Beta(alpha, alpha), and targets likewise (Zhang et al. 2018,
  /// <https://arxiv.org/abs/1710.09412>).
  case mixup(alpha: Double, probability: Double)
  /// A rectangle of the partner replaces the sample's; targets are shared by area (Yun et al. 2019,
  /// <https://arxiv.org/abs/1905.04899>).
  case cutmix(alpha: Double, probability: Double)
  /// One of the eight rotations and reflections of a square, each as likely as any other.
  case boardSymmetry

  /// Rows and columns of pixels.
  public struct Extent: Hashable, Sendable {
    public var rows: Int
    public var columns: Int

    public init(rows: Int, columns: Int) {
      self.rows = rows
      self.columns = columns
    }
  }

  var isMixup: Bool { if case .mixup = self { true } else { false } }
  var isMix: Bool {
    switch self {
    case .mixup, .cutmix: true
    default: false
    }
  }
}

/// What lies outside of a sample.
public enum Border: String, Hashable, Sendable, CaseIterable {
  /// Zeros.
  case zero
  /// The nearest pixel, again and again.
  case edge
  /// The sample mirrored at its outermost pixels, which are not repeated.
  case reflect

  /// The index inside `0..<count` that stands for any index; nil for zeros.
  @inline(__always)
  func resolve(_ index: Int, _ count: Int) -> Int? {
    if index >= 0 && index < count { return index }
    switch self {
    case .zero: return nil
    case .edge: return index < 0 ? 0 : count - 1
    case .reflect:
      guard count > 1 else { return 0 }
      let period = 2 * (count - 1)
      let place = ((index % period) + period) % period
      return place < count ? place : period - place
    }
  }
}

/// A turn, a change of size, a slant and a shift about the sample's centre, with bilinear interpolation.
public struct RandomAffine: Hashable, Sendable {
  /// Turned by a uniform angle within ± this.
  public var degrees: Double
  /// Shifted by a uniform share of height and of width, each within ± this.
  public var translate: Double
  /// Enlarged by a factor uniform between these.
  public var scale: ClosedRange<Double>
  /// Slanted along the rows by a uniform angle within ± this, in degrees.
  public var shear: Double
  public var border: Border
  public var probability: Double

  public init(
    degrees: Double = 0, translate: Double = 0, scale: ClosedRange<Double> = 1...1, shear: Double = 0,
    border: Border = .zero, probability: Double = 1
  ) {
    self.degrees = degrees
    self.translate = translate
    self.scale = scale
    self.shear = shear
    self.border = border
    self.probability = probability
  }
}

/// A rectangle of uniform area and log-uniform proportions is filled, anywhere inside the sample.
///
/// Ten rectangles are tried until one fits; a sample that none fits stays as it is.
///
/// - SeeAlso: Zhong et al. 2017, <https://arxiv.org/abs/1708.04896>.
public struct RandomErasing: Hashable, Sendable {
  public enum Fill: Hashable, Sendable {
    /// Each number anew: 0...255 for bytes, for floats uniform between the sample's smallest and largest.
    case random
    case value(Double)
  }

  public var probability: Double
  /// Share of the sample's area.
  public var area: ClosedRange<Double>
  /// Height by width.
  public var aspect: ClosedRange<Double>
  public var fill: Fill

  public init(
    probability: Double = 0.5, area: ClosedRange<Double> = 0.02...0.33,
    aspect: ClosedRange<Double> = 0.3...3.3, fill: Fill = .random
  ) {
    self.probability = probability
    self.area = area
    self.aspect = aspect
    self.fill = fill
  }
}
