public import Settings

/// A way of looking into a trained network, with all its settings.
///
/// Each look's type stands with the description of its settings in a file of its own; configurations and options of commands
/// make looks by that description alone. Files are named by their paths and read by whoever carries the look out.
public enum Look: Hashable, Sendable {
  case filters(FilterLook)
  case maps(MapLook)
  case examples(ExampleLook)
  case maximize(MaximizeLook)
  case gallery(GalleryLook)
  case explain(ExplainLook)
  case dream(DreamLook)
  case style(StyleLook)

  /// How looks are written.
  public static let kinds = SettingsUnion<Look>(
    "look",
    [
      FilterLook.kind, MapLook.kind, ExampleLook.kind, MaximizeLook.kind, GalleryLook.kind, ExplainLook.kind,
      DreamLook.kind, StyleLook.kind,
    ])
}
