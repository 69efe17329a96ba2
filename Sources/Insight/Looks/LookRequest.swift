public import ImageFiles
public import Settings

/// A look together with the network that it looks into.
public struct LookRequest: Hashable, Sendable {
  /// The name of the folder that gets the results.
  public var name: String
  /// Seeds the random numbers of noise and shifts.
  public var seed: UInt64 = 0
  /// The path of a checkpoint file or a run directory.
  public var checkpoint: String
  /// What a black pixel is to the network; nil for what it was in the network's training.
  public var black: Float?
  /// What a white pixel is to the network, above ``black``; nil for what it was in the network's training.
  public var white: Float?
  /// Whether images of more than 40 megapixels are read.
  public var readsLargeImages = false
  /// What happens to the orientation that a camera recorded with a picture; nil for what happened in the network's training.
  public var orientation: OrientationUse?
  /// How a picture is brought to the network's proportions; nil for what happened in the network's training.
  public var fit: ImageFit?
  /// The look with its settings.
  public var look: Look

  /// A request with defaults for all else.
  public init(name: String, checkpoint: String, look: Look) {
    (self.name, self.checkpoint, self.look) = (name, checkpoint, look)
  }
}

extension LookRequest: DescribedSettings {
  /// The word that stands for what the network was trained on.
  public static let automatic = "auto"

  /// The name of the folder that gets the results.
  public static let name = SettingKey(
    "name", \LookRequest.name, .name, default: .required, change: .free,
    "Name of the folder that gets the results.")
  /// The seed of the random numbers.
  public static let seed = SettingKey(
    "seed", \LookRequest.seed, .seed, "Seeds the random numbers of noise and shifts.")
  /// The checkpoint with the network.
  public static let checkpoint = SettingKey(
    "checkpoint", \LookRequest.checkpoint, .path, default: .required,
    "A checkpoint file, or a run directory, whose best checkpoint is taken.")
  /// The value of a black pixel.
  public static let black = SettingKey(
    "black", \LookRequest.black, .optional(automatic, .number(.any)),
    "The input value that stands for a black pixel; `auto` takes the one of the network's training.")
  /// The value of a white pixel.
  public static let white = SettingKey(
    "white", \LookRequest.white, .optional(automatic, .number(.any)),
    "The input value that stands for a white pixel; `auto` takes the one of the network's training.")
  /// Whether very large images are read.
  public static let largeImages = SettingKey(
    "large_images", \LookRequest.readsLargeImages, .boolean, change: .free,
    "Read images of more than 40 megapixels, too.")
  /// What happens to a picture's orientation.
  public static let orientation = SettingKey(
    "orientation", \LookRequest.orientation, .optional(automatic, .word),
    "Turn photographs as the camera recorded (`upright`), or leave their pixels as they are stored (`stored`); `auto` does what was "
      + "done for the network's training, or else `upright`.")
  /// How a picture is brought to the network's proportions.
  public static let fit = SettingKey(
    "fit", \LookRequest.fit, .optional(automatic, .word),
    "How a picture becomes a sample of other proportions: cut off what is too long (`crop`), `stretch`, or `pad` with black; `auto` "
      + "does what was done for the network's training, or else `crop`.")
  /// The look.
  public static let look = SettingKey(
    "look", \LookRequest.look, Look.kinds.form, default: .required, "The look and its settings.")

  /// All settings of a request, in the order in which references list them.
  public static let settings = SettingsDescription(
    "A look into a trained network, carried out by `convoy look run`.",
    LookRequest(name: "", checkpoint: "", look: .filters(FilterLook())),
    [name, seed, checkpoint, black, white, largeImages, orientation, fit, look])
}

extension ImageFit: SettingWord {
  /// The fit in a few words, as references and help show it.
  public var summary: String {
    switch self {
    case .crop: "what is too long is cut off, half at each end"
    case .stretch: "both sides are scaled on their own"
    case .pad: "the whole picture in the middle of black"
    }
  }
}

extension OrientationUse: SettingWord {
  /// The use in a few words, as references and help show it.
  public var summary: String {
    switch self {
    case .upright: "as people see them, turned as the camera recorded"
    case .stored: "as they are stored"
    }
  }
}
