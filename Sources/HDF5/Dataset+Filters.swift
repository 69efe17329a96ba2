internal import CHDF5

/// What a chunk goes through before it is written, and who can undo it.
extension Dataset {
  /// One step of what happens to a chunk before it is written.
  public struct Filter: Hashable, Sendable {
    /// The number by which HDF5 knows deflate, the compression of zlib.
    public static let deflateId = 1
    /// The number of the filter that puts equal bytes of all elements side by side.
    public static let shuffleId = 2
    /// The number of the checksum behind a chunk.
    public static let fletcher32Id = 3
    /// The number of h5py's quick compression, ``LZF``.
    public static let lzfId = 32000

    /// The number by which HDF5 knows the filter.
    public let id: Int
    /// What the filter was told: for deflate the level, for shuffle the element's size.
    public let parameters: [UInt32]
    /// The name in the list of registered filters, or else in the file: `bitshuffle`; `filter 40000` where neither has one.
    public let name: String

    init(id: Int, parameters: [UInt32], storedName: String) {
      self.id = id
      self.parameters = parameters
      // Some programs write a whole sentence; the name is what stands first.
      let name = Self.registered[id] ?? String(storedName.prefix { $0 != ";" && $0 != ":" }.prefix(40))
      self.name = name.isEmpty ? "filter \(id)" : name
    }

    /// The names of filters that people meet.
    ///
    /// - SeeAlso: <https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md>
    private static let registered: [Int: String] = [
      1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 305: "LZO",
      307: "bzip2",
      32000: "lzf", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP", 32015: "Zstandard",
      32017: "SZ",
      32019: "JPEG", 32024: "SZ3", 32026: "Blosc2", 32028: "FCIDECOMP",
    ]

    /// Whether this process can undo the filter; looks for a plug-in where the user has named a folder of them.
    public var isAvailable: Bool {
      Library.withLock { silently { H5Zfilter_avail(H5Z_filter_t(id)) > 0 } }
    }
  }

  /// The filters in the order in which they are applied when writing.
  public func filters() throws -> [Filter] {
    let context = "asking \(quotedName) for its filters"
    let properties = try creationProperties(context)
    let count = try Library.call("H5Pget_nfilters", context) { H5Pget_nfilters(properties.id) }
    return try (0..<count).map { index in
      var flags: UInt32 = 0
      var parameterCount = 32
      var parameters = [UInt32](repeating: 0, count: parameterCount)
      var name = [CChar](repeating: 0, count: 64)
      let id = try Library.call("H5Pget_filter2", context) {
        H5Pget_filter2(
          properties.id, UInt32(index), &flags, &parameterCount, &parameters, name.count - 1, &name, nil)
      }
      let text = name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
      return Filter(
        id: Int(id), parameters: Array(parameters.prefix(min(parameterCount, 32))), storedName: text)
    }
  }

  /// Refuses data that was packed by a filter which this process does not have.
  ///
  /// - Throws: ``HDF5Error`` of kind `missingFilter`, which says how to get at the data all the same.
  public func checkFilters() throws {
    guard let missing = try filters().first(where: { !$0.isAvailable }) else { return }
    throw HDF5Error(
      .missingFilter, "reading \(quotedName)",
      "it is packed by \(missing.name) (HDF5 filter \(missing.id)), which needs a plug-in, and \(Self.plugInAdvice); or "
        + "rewrite the file: h5repack -f GZIP=1 \(file.name) NEW.h5")
  }

  private static var plugInAdvice: String {
    if let folder = Library.plugInFolder { return "\(folder) has none for it that can be loaded" }
    return "none are loaded unless you name their folder with --hdf5-plugins or \(Library.plugInVariable)"
  }
}
