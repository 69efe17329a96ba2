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

  /// The image that the look is about.
  static func image(
    _ path: any WritableKeyPath<Root, ImageSource> & Sendable, _ summary: String = "A PNG or JPEG file."
  ) -> SettingKey {
    SettingKey("image", path, .image, default: .required, summary)
  }

  /// The samples that the look is about.
  static func data(_ path: any WritableKeyPath<Root, DataSource> & Sendable) -> SettingKey {
    SettingKey("data", path, DataSource.settings.form, default: .required, "Where the images are.")
  }

  /// How often long work is saved.
  static func saveEvery(_ path: any WritableKeyPath<Root, Double> & Sendable) -> SettingKey {
    SettingKey(
      "save_every", path, .number(.positive), change: .free,
      "Minutes between the states that are saved during the work; a signal to stop saves one, too.")
  }
}

/// An image file.
public struct ImageSource: Hashable, Sendable {
  /// The file's path, absolute or relative to the working directory.
  public var path: String

  /// The image file at this path.
  public init(_ path: String) { self.path = path }

  /// Stands in for a required image that has not been given yet.
  static let none = ImageSource("")
}

extension SettingForm where Value == ImageSource {
  /// The path of an image file.
  public static var image: SettingForm {
    SettingForm<String>.path.map({ ImageSource($0) }, back: { $0.path })
  }
}

/// Images in an HDF5 file, with the labels or targets that the file has for them.
public struct DataSource: Hashable, Sendable {
  /// The file's path, absolute or relative to the working directory.
  public var file: String
  /// The name of the images' dataset in the file.
  public var images = "test/images"
  /// The name of the dataset of labels or targets; nil takes those beside the images, if there are any.
  public var labels: String?

  /// The images `test/images` of this file, with the labels beside them.
  public init(file: String) { self.file = file }
}

extension DataSource: DescribedSettings {
  /// The file.
  public static let file = SettingKey(
    "file", \DataSource.file, .path, default: .required, "The dataset file.")
  /// The name of the images' dataset.
  public static let images = SettingKey(
    "images", \DataSource.images, .text, "Name of the images' dataset in the file.")
  /// The name of the labels' or targets' dataset.
  public static let labels = SettingKey(
    "labels", \DataSource.labels, .optional("auto", .text),
    "Name of the dataset of labels or targets; `auto` takes `labels` or `targets` beside the images, if there are any."
  )

  /// All settings of a source of samples, in the order in which references list them.
  public static let settings = SettingsDescription(
    "Samples in an HDF5 file.", DataSource(file: ""), [file, images, labels])
}
