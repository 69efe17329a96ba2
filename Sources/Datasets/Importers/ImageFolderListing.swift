internal import ImageFiles
internal import Paths
internal import Tensors

/// The image files of a folder, by split and class.
struct ImageFolderListing {
  struct File: Sendable {
    let path: String
    let label: Int32
  }

  let splits: [(name: String, files: [File])]
  let classNames: [String]
  let notes: [String]

  init(_ path: String, check: @escaping () throws -> Void) throws {
    let layout = try ImageFolderLayout(path)
    var walk = ImageFolderWalk(check: check)
    let classes = try ClassFolders(in: layout.roots[0].path, walk.folders(in: layout.roots[0].path))
    try walk.refuseSingleFolder(layout.roots[0].path, classes.folders)
    var splits: [(name: String, files: [File])] = []
    for (place, root) in layout.roots.enumerated() {
      var files: [File] = []
      for folder in try walk.folders(in: root.path) {
        let label = try classes.label(of: folder, in: root.path)
        let paths = try walk.pictures(in: "\(root.path)/\(folder)", label: label, split: root.name)
        if paths.isEmpty && place == 0 {
          throw DatasetError(.badData, "\(root.path)/\(folder) has no PNG or JPEG files")
        }
        files += paths.map { File(path: $0, label: Int32(label)) }
      }
      guard !files.isEmpty else { throw DatasetError(.badData, "\(root.path) has no PNG or JPEG files") }
      splits.append((root.name, files))
    }
    self.splits = splits
    classNames = classes.names
    notes = layout.notes + classes.notes + walk.notes
  }
}

// MARK: - Splits

/// Which folders are splits: `train` and `test`, in the spellings that people use, or none.
private struct ImageFolderLayout {
  /// Training comes first.
  private(set) var roots: [(name: String, path: String)] = []
  private(set) var notes: [String] = []

  init(_ path: String) throws {
    let folders = try ImageFolder(path).folders
    let roles = SplitRole.allCases.map { role in folders.filter { SplitRole(folder: $0) == role } }
    let others = folders.filter { SplitRole(folder: $0) == nil }
    let (training, later) = (roles[0], roles[1] + roles[2])
    guard !training.isEmpty else {
      if !later.isEmpty, others.isEmpty {
        throw DatasetError(
          .badData, "\(path) has a folder \(later[0]) and none for training; it should be called train")
      }
      try Self.refuseLikelySplits(path, folders)
      notes += later.map {
        "\(path)/\($0) was taken as a class; if its pictures are there for testing, move it away, or put the classes into a folder "
          + "train beside it"
      }
      roots = [("train", path)]
      return
    }
    // A class of railway vehicles may be called train.
    guard !later.isEmpty || others.isEmpty else {
      if try ImageFolder("\(path)/\(training[0])").holdsClasses {
        throw DatasetError(
          .badData,
          "\(path)/\(training[0]) has folders of pictures, as a split has, but \(path)/\(others[0]) stands beside it; move \(others[0]) away"
        )
      }
      roots = [("train", path)]
      return
    }
    if let double = roles.first(where: { $0.count > 1 }) {
      throw DatasetError(
        .badData,
        "\(path)/\(double[0]) and \(path)/\(double[1]) would be the same split; move one of them away")
    }
    for other in others {
      guard try !ImageFolder("\(path)/\(other)").holdsPictures else {
        throw DatasetError(
          .badData,
          "\(path)/\(other) has pictures beside the splits \(training[0]) and \(later[0]); move it away")
      }
      notes.append("\(path)/\(other) is not a split and was passed over")
    }
    roots = (training + later).map { (Self.groupName(of: $0), "\(path)/\($0)") }
  }

  /// Names such as `seg_train` and `seg_test` are hardly those of classes.
  private static func refuseLikelySplits(_ path: String, _ folders: [String]) throws {
    let roles = folders.map { folder in
      folder.split { !$0.isLetter }.lazy.compactMap { SplitRole(folder: String($0)) }.first
    }
    guard let training = roles.firstIndex(of: .train), !roles.contains(nil),
      let later = roles.firstIndex(where: { $0 != .train })
    else { return }
    throw DatasetError(
      .badData,
      "\(path)/\(folders[training]) and \(path)/\(folders[later]) seem to be splits; put the folders of their classes into "
        + "\(path)/train and \(path)/\(roles[later] == .test ? "test" : "validation")")
  }

  /// What the split's group in the file is called: the folder's name, where that is a usual one.
  private static func groupName(of folder: String) -> String {
    let plain = folder.lowercased()
    if ["valid", "val"].contains(plain) { return plain }
    return switch SplitRole(folder: folder) {
    case .train, nil: "train"
    case .validation: "validation"
    case .test: "test"
    }
  }
}

// MARK: - Classes

/// The classes that the folders of the first split are.
private struct ClassFolders {
  let folders: [String]
  let names: [String]
  private(set) var notes: [String] = []
  private let places: [[UInt8]: Int]
  private let root: String

  init(in root: String, _ folders: [String]) throws {
    self.root = root
    self.folders = folders
    names = folders.map(PathText.readable)
    // Text compares by what it looks like; names of files are bytes.
    var seen: [String: String] = [:]
    for (folder, name) in zip(folders, names) {
      if let other = seen[name] {
        throw DatasetError(
          .badData,
          "\(root) has two folders whose names look alike, \(folder) (\(Self.bytes(other)) and \(Self.bytes(folder))); rename one of them or put them together"
        )
      }
      seen[name] = folder
      if !PathText.isUnicode(folder) {
        notes.append("the name of the folder \(root)/\(folder) is not UTF-8; its class is called \(name)")
      }
    }
    places = Dictionary(uniqueKeysWithValues: folders.enumerated().map { (Array($1.utf8), $0) })
    notes += ClassNaming.alike(names, "folder")
  }

  /// Letters with accents may be written in two ways: where there is no folder of the same bytes, one that
  /// looks the same is meant.
  func label(of folder: String, in root: String) throws -> Int {
    if let place = places[Array(folder.utf8)] ?? folders.firstIndex(of: folder) { return place }
    throw DatasetError(.badData, "\(root)/\(folder) is a class that \(self.root) does not have")
  }

  private static func bytes(_ name: String) -> String {
    PathText.bytes(of: name).map { String($0, radix: 16) }.joined(separator: " ")
  }
}

// MARK: - Folders

/// What is in one folder.
private struct ImageFolder {
  let folders: [String]
  let files: [String]
  private let path: String

  init(_ path: String) throws {
    guard let status = FileStatus(path), status.kind == .folder else {
      throw DatasetError(.missingInput, "there is no folder \(path)")
    }
    guard let names = Folder.names(in: path) else {
      throw DatasetError(.missingInput, system: "cannot list the folder \(path)")
    }
    let wanted = names.filter { !Self.isByTheWay($0) }
    folders = wanted.filter { FileStatus.isFolder("\(path)/\($0)") }
    let isFolder = Set(folders.map { Array($0.utf8) })
    files = wanted.filter { !isFolder.contains(Array($0.utf8)) }
    self.path = path
  }

  var pictures: [String] { files.filter { ImageFile.Format(path: $0) != nil } }

  /// Whether there are pictures in it or in the folders in it.
  var holdsPictures: Bool {
    get throws { try !pictures.isEmpty || holdsClasses }
  }

  /// Whether there are pictures in the folders in it.
  var holdsClasses: Bool {
    get throws { try folders.contains { try !ImageFolder("\(path)/\($0)").pictures.isEmpty } }
  }

  /// Whether a name is hidden, or that of something which file managers, archives and notebooks leave behind.
  private static func isByTheWay(_ name: String) -> Bool {
    if name.utf8.first == UInt8(ascii: ".") { return true }
    return [
      "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin",
      "system volume information", "lost+found", "__pycache__",
    ].contains(name.lowercased())
  }
}

/// Collects the pictures of classes, and remarks on what else was there.
private struct ImageFolderWalk {
  private let check: () throws -> Void
  /// Files other than pictures, by the ends of their names.
  private var others: [String: Int] = [:]
  private var strays: [String] = []
  private var circles: [String] = []
  private var nested: [String] = []
  private var seen: [FileStatus.Identity: (path: String, label: Int, split: String)] = [:]
  private var doubles: [String] = []

  private static let depthLimit = 64

  init(check: @escaping () throws -> Void) { self.check = check }

  /// The folders of a split, each a class.
  ///
  /// - Throws: ``DatasetError`` where there are none.
  mutating func folders(in root: String) throws -> [String] {
    let folder = try ImageFolder(root)
    let pictures = folder.pictures
    guard !folder.folders.isEmpty else {
      throw DatasetError(
        .badData,
        pictures.isEmpty
          ? "\(root) has no folders; expected one for each class, with PNG and JPEG files in it"
          : "\(root) holds pictures but no class folders, so they have no labels; put them into a folder for each class, or move \(root) away (predict takes its files as they are)"
      )
    }
    if let first = pictures.first, !strays.contains("\(root)/\(first)") {
      strays += pictures.map { "\(root)/\($0)" }
    }
    return folder.folders
  }

  /// A single class, with its pictures a level deeper, is hardly what is meant.
  func refuseSingleFolder(_ root: String, _ folders: [String]) throws {
    guard folders.count == 1 else { return }
    let only = "\(root)/\(folders[0])"
    let inside = try ImageFolder(only)
    guard inside.pictures.isEmpty, inside.folders.count > 1,
      try inside.folders.contains(where: { try ImageFolder("\(only)/\($0)").holdsPictures })
    else { return }
    throw DatasetError(
      .badData,
      "\(root) has one folder, and the pictures are in folders inside that one; did you mean --from \(only)?")
  }

  /// Image files in a class's folder and in the folders in it.
  mutating func pictures(in folder: String, label: Int, split: String) throws -> [String] {
    // A link may lead back to any folder that the class's folder is in, up to the root.
    var around = FileStatus(Folder.parent(of: folder)).map { [$0.identity] } ?? []
    var above = "\(folder)/.."
    while let identity = FileStatus(above)?.identity, around.last != identity || around.count == 1 {
      around.append(identity)
      above += "/.."
      if around.count > Self.depthLimit { break }
    }
    return try pictures(in: folder, around, label: label, split: split, depth: 0)
  }

  private mutating func pictures(
    in path: String, _ around: [FileStatus.Identity], label: Int, split: String, depth: Int
  ) throws -> [String] {
    try check()
    guard let status = FileStatus(path) else {
      throw DatasetError(.missingInput, system: "cannot list the folder \(path)")
    }
    guard !around.contains(status.identity) else {
      circles.append(path)
      return []
    }
    guard depth < Self.depthLimit else {
      throw DatasetError(.badData, "\(path) is more than \(Self.depthLimit) folders deep")
    }
    let folder = try ImageFolder(path)
    var found: [String] = []
    // Files and folders together, in the order of their names.
    let isFolder = Set(folder.folders.map { Array($0.utf8) })
    let names = (folder.folders + folder.files).sorted {
      PathText.bytes(of: $0).lexicographicallyPrecedes(PathText.bytes(of: $1))
    }
    for name in names {
      let entry = "\(path)/\(name)"
      if isFolder.contains(Array(name.utf8)) {
        let inside = try pictures(
          in: entry, around + [status.identity], label: label, split: split, depth: depth + 1)
        if !inside.isEmpty, depth == 0 { nested.append(entry) }
        found += inside
      } else if ImageFile.Format(path: name) != nil {
        found.append(entry)
        note(entry, label: label, split: split)
      } else {
        others[Self.end(of: name), default: 0] += 1
      }
    }
    return found
  }

  /// Remembers a file; one that is there twice, by links, is worth a note.
  private mutating func note(_ path: String, label: Int, split: String) {
    guard let identity = FileStatus(path)?.identity else { return }
    guard let first = seen[identity] else {
      seen[identity] = (path, label, split)
      return
    }
    let what =
      first.label != label ? "in two classes" : first.split != split ? "in two splits" : "there twice"
    let note = "\(path) is the same file as \(first.path): it is \(what)"
    // The worst comes first.
    if first.label != label { doubles.insert(note, at: 0) } else { doubles.append(note) }
  }

  /// The end of a name: `.webp`; the whole name where there is no dot.
  private static func end(of name: String) -> String {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return name }
    return name[dot...].lowercased()
  }

  // MARK: - Remarks

  var notes: [String] {
    var notes: [String] = []
    if !others.isEmpty {
      let count = others.values.reduce(0, +)
      let ends = others.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
      notes.append(
        "\(counted(count, "file")) other than PNG and JPEG \(count == 1 ? "was" : "were") passed over: "
          + ends.prefix(5).joined(separator: ", ") + (ends.count > 5 ? ", …" : ""))
    }
    if let first = strays.first {
      notes.append(
        "\(counted(strays.count, "picture")) beside the class folders \(strays.count == 1 ? "has" : "have") no class and \(strays.count == 1 ? "was" : "were") left out: \(first)\(strays.count > 1 ? ", …" : "")"
      )
    }
    if let first = nested.first {
      notes.append(
        "pictures in folders inside a class's folder belong to that class: \(nested.prefix(3).joined(separator: ", "))\(nested.count > 3 ? ", …" : "")"
          + "; if \(Folder.name(of: first)) is a class, --from names the folder above it")
    }
    for circle in circles {
      notes.append("\(circle) leads back to a folder that it is in, and was passed over")
    }
    if let first = doubles.first {
      notes.append(first + (doubles.count > 1 ? "; and \(counted(doubles.count - 1, "more such file"))" : ""))
    }
    return notes
  }
}
