public import Settings

/// What another training has learned, for this one to begin with.
public struct StartConfiguration: Hashable, Sendable {
  /// The checkpoint or run, as an absolute path, or one whose last part is the name of a run in `Results`.
  public var checkpoint: String
  /// The layers of the network that take values; nil takes all that fit.
  public var patterns: [ParameterPattern]?
  /// The names of layers in the checkpoint with those that they have here.
  public var renaming: [LayerRenaming]
  /// Whether the running statistics of batch normalisations come along.
  public var takesStatistics: Bool
  /// What happens where a parameter has another shape.
  public var mismatch: MismatchPolicy

  /// Takes a checkpoint, and what is taken from it.
  public init(
    checkpoint: String, patterns: [ParameterPattern]? = nil, renaming: [LayerRenaming] = [],
    takesStatistics: Bool = true, mismatch: MismatchPolicy = .error
  ) {
    self.checkpoint = checkpoint
    self.patterns = patterns
    self.renaming = renaming
    self.takesStatistics = takesStatistics
    self.mismatch = mismatch
  }

  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<StartConfiguration>(
    "A trained network to begin with: its layers give their values to those of the same name and shape.",
    StartConfiguration(checkpoint: ""),
    [
      // Which file it was is told by its digest, as for data.
      SettingKey(
        "checkpoint", \.checkpoint, .path, default: .required, change: .free,
        "A checkpoint, a run (its best checkpoint counts), or the name of a run in `Results`."),
      SettingKey(
        "layers", \.patterns, given: .list(.pattern, count: 1...1000), otherwise: "all that fit",
        "The layers here that take values; `*` stands for any characters: `[\"stage.*\"]`."),
      SettingKey(
        "rename", \.renaming, .renaming,
        "The names of layers in the checkpoint and those that they have here: `{\"encoder.*\": \"stage.*\"}`."
      ),
      SettingKey(
        "statistics", \.takesStatistics, .boolean,
        "Whether the running statistics of batch normalisations come along."),
      SettingKey(
        "on_mismatch", \.mismatch, .word, "What happens where a parameter has another shape than here."),
    ])
}

/// What happens where a parameter of the start has another shape.
public enum MismatchPolicy: String, Hashable, Sendable, CaseIterable, SettingWord {
  /// The training does not begin.
  case error
  /// The layer begins anew.
  case skip

  /// What references say of it, in a few words.
  public var summary: String {
    switch self {
    case .error: "the training does not begin"
    case .skip: "the layer begins anew"
    }
  }
}

/// What layers of a checkpoint are called here.
public struct LayerRenaming: Hashable, Sendable {
  /// The name in the checkpoint; a star stands for any characters.
  public let old: String
  /// The name here; a star stands for what the one in ``old`` stood for.
  public let new: String

  /// Takes a name and the one that it becomes; both have a star, or neither.
  public init(_ old: String, _ new: String) {
    self.old = old
    self.new = new
  }

  /// Whether the two names belong together: without a star, or with one in each.
  public var isSound: Bool {
    let star = UInt8(ascii: "*")
    let counts = [old, new].map { name in name.utf8.count { $0 == star } }
    return counts[0] == counts[1] && counts[0] <= 1 && !old.isEmpty && !new.isEmpty
  }

  /// What a layer of the checkpoint is called here; nil for a layer of another name.
  public func name(of layer: String) -> String? {
    guard let star = old.firstIndex(of: "*") else { return layer == old ? new : nil }
    let (head, tail) = (old[..<star], old[old.index(after: star)...])
    guard layer.utf8.count >= head.utf8.count + tail.utf8.count, layer.hasPrefix(head), layer.hasSuffix(tail)
    else { return nil }
    let middle = layer.dropFirst(head.count).dropLast(tail.count)
    return new.replacing("*", with: middle, maxReplacements: 1)
  }
}

extension SettingForm where Value == [LayerRenaming] {
  /// A map of names to names.
  static var renaming: SettingForm {
    SettingForm(
      .names("layers' names in the checkpoint with those here, such as {\"encoder.*\": \"stage.*\"}"),
      decode: { value in
        guard let members = value.members else { return nil }
        let renaming = members.compactMap { member in
          member.value.text.map { LayerRenaming(member.key, $0) }
        }
        return renaming.count == members.count ? renaming : nil
      },
      encode: { renaming in
        .map(
          renaming.map { ResolvedValue.Member(key: $0.old, value: ResolvedValue(.text($0.new), .builtIn)) })
      })
  }
}
