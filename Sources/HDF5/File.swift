internal import CHDF5
internal import Glibc
internal import Paths
internal import Synchronization

/// An open HDF5 file, on disk or in memory.
///
/// Groups and datasets opened from it keep it open. A file that was written is closed with ``close()``, which reports
/// what `deinit` could only swallow.
public final class File: Sendable {
  /// The path, or words that say that the file is in memory; for messages.
  public let name: String
  let handle: Handle
  /// The folder of a file on disk; nil for one in memory.
  let folder: String?
  /// Its strings, where another process has read them already.
  let surveyed: SurveyedTexts?

  private init(name: String, handle: Handle, isOnDisk: Bool, surveyed: SurveyedTexts? = nil) {
    self.name = name
    self.handle = handle
    self.surveyed = surveyed
    guard isOnDisk else {
      folder = nil
      return
    }
    let split = name.lastIndex(of: "/")
    folder = split.map { $0 == name.startIndex ? "/" : String(name[..<$0]) } ?? "."
  }

  /// Opens a file for reading.
  ///
  /// No file lock is taken, so network file systems without locks work. The library skips a user block before the HDF5
  /// part. Where ``Isolation`` is on, another process looks into the file first.
  ///
  /// - Parameter names: the datasets that will be asked for; nil has all there is looked into, which takes longer.
  /// - Throws: ``HDF5Error`` of kind `missingFile`, `notPermitted`, `notHDF5`, `harmful`.
  public static func open(_ path: String, reading names: [String]? = nil) throws -> File {
    let context = "opening \(path)"
    try checkReadable(path, context)
    let surveyed = try Isolation.check(path, names, context)
    let access = try accessProperties(context, isRead: true)
    do {
      let handle = try Handle("H5Fopen", context) { H5Fopen(path.systemPath, chdf5_read_only(), access.id) }
      return File(name: path, handle: handle, isOnDisk: true, surveyed: surveyed?.texts)
    } catch let error as HDF5Error {
      throw diagnose(error, isHDF5: Library.withLock { H5Fis_hdf5(path.systemPath) > 0 })
    }
  }

  /// Lets another process look into all of a file, where ``Isolation`` is on, before this one does.
  ///
  /// - Throws: ``HDF5Error`` of kind `harmful` where that process came to harm.
  @discardableResult
  public static func check(_ path: String) throws -> Survey? {
    try Isolation.check(path, nil, "opening \(path)").map { Survey(texts: $0.texts, identity: $0.identity) }
  }

  /// What another process has read of a file.
  public struct Survey: Sendable {
    let texts: SurveyedTexts
    let identity: Isolation.Identity

    /// Whether the file that it read is the one that is open here, in the same state.
    public func isOf(_ descriptor: Int32) -> Bool { Isolation.Identity(descriptor: descriptor) == identity }
  }

  /// Makes a new, empty file on disk.
  ///
  /// - Throws: ``HDF5Error`` of kind `exists` when the path is taken and `overwrite` is false.
  public static func create(_ path: String, overwrite: Bool = false) throws -> File {
    let context = "creating \(path)"
    if !overwrite, access(path.systemPath, F_OK) == 0 {
      throw HDF5Error(.exists, context, "the file exists already")
    }
    let access = try accessProperties(context)
    let flags = overwrite ? chdf5_create_or_truncate() : chdf5_create_exclusive()
    return try create(path, name: path, flags: flags, access: access, context)
  }

  /// Makes a new, empty file that lives in memory and is never written to disk; see ``image()``.
  public static func createInMemory() throws -> File { try createInMemory(userBlockByteCount: 0) }

  static func createInMemory(userBlockByteCount: Int) throws -> File {
    let context = "creating a file in memory"
    let access = try accessProperties(context)
    try useMemory(access, context)
    return try create(
      uniqueMemoryPath(), name: "a file in memory", flags: chdf5_create_or_truncate(), access: access,
      userBlockByteCount: userBlockByteCount, context)
  }

  /// Opens the bytes of an HDF5 file for reading, as if they stood in a file called `name`.
  ///
  /// The library copies the bytes.
  ///
  /// - Parameter survey: what another process has read of the same bytes; nil where they are trusted.
  public static func open(
    image: UnsafeRawBufferPointer, name: String, survey: Survey? = nil
  ) throws -> File {
    let context = "opening \(name)"
    guard let base = image.baseAddress, !image.isEmpty else {
      throw HDF5Error(.notHDF5, context, "it is empty")
    }
    let access = try accessProperties(context)
    try useMemory(access, context)
    try Library.call("H5Pset_file_image", context) {
      H5Pset_file_image(access.id, UnsafeMutableRawPointer(mutating: base), image.count)
    }
    let path = uniqueMemoryPath()
    do {
      let handle = try Handle("H5Fopen", context) { H5Fopen(path.systemPath, chdf5_read_only(), access.id) }
      return File(name: name, handle: handle, isOnDisk: false, surveyed: survey?.texts)
    } catch let error as HDF5Error {
      let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
      throw diagnose(error, isHDF5: image.starts(with: signature))
    }
  }

  /// Opens a file that lies in memory.
  public static func open(image: [UInt8], name: String) throws -> File {
    try image.withUnsafeBytes { try open(image: $0, name: name) }
  }

  /// The group that holds everything.
  public var root: Group {
    get throws { try Group(opening: "/", of: self) }
  }

  /// All bytes of the file as they would stand on disk, without a user block.
  ///
  /// Two files made by the same calls with the same values have the same image.
  public func image() throws -> [UInt8] {
    let context = "taking the bytes of \(name)"
    try Library.call("H5Fflush", context) { H5Fflush(handle.id, H5F_SCOPE_LOCAL) }
    let size = try Library.call("H5Fget_file_image", context) { H5Fget_file_image(handle.id, nil, 0) }
    return try [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      count = try Library.call("H5Fget_file_image", context) {
        H5Fget_file_image(handle.id, bytes.baseAddress, size)
      }
    }
  }

  /// Bytes of the whole file.
  public var byteCount: Int {
    get throws {
      var size: hsize_t = 0
      try Library.call("H5Fget_filesize", "asking \(name) for its size") { H5Fget_filesize(handle.id, &size) }
      return Int(clamping: size)
    }
  }

  /// Bytes before the HDF5 part, which belong to the user; 0 in most files.
  public var userBlockByteCount: Int {
    get throws {
      let context = "asking \(name) for its properties"
      let properties = try Handle("H5Fget_create_plist", context) { H5Fget_create_plist(handle.id) }
      var size: hsize_t = 0
      try Library.call("H5Pget_userblock", context) { H5Pget_userblock(properties.id, &size) }
      return Int(size)
    }
  }

  /// Writes everything out and closes the file; all its groups and datasets must be gone before.
  ///
  /// Data is then with the operating system, not yet on the disk: the library never calls `fsync`.
  public func close() throws {
    try Library.withLock {
      guard handle.id >= 0 else { return }
      try Library.call("H5Fflush", "writing \(name)") { H5Fflush(handle.id, H5F_SCOPE_GLOBAL) }
      try handle.close("closing \(name)")
    }
  }

  // MARK: - Making and opening

  private static let memoryFileCount = Atomic<Int>(0)

  /// The library tells files in memory apart by name, and tries to open the name on disk first: no such path can exist.
  private static func uniqueMemoryPath() -> String {
    "/dev/null/memory-\(memoryFileCount.wrappingAdd(1, ordering: .relaxed).newValue)"
  }

  private static func create(
    _ path: String, name: String, flags: UInt32, access: Handle, userBlockByteCount: Int = 0,
    _ context: String
  ) throws -> File {
    let properties = try Handle.properties(of: chdf5_file_create_class())
    // Times in objects would make the same contents different bytes.
    try Library.call("H5Pset_obj_track_times", context) { H5Pset_obj_track_times(properties.id, false) }
    try Library.call("H5Pset_userblock", context) {
      H5Pset_userblock(properties.id, hsize_t(userBlockByteCount))
    }
    let handle = try Handle("H5Fcreate", context) {
      H5Fcreate(path.systemPath, flags, properties.id, access.id)
    }
    return File(name: name, handle: handle, isOnDisk: name == path)
  }

  /// - Parameter isRead: whether the file is only read.
  private static func accessProperties(_ context: String, isRead: Bool = false) throws -> Handle {
    let access = try Handle.properties(of: chdf5_file_access_class())
    try Library.call("H5Pset_file_locking", context) { H5Pset_file_locking(access.id, false, true) }
    // Closing reports objects that are still open instead of leaving the file open unseen. The sources of virtual datasets are always
    // opened with the weaker rule, and a file has one rule for all who have it open.
    let degree = isRead ? H5F_CLOSE_WEAK : H5F_CLOSE_SEMI
    try Library.call("H5Pset_fclose_degree", context) { H5Pset_fclose_degree(access.id, degree) }
    return access
  }

  private static func useMemory(_ access: Handle, _ context: String) throws {
    let growth = 1 << 20
    try Library.call("H5Pset_fapl_core", context) { H5Pset_fapl_core(access.id, growth, false) }
  }

  private static func checkReadable(_ path: String, _ context: String) throws {
    var status = stat()
    guard stat(path.systemPath, &status) == 0 else {
      throw HDF5Error(
        errno == EACCES ? .notPermitted : .missingFile, context,
        errno == ENOENT ? "there is no such file" : String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HDF5Error(
        .missingFile, context, status.st_mode & S_IFMT == S_IFDIR ? "it is a folder" : "it is not a file")
    }
    guard access(path.systemPath, R_OK) == 0 else {
      throw HDF5Error(.notPermitted, context, String(cString: strerror(errno)))
    }
  }

  private static func diagnose(_ error: HDF5Error, isHDF5: Bool) -> HDF5Error {
    if let refusal = error.systemRefusal { return error.seen(as: .library, because: refusal) }
    return isHDF5
      ? error.seen(as: .notHDF5, because: "the HDF5 file is damaged: \(error.reason)")
      : error.seen(as: .notHDF5, because: "it is not an HDF5 file")
  }
}
