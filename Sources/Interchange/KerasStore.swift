internal import HDF5
internal import Networks

/// Keras 3's own form of weights: groups by the places of layers in models, `layers/conv2d_1/vars/0`, which also note the layers'
/// names.
struct KerasStore {
  private let root: Group
  /// The group of each layer by the names of the models that it lies in, then its own.
  private let places: [[String]: String]
  /// The names of the outermost model's layers that have variables, in the file's order.
  let layerNames: [String]

  /// - Throws: ``HDF5Error`` for a damaged file.
  init(_ root: Group) throws {
    self.root = root
    var places: [[String]: String] = [:]
    var names: [String] = []
    var open: [(path: String, names: [String])] = [("layers", [])]
    while let (path, outer) = open.popLast() {
      guard outer.count < 64, let group = try? root.group(path, links: .hardOnly) else { continue }
      for member in try group.members() where member.name != "vars" {
        let inner = "\(path)/\(member.name)"
        guard let variables = try? root.group("\(inner)/vars", links: .hardOnly),
          let name = try? variables.attributes.string("name")
        else { continue }
        places[outer + [name]] = inner
        if outer.isEmpty, try !variables.members().isEmpty { names.append(name) }
        open.append(("\(inner)/layers", outer + [name]))
      }
    }
    self.places = places
    layerNames = names
  }

  /// A layer's variables in Keras's order: those that train, then the others.
  ///
  /// - Parameters:
  ///   - names: the names of the models that the layer lies in, then its own.
  ///   - place: the layer's group, for files of early versions, which have no names.
  func datasets(_ names: [String], place: String?) throws -> [Dataset] {
    guard let path = places[names] ?? place, let variables = try? root.group("\(path)/vars", links: .hardOnly)
    else { return [] }
    let numbers = try variables.members().compactMap { Int($0.name) }.sorted()
    return try numbers.map { try variables.dataset("\($0)", links: .hardOnly) }
  }

  /// A class in the words of a store's groups: `MaxPooling2D` is `max_pooling2d`, `ReLU` is `re_lu`.
  ///
  /// A line stands before a capital that follows a small letter, or that a small letter follows.
  static func word(ofClass name: String) -> String {
    let letters = Array(name)
    var word = ""
    for (index, letter) in letters.enumerated() {
      let isCapital = letter.isASCII && letter.isUppercase
      let previous = index > 0 ? letters[index - 1] : "_"
      let next = index + 1 < letters.count ? letters[index + 1] : "_"
      if isCapital, index > 0, previous != "_", previous.isLowercase || (next.isASCII && next.isLowercase) {
        word += "_"
      }
      word += letter.lowercased()
    }
    return word
  }

  /// The groups of a model's layers: their classes' words, numbered from the second of a class on.
  ///
  /// - Parameter classes: the classes of the layers in the model's order.
  static func groups(ofClasses classes: [String]) -> [String] {
    var counts: [String: Int] = [:]
    return classes.map { name in
      let word = word(ofClass: name)
      let count = counts[word, default: 0]
      counts[word] = count + 1
      return count == 0 ? word : "\(word)_\(count)"
    }
  }
}
