public import Networks

/// A look into a trained network with all its settings, made of flags or of a configuration alike.
///
/// Files are named by their paths and read by the one who carries it out.
public enum Look: Hashable, Sendable {
  case filters(FilterLook)
  case maps(MapLook)
  case examples(ExampleLook)
  case maximize(MaximizeLook)
  case gallery(GalleryLook)
  case explain(ExplainLook)
  case dream(DreamLook)
  case style(StyleLook)
}

/// Kernels of a convolution.
public struct FilterLook: Hashable, Sendable {
  /// Nil takes the first convolution.
  public var layer: String?
  public var filters: NumberList

  public init(layer: String? = nil, filters: NumberList = .all) {
    (self.layer, self.filters) = (layer, filters)
  }
}

/// Feature maps of an image.
public struct MapLook: Hashable, Sendable {
  public var image: ImageSource
  /// Nil takes the last convolution.
  public var layer: String?
  public var filters: NumberList
  /// Whether white is the largest value of all maps, and not of each by itself.
  public var sharesContrast: Bool

  public init(
    image: ImageSource, layer: String? = nil, filters: NumberList = .all, sharesContrast: Bool = true
  ) {
    (self.image, self.layer, self.filters, self.sharesContrast) = (image, layer, filters, sharesContrast)
  }
}

/// Images of a dataset that excite filters most.
public struct ExampleLook: Hashable, Sendable {
  public var data: DataSource
  /// Nil takes the last convolution.
  public var layer: String?
  public var filters: NumberList
  /// Images for each filter.
  public var top: Int

  public init(data: DataSource, layer: String? = nil, filters: NumberList = .all, top: Int = 8) {
    (self.data, self.layer, self.filters, self.top) = (data, layer, filters, top)
  }
}

/// Images that excite something most.
public struct MaximizeLook: Hashable, Sendable {
  public var target: TargetChoice
  public var ascent: AscentSettings
  /// The image to start from, in place of what ``ascent`` says.
  public var start: ImageSource?

  public init(target: TargetChoice, ascent: AscentSettings = AscentSettings(), start: ImageSource? = nil) {
    (self.target, self.ascent, self.start) = (target, ascent, start)
  }
}

/// The page of everything.
public struct GalleryLook: Hashable, Sendable {
  public var data: DataSource
  public var settings: Gallery.Settings
  public var start: ImageSource?

  public init(data: DataSource, settings: Gallery.Settings = Gallery.Settings(), start: ImageSource? = nil) {
    (self.data, self.settings, self.start) = (data, settings, start)
  }
}

/// Which parts of an image a prediction rests on.
public struct ExplainLook: Hashable, Sendable {
  public var image: ImageSource
  /// A class by name or number; nil takes the most probable one.
  public var classText: String?
  /// Of Grad-CAM; nil takes the last convolution.
  public var layer: String?
  /// Side of the covered square; nil takes a quarter of the image.
  public var patch: Int?
  /// Between squares; nil takes a third of the patch.
  public var stride: Int?

  public init(
    image: ImageSource, classText: String? = nil, layer: String? = nil, patch: Int? = nil, stride: Int? = nil
  ) {
    (self.image, self.classText, self.layer) = (image, classText, layer)
    (self.patch, self.stride) = (patch, stride)
  }
}

/// Deep Dream.
public struct DreamLook: Hashable, Sendable {
  public var image: ImageSource
  /// A picture whose features are enhanced instead of the strongest.
  public var guide: ImageSource?
  /// Longer side of the result; nil keeps the picture's.
  public var size: Int?
  public var dream: Dream
  /// Minutes between states that are saved on the way.
  public var saveEvery: Double

  public init(
    image: ImageSource, guide: ImageSource? = nil, size: Int? = nil, dream: Dream = Dream(),
    saveEvery: Double = 5
  ) {
    (self.image, self.guide, self.size) = (image, guide, size)
    (self.dream, self.saveEvery) = (dream, saveEvery)
  }
}

/// A style transfer.
public struct StyleLook: Hashable, Sendable {
  public enum Start: Hashable, Sendable {
    case content
    case noise
    case image(ImageSource)
  }

  public var content: ImageSource
  public var style: ImageSource
  /// Longer side of the result; smaller pictures stay as they are.
  public var size = 512
  /// Of the style picture; nil is as ``size``.
  public var styleSize: Int?
  public var steps = 200
  public var rule = StyleTransfer.Rule.lbfgs
  /// Empty takes those that fit the network; so do nil weights.
  public var contentLayers: [WeightedLayer] = []
  public var styleLayers: [WeightedLayer] = []
  public var contentWeight: Double?
  public var styleWeight: Double?
  public var totalVariation = 0.0
  public var start = Start.content
  public var keepsColour = false
  public var seed: UInt64 = 0
  /// Steps between pictures that are written on the way; nil writes none.
  public var pictureEvery: Int?
  /// Minutes between states that are saved on the way.
  public var saveEvery = 5.0
  /// Direct convolutions alone, which are slower and round more finely.
  public var usesExactKernels = false

  public init(content: ImageSource, style: ImageSource) {
    (self.content, self.style) = (content, style)
  }

  /// The settings for a network: what was left open by its defaults.
  public func settings(for network: ResolvedNetwork) throws(InsightError) -> StyleSettings {
    var settings = try StyleSettings(defaultsFor: network)
    if !contentLayers.isEmpty { settings.contentLayers = contentLayers }
    if !styleLayers.isEmpty { settings.styleLayers = styleLayers }
    settings.contentWeight = contentWeight ?? settings.contentWeight
    settings.styleWeight = styleWeight ?? settings.styleWeight
    settings.totalVariation = totalVariation
    return settings
  }
}

/// An image file.
public struct ImageSource: Hashable, Sendable {
  public var path: String
  /// Whether more than 40 megapixels are wanted.
  public var isLarge: Bool

  public init(_ path: String, isLarge: Bool = false) { (self.path, self.isLarge) = (path, isLarge) }
}

/// Images and labels in an HDF5 file.
public struct DataSource: Hashable, Sendable {
  public var file: String
  public var images: String
  public var labels: String

  public init(file: String, images: String = "test/images", labels: String = "test/labels") {
    (self.file, self.images, self.labels) = (file, images, labels)
  }
}
