public import ImageFiles
public import Settings

/// A look with the network that it looks into.
public struct LookRequest: Hashable, Sendable {
  /// Names the folder of the results.
  public var name: String
  /// Begins the random numbers of noise and shifts.
  public var seed: UInt64 = 0
  /// The path of a checkpoint file or a run directory.
  public var checkpoint: String
  /// What a black pixel is to the network; nil for what it was in its training.
  public var black: Float?
  /// What a white pixel is to the network, more than ``black``; nil for what it was in its training.
  public var white: Float?
  /// Whether images of more than 40 megapixels are read.
  public var readsLargeImages = false
  /// What is done with the orientation that a camera noted in a picture.
  public var orientation = OrientationUse.upright
  public var look: Look

  public init(name: String, checkpoint: String, look: Look) {
    (self.name, self.checkpoint, self.look) = (name, checkpoint, look)
  }
}

extension LookRequest: DescribedSettings {
  /// Stands for what the network was trained on.
  public static let automatic = "auto"

  public static let name = SettingKey(
    "name", \LookRequest.name, .name, default: .required, change: .free, "Names the folder of the results.")
  public static let seed = SettingKey("seed", \LookRequest.seed, .seed, "Decides noise and shifts.")
  public static let checkpoint = SettingKey(
    "checkpoint", \LookRequest.checkpoint, .path, default: .required,
    "A checkpoint file or a run directory, of which the best one is taken.")
  public static let black = SettingKey(
    "black", \LookRequest.black, .optional(automatic, .number(.any)),
    "What a black pixel is to the network; `auto` for what it was in its training.")
  public static let white = SettingKey(
    "white", \LookRequest.white, .optional(automatic, .number(.any)),
    "What a white pixel is to the network; `auto` for what it was in its training.")
  public static let largeImages = SettingKey(
    "large_images", \LookRequest.readsLargeImages, .boolean, change: .free,
    "Whether images of more than 40 megapixels are read.")
  public static let orientation = SettingKey(
    "orientation", \LookRequest.orientation, .word,
    "Whether photographs are turned as the camera noted (`upright`) or left as their pixels are (`stored`).")
  public static let look = SettingKey(
    "look", \LookRequest.look, Look.kinds.form, default: .required, "What is done.")

  public static let settings = SettingsDescription(
    "A look into a trained network: `convoy look run` takes it.",
    LookRequest(name: "", checkpoint: "", look: .filters(FilterLook())),
    [name, seed, checkpoint, black, white, largeImages, orientation, look])
}

extension OrientationUse: SettingWord {
  public var summary: String {
    switch self {
    case .upright: "as people see them: turned as the camera noted"
    case .stored: "as they are stored"
    }
  }
}
