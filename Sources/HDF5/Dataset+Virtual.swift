internal import CHDF5
internal import Glibc
internal import Paths
internal import Synchronization

/// Datasets that are put together from others, and where these are.
extension Dataset {
  /// A dataset whose elements a virtual one shows.
  public struct Source: Hashable, Sendable {
    /// The path of its file as the virtual dataset has it; `.` for the virtual dataset's own.
    public let file: String
    /// The dataset's path in that file.
    public let dataset: String
    /// How many elements it shows.
    let elementCount: Int
  }

  /// What a virtual dataset is put together from, in the file's order.
  public func sources() throws -> [Source] {
    let context = "asking \(quotedName) for its sources"
    let properties = try creationProperties(context)
    var count = 0
    try Library.call("H5Pget_virtual_count", context) { H5Pget_virtual_count(properties.id, &count) }
    guard count <= Self.mostSources else {
      throw HDF5Error(.tooLarge, context, "it has \(count) sources; at most \(Self.mostSources) are read")
    }
    return try (0..<count).map { index in
      let file = try Self.text("H5Pget_virtual_filename", context) {
        H5Pget_virtual_filename(properties.id, index, $0, $1)
      }
      let dataset = try Self.text("H5Pget_virtual_dsetname", context) {
        H5Pget_virtual_dsetname(properties.id, index, $0, $1)
      }
      let space = try Handle("H5Pget_virtual_vspace", context) { H5Pget_virtual_vspace(properties.id, index) }
      let elements = Library.withLock { silently { H5Sget_select_npoints(space.id) } }
      return Source(file: file, dataset: dataset, elementCount: Int(max(0, elements)))
    }
  }

  private static let mostSources = 1 << 16

  /// Virtual datasets may be made from virtual ones, but no deeper than this.
  private static let deepest = 4

  private static func text(
    _ function: StaticString, _ context: String, _ body: (UnsafeMutablePointer<CChar>?, Int) -> Int
  ) throws -> String {
    let length = try Library.call(function, context) { body(nil, 0) }
    var bytes = [CChar](repeating: 0, count: length + 1)
    try Library.call(function, context) { body(&bytes, bytes.count) }
    return bytes.withUnsafeBufferPointer { $0.baseAddress.map { PathText.text(of: $0) } ?? "" }
  }

  /// Refuses data in other files that are not read, or not there; ``read(into:region:)`` does so, too.
  ///
  /// - Throws: ``HDF5Error`` of kind `refusedLink`.
  public func checkSources() throws { try checkOtherFiles("reading \(quotedName)") }

  /// Stops a read that would open files which it should not, or give fill values in place of samples.
  ///
  /// External storage is never read. The sources of a virtual dataset must be in its own file, or in files of its folder or of
  /// folders in that: all there, and together as many elements as the dataset has. The library itself would put the fill value in place
  /// of what is missing, without a word.
  func checkOtherFiles(_ context: String) throws { try checkOtherFiles(context, depth: 0) }

  private func checkOtherFiles(_ context: String, depth: Int) throws {
    if hasSoundSources.load(ordering: .acquiring) { return }
    switch try layout() {
    case .compact, .contiguous, .chunked: break
    case .externalFiles:
      throw HDF5Error(
        .refusedLink, context,
        "its data is in files that are not HDF5 (external storage), which are not opened")
    case .virtual: try checkSources(context, depth)
    }
    hasSoundSources.store(true, ordering: .releasing)
  }

  private func checkSources(_ context: String, _ depth: Int) throws {
    func refuse(_ reason: String) -> HDF5Error { HDF5Error(.refusedLink, context, reason) }
    guard depth < Self.deepest else { throw refuse("it is made from virtual datasets \(depth) deep") }
    let sources = try sources()
    var left = elementCount
    var files: [String: File] = [:]
    var sizes: [[String]: Int] = [:]
    for source in sources {
      guard !source.file.contains("%"), !source.dataset.contains("%") else {
        throw refuse(
          "it is made from files or datasets with a counter in their names (\(source.file)), which are not read"
        )
      }
      let inside = try files[source.file] ?? open(source, context)
      files[source.file] = inside
      let dataset: Dataset
      do { dataset = try inside.root.dataset(source.dataset) } catch let error as HDF5Error
        where error.kind == .noSuchName
      {
        throw refuse("its source \"\(source.dataset)\" is missing in \(inside.name)")
      }
      if sizes[[source.file, source.dataset]] == nil {
        try dataset.checkPlausibleSize()
        try dataset.checkOtherFiles(context, depth: depth + 1)
        sizes[[source.file, source.dataset]] = dataset.elementCount
      }
      left -= min(left, source.elementCount)
    }
    guard left == 0 else {
      throw refuse(
        "it is virtual, and its sources leave \(left) of its \(elementCount) elements without a value")
    }
    // A few bytes could otherwise show one source a million times.
    let there = sizes.values.reduce(0) { $0.addingReportingOverflow($1).overflow ? Int.max : $0 + $1 }
    guard elementCount <= there else {
      throw refuse("it is virtual, and shows its sources' \(there) elements more than once")
    }
  }

  /// Opens a source's file.
  private func open(_ source: Source, _ context: String) throws -> File {
    if source.file == "." { return file }
    guard let folder = file.folder else {
      throw HDF5Error(
        .refusedLink, context, "it is made from other files (\(source.file)), which are not opened")
    }
    let path = source.file.hasPrefix("/") ? source.file : "\(folder)/\(source.file)"
    guard let resolved = canonical(path) else {
      throw HDF5Error(.refusedLink, context, "it is made from other files, and \(path) is not there")
    }
    guard let home = canonical(folder), resolved.hasPrefix(home == "/" ? home : "\(home)/") else {
      throw HDF5Error(
        .refusedLink, context,
        "it is made from \(source.file), which is opened only where it is in the folder \(folder) or below it"
      )
    }
    return try File.open(path)
  }

  private func canonical(_ path: String) -> String? {
    guard let resolved = realpath(path.systemPath, nil) else { return nil }
    defer { free(resolved) }
    return PathText.text(of: resolved)
  }
}
