internal import CHDF5
internal import Paths

/// A group: a folder inside an HDF5 file.
///
/// Names in a file may be any bytes, as names of files are: they are told, and taken, as ``PathText`` has them.
public final class Group: Sendable {
  /// The file that it is in, which it keeps open.
  public let file: File
  /// The path from the file's root, for messages: `/train`.
  public let path: String
  let handle: Handle

  init(opening path: String, of file: File) throws {
    handle = try Handle("H5Gopen2", "opening \"\(path)\" of \(file.name)", in: file.handle) {
      H5Gopen2(file.handle.id, path.systemPath, chdf5_default_properties())
    }
    self.file = file
    self.path = path
  }

  private init(file: File, path: String, handle: Handle) {
    self.file = file
    self.path = path
    self.handle = handle
  }

  /// Its small named values.
  public var attributes: Attributes {
    Attributes(owner: handle, ownerName: "\"\(path)\" of \(file.name)", surveyed: file.surveyed)
  }

  // MARK: - Members

  /// What a name in a group stands for.
  public struct Member: Hashable, Sendable {
    /// What a name in a group leads to.
    public enum Kind: Hashable, Sendable {
      /// An object of the same file.
      case group, dataset, namedType
      /// A link to nothing, or to another file.
      case unresolved
    }
    /// How a name in a group leads there.
    public enum Link: Hashable, Sendable {
      /// The object itself, under one of its names.
      case hard
      /// Another path of the same file.
      case soft(to: String)
      /// An object in another file; never followed.
      case external
    }
    /// The name in the group, without a path.
    public let name: String
    /// What the name leads to.
    public let kind: Kind
    /// How it leads there.
    public let link: Link
    /// What tells the object from all others of its file; 0 where it is unresolved.
    let address: UInt64
  }

  /// Which links a path may lead through.
  ///
  /// External links are always refused.
  public enum LinkPolicy: Sendable {
    /// Only through names of objects themselves.
    case hardOnly
    /// Through soft links, too.
    case hardAndSoft
  }

  /// The members by name, in the order of their names.
  public func members() throws -> [Member] {
    final class Names {
      var list: [String] = []
    }
    let names = Names()
    let context = "listing \(quoted(""))"
    var index: hsize_t = 0
    try withExtendedLifetime(names) {
      _ = try Library.call("H5Literate", context) {
        H5Literate(
          handle.id, H5_INDEX_NAME, H5_ITER_INC, &index,
          { _, name, _, data in
            guard let name, let data else { return 0 }
            Unmanaged<Names>.fromOpaque(data).takeUnretainedValue().list.append(PathText.text(of: name))
            return 0
          }, Unmanaged.passUnretained(names).toOpaque())
      }
    }
    return try names.list.map { try member($0) }
  }

  /// The member called `name`; throws `noSuchName` when there is none.
  public func member(_ name: String) throws -> Member {
    let link = try link(name)
    if link == .external { return Member(name: name, kind: .unresolved, link: link, address: 0) }
    var type = H5O_TYPE_UNKNOWN
    var address: haddr_t = 0
    let found = Library.withLock {
      silently { chdf5_object_type(handle.id, name.systemPath, &type, &address) >= 0 }
    }
    let kind: Member.Kind =
      switch (found, type) {
      case (true, H5O_TYPE_GROUP): .group
      case (true, H5O_TYPE_DATASET): .dataset
      case (true, H5O_TYPE_NAMED_DATATYPE): .namedType
      default: .unresolved
      }
    return Member(name: name, kind: kind, link: link, address: found ? UInt64(address) : 0)
  }

  /// The paths of the datasets in this group and in those below it, relative to it.
  ///
  /// - Parameters:
  ///   - limit: the most paths that are returned; at most ten times as many groups are looked into.
  ///   - links: whether soft links to datasets count, too.
  public func datasetNames(atMost limit: Int, links: LinkPolicy = .hardOnly) throws -> [String] {
    var names: [String] = []
    var groupCount = 0
    try visit { path, member in
      if member.kind == .dataset, member.link == .hard || links == .hardAndSoft { names.append(path) }
      if member.kind == .group { groupCount += 1 }
      return names.count < limit && groupCount < 10 * limit
    }
    return names
  }

  /// How many groups deep a walk goes.
  private static let deepest = 32

  /// Goes through all links of this group and those below it, in the order of their names; soft ones to groups lead nowhere.
  ///
  /// Groups can hold each other in a circle: none is gone into inside itself.
  ///
  /// - Parameter body: gets a path relative to this group; false ends the walk.
  func visit(_ body: (String, Member) throws -> Bool) throws {
    var (type, address): (H5O_type_t, haddr_t) = (H5O_TYPE_UNKNOWN, 0)
    try Library.call("H5Oget_info_by_name2", "looking at \(quoted(""))") {
      chdf5_object_type(handle.id, ".", &type, &address)
    }
    var pending: [(group: Group, path: String, ancestors: [UInt64])] = [(self, "", [UInt64(address)])]
    while let (group, path, ancestors) = pending.popLast() {
      var inner: [(group: Group, path: String, ancestors: [UInt64])] = []
      for member in try group.members() {
        let name = path + member.name
        guard try body(name, member) else { return }
        guard member.kind == .group, member.link == .hard, ancestors.count < Self.deepest,
          !ancestors.contains(member.address)
        else { continue }
        inner.append((try group.group(member.name), "\(name)/", ancestors + [member.address]))
      }
      pending += inner.reversed()
    }
  }

  private func link(_ name: String) throws -> Member.Link {
    let context = "looking up \(quoted(name))"
    let exists = try Library.call("H5Lexists", context) {
      H5Lexists(handle.id, name.systemPath, chdf5_default_properties())
    }
    guard exists > 0 else { throw HDF5Error(.noSuchName, context, "there is no such name") }
    var type = H5L_TYPE_ERROR
    var size = 0
    try Library.call("H5Lget_info", context) { chdf5_link_info(handle.id, name.systemPath, &type, &size) }
    switch type {
    case H5L_TYPE_HARD: return .hard
    case H5L_TYPE_SOFT:
      var value = [CChar](repeating: 0, count: size + 1)
      try Library.call("H5Lget_val", context) {
        H5Lget_val(handle.id, name.systemPath, &value, size, chdf5_default_properties())
      }
      return .soft(to: value.withUnsafeBufferPointer { $0.baseAddress.map { PathText.text(of: $0) } ?? "" })
    default: return .external
    }
  }

  // MARK: - Opening

  /// Opens a group by a path relative to this one.
  public func group(_ path: String, links: LinkPolicy = .hardAndSoft) throws -> Group {
    let member = try walk(to: path, links)
    guard member.kind == .group else {
      throw HDF5Error(.mismatch, "opening \(quoted(path))", "it is not a group")
    }
    let handle = try Handle("H5Gopen2", "opening \(quoted(path))", in: file.handle) {
      H5Gopen2(self.handle.id, path.systemPath, chdf5_default_properties())
    }
    return Group(file: file, path: joined(path), handle: handle)
  }

  /// Opens a dataset by a path relative to this group.
  public func dataset(_ path: String, links: LinkPolicy = .hardAndSoft) throws -> Dataset {
    let member = try walk(to: path, links)
    guard member.kind == .dataset else {
      throw HDF5Error(.mismatch, "opening \(quoted(path))", "it is not a dataset")
    }
    let handle = try Handle("H5Dopen2", "opening \(quoted(path))", in: file.handle) {
      H5Dopen2(self.handle.id, path.systemPath, chdf5_default_properties())
    }
    return try Dataset(file: file, path: joined(path), adopting: handle)
  }

  /// Checks every link on the way to `path`, so that none leads where the caller does not want to go.
  private func walk(to path: String, _ policy: LinkPolicy) throws -> Member {
    let context = "opening \(quoted(path))"
    var (group, last): (Group, Member?) = (self, nil)
    let components = path.split(separator: "/").map(String.init)
    for (position, name) in components.enumerated() {
      let member = try group.member(name)
      switch (member.link, policy) {
      case (.external, _):
        throw HDF5Error(
          .refusedLink, context,
          "\"\(name)\" is a link to another file, which is not followed; name that file instead")
      case (.soft(let target), .hardOnly):
        throw HDF5Error(
          .refusedLink, context, "\"\(name)\" is a link to \"\(target)\", which is not followed")
      case (.soft(let target), .hardAndSoft) where member.kind == .unresolved:
        throw HDF5Error(.noSuchName, context, "\"\(name)\" is a link to \"\(target)\", which is not there")
      case (.hard, _), (.soft, .hardAndSoft): break
      }
      last = member
      guard position + 1 < components.count else { break }
      guard member.kind == .group else {
        throw HDF5Error(.noSuchName, context, "\"\(name)\" is not a group")
      }
      let handle = try Handle("H5Gopen2", context, in: file.handle) {
        H5Gopen2(group.handle.id, name.systemPath, chdf5_default_properties())
      }
      group = Group(file: file, path: group.joined(name), handle: handle)
    }
    guard let last else { throw HDF5Error(.noSuchName, context, "the name is empty") }
    return last
  }

  // MARK: - Making

  /// Makes a group, and the groups above it that are missing.
  public func makeGroup(_ path: String) throws -> Group {
    let context = "making the group \(quoted(path))"
    let links = try Self.intermediateGroups(context)
    let properties = try Handle.properties(of: chdf5_group_create_class())
    try Library.call("H5Pset_obj_track_times", context) { H5Pset_obj_track_times(properties.id, false) }
    let handle = try Handle("H5Gcreate2", context, in: file.handle) {
      H5Gcreate2(self.handle.id, path.systemPath, links.id, properties.id, chdf5_default_properties())
    }
    return Group(file: file, path: joined(path), handle: handle)
  }

  /// Makes a dataset, and the groups above it that are missing; its elements are zero until written.
  ///
  /// - Parameters:
  ///   - shape: dimensions, outermost first; empty for a scalar.
  ///   - chunks: the chunk's dimensions, for chunked storage; nil for contiguous.
  ///   - deflateLevel: 1 (fast) to 9 (small), or nil for no compression; needs `chunks`.
  ///   - shuffle: whether bytes of equal significance are put together before compression.
  public func makeDataset(
    _ path: String, type: NumberType, shape: [Int], chunks: [Int]? = nil, deflateLevel: Int? = nil,
    shuffle: Bool = false
  ) throws -> Dataset {
    precondition(shape.allSatisfy { $0 >= 0 }, "a dimension of \(shape) is negative")
    precondition(
      chunks.map { $0.count == shape.count && $0.allSatisfy { $0 > 0 } } ?? (deflateLevel == nil && !shuffle),
      "chunks \(chunks ?? []) do not fit shape \(shape)")
    let context = "making the dataset \(quoted(path))"
    let properties = try Handle.properties(of: chdf5_dataset_create_class())
    try Library.call("H5Pset_obj_track_times", context) { H5Pset_obj_track_times(properties.id, false) }
    if let chunks {
      let dimensions = chunks.map { hsize_t($0) }
      try Library.call("H5Pset_chunk", context) {
        H5Pset_chunk(properties.id, Int32(dimensions.count), dimensions)
      }
      if shuffle { try Library.call("H5Pset_shuffle", context) { H5Pset_shuffle(properties.id) } }
      if let deflateLevel {
        precondition((1...9).contains(deflateLevel), "deflate level \(deflateLevel) is not in 1...9")
        try Library.call("H5Pset_deflate", context) { H5Pset_deflate(properties.id, UInt32(deflateLevel)) }
      }
    }
    return try makeDataset(
      path, typeID: Library.withLock { type.fileId }, shape: shape, properties: properties, context)
  }

  /// Makes a contiguous dataset of any type.
  func makeDataset(_ path: String, typeID: hid_t, shape: [Int], _ context: String) throws -> Dataset {
    let properties = try Handle.properties(of: chdf5_dataset_create_class())
    try Library.call("H5Pset_obj_track_times", context) { H5Pset_obj_track_times(properties.id, false) }
    return try makeDataset(path, typeID: typeID, shape: shape, properties: properties, context)
  }

  private func makeDataset(
    _ path: String, typeID: hid_t, shape: [Int], properties: Handle, _ context: String
  ) throws -> Dataset {
    let links = try Self.intermediateGroups(context)
    let space = try Dataspace.make(shape: shape, context)
    let handle = try Handle("H5Dcreate2", context, in: file.handle) {
      H5Dcreate2(
        self.handle.id, path.systemPath, typeID, space.id, links.id, properties.id,
        chdf5_default_properties())
    }
    return try Dataset(file: file, path: joined(path), adopting: handle)
  }

  /// Makes a contiguous dataset and writes all of it.
  @discardableResult
  public func write<Number: HDF5Number>(_ path: String, _ values: [Number], shape: [Int]) throws -> Dataset {
    let dataset = try makeDataset(path, type: Number.numberType, shape: shape)
    try values.withUnsafeBufferPointer { try dataset.write($0) }
    return dataset
  }

  private static func intermediateGroups(_ context: String) throws -> Handle {
    let links = try Handle.properties(of: chdf5_link_create_class())
    try Library.call("H5Pset_create_intermediate_group", context) {
      H5Pset_create_intermediate_group(links.id, 1)
    }
    return links
  }

  // MARK: - Names

  private func joined(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }

  private func quoted(_ name: String) -> String {
    "\"\(name.isEmpty ? path : joined(name))\" of \(file.name)"
  }
}

/// Runs a call whose failure is an answer and not an error.
func silently<Result>(_ body: () -> Result) -> Result {
  H5Eset_auto2(chdf5_default_error_stack(), nil, nil)
  return body()
}
