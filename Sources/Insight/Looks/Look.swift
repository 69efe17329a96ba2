public import Settings

/// A way of looking into a trained network, with all its settings.
///
/// Each look's type stands in a file of its own, with the description of its settings; configurations and options of commands
/// make looks by that description alone. Looks name files by their paths; whoever carries a look out reads them.
public enum Look: Hashable, Sendable {
  /// The kernels of a convolution.
  case filters(FilterLook)
  /// The feature maps of an image.
  case maps(MapLook)
  /// The images of a dataset that excite filters most.
  case examples(ExampleLook)
  /// Images made to excite filters, units or classes.
  case maximize(MaximizeLook)
  /// One HTML page with everything.
  case gallery(GalleryLook)
  /// The parts of an image that a prediction rests on.
  case explain(ExplainLook)
  /// Deep Dream.
  case dream(DreamLook)
  /// Style transfer.
  case style(StyleLook)

  /// The kinds of looks with their words, as configurations list them.
  public static let kinds = SettingsUnion<Look>(
    "look",
    [
      FilterLook.kind, MapLook.kind, ExampleLook.kind, MaximizeLook.kind, GalleryLook.kind, ExplainLook.kind,
      DreamLook.kind, StyleLook.kind,
    ])
}
