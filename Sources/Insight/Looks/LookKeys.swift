public import Settings

// Keys that several looks have.

extension SettingKey {
  /// A layer; nil leaves the choice to the network.
  ///
  /// - Parameter otherwise: the network's choice, for the summary.
  static func layer(
    _ path: any WritableKeyPath<Root, String?> & Sendable, _ otherwise: String
  ) -> SettingKey {
    SettingKey(
      "layer", path, .optional("auto", .text), "A layer; `auto` is \(otherwise).")
  }

  /// Some of a layer's filters or units.
  static func which(_ path: any WritableKeyPath<Root, NumberList> & Sendable) -> SettingKey {
    SettingKey("which", path, .numbers, "Numbers and ranges such as `0,5,10-12`, or `all`.")
  }

  /// The image that is looked at.
  static func image(_ path: any WritableKeyPath<Root, ImageSource> & Sendable) -> SettingKey {
    SettingKey("image", path, .image, default: .required, "A PNG or JPEG file.")
  }

  /// The samples that are looked at.
  static func data(_ path: any WritableKeyPath<Root, DataSource> & Sendable) -> SettingKey {
    SettingKey("data", path, DataSource.settings.form, default: .required, "Where the images are.")
  }

  /// How often long work is saved.
  static func saveEvery(_ path: any WritableKeyPath<Root, Double> & Sendable) -> SettingKey {
    SettingKey(
      "save_every", path, .number(.positive), change: .free,
      "Minutes between states that are saved on the way; a signal that stops it saves one, too.")
  }
}

/// An image file.
public struct ImageSource: Hashable, Sendable {
  /// A path, absolute or seen from the working directory.
  public var path: String

  public init(_ path: String) { self.path = path }

  /// Stands where a required image is not there yet.
  static let none = ImageSource("")
}

extension SettingForm where Value == ImageSource {
  /// The path of an image file.
  public static var image: SettingForm {
    SettingForm<String>.path.map({ ImageSource($0) }, back: { $0.path })
  }
}

/// Images in an HDF5 file, and what is right for them where the file says it.
public struct DataSource: Hashable, Sendable {
  /// A path, absolute or seen from the working directory.
  public var file: String
  /// The name of the images' dataset in the file.
  public var images = "test/images"
  /// The name of the dataset of labels or targets in the file; nil takes what stands beside the images, if anything does.
  public var labels: String?

  public init(file: String) { self.file = file }
}

extension DataSource: DescribedSettings {
  public static let file = SettingKey(
    "file", \DataSource.file, .path, default: .required, "The dataset file.")
  public static let images = SettingKey("images", \DataSource.images, .text, "Images in the file.")
  public static let labels = SettingKey(
    "labels", \DataSource.labels, .optional("auto", .text),
    "Labels or targets in the file; `auto` takes what is called so beside the images, and nothing where nothing is."
  )

  public static let settings = SettingsDescription(
    "Samples in an HDF5 file.", DataSource(file: ""), [file, images, labels])
}
