internal import Settings

/// A place among a layer's settings where a block's parameter may stand: a setting, or one number of a list.
struct OpenPlace: Hashable {
  let key: String
  /// The place in a list; nil for the whole setting.
  let element: Int?

  /// What stands there, if the setting has this value.
  func value(in setting: ResolvedValue) -> ResolvedValue? {
    guard let element else { return setting }
    guard let list = setting.list, list.indices.contains(element) else { return nil }
    return list[element]
  }

  /// Whether the value is one that follows from another: a number in a shape, the groups of a convolution, a margin.
  var follows: Bool { element != nil || ["groups", "left", "right"].contains(key) }

  /// Whether a parameter of another place may stand here, too, if both always have the same value.
  func agrees(with other: OpenPlace) -> Bool {
    // A number in a shape may be a number of filters.
    if element != nil { return true }
    switch key {
    case "groups": return other.setting == "filters" || other.key == key
    case "left": return ["top", "left"].contains(other.key)
    case "right": return ["bottom", "right"].contains(other.key)
    default: return other.setting == setting
    }
  }

  /// The setting's own word, without that of a layer before it: `filters` of `expand_filters`.
  private var setting: Substring { key.split(separator: "_").last ?? "" }
}

extension ResolvedValue.Member {
  /// The places in this setting.
  var openPlaces: [OpenPlace] {
    if value.canBeParameter { return [OpenPlace(key: key, element: nil)] }
    guard let list = value.list, !list.isEmpty, list.allSatisfy(\.canBeParameter) else { return [] }
    return list.indices.map { OpenPlace(key: key, element: $0) }
  }
}

extension NetworkGrouping.Item {
  /// Puts a value in a place, also where the setting has its default and is not written.
  mutating func set(_ place: OpenPlace, to value: ResolvedValue) {
    func changed(_ member: ResolvedValue.Member) -> ResolvedValue.Member {
      guard let element = place.element, var list = member.value.list else {
        return ResolvedValue.Member(key: member.key, value: value)
      }
      list[element] = value
      return ResolvedValue.Member(key: member.key, value: ResolvedValue(.list(list), .builtIn))
    }
    if let index = settings.firstIndex(where: { $0.key == place.key }) {
      settings[index] = changed(settings[index])
    } else if let index = defaults.firstIndex(where: { $0.key == place.key }) {
      settings.append(changed(defaults.remove(at: index)))
    }
  }
}

extension ResolvedValue {
  /// Whether a block's parameter may stand in its place.
  var canBeParameter: Bool {
    switch content {
    case .integer, .number, .boolean: true
    // A size.
    case .list(let items): items.count == 2 && items.allSatisfy { $0.integer != nil }
    case .kind(let name, nil): name.hasPrefix("$")
    case .text, .byteSize, .path, .map, .kind: false
    }
  }
}
