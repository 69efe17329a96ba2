internal import COneDNN

/// Number format of a tensor's elements.
public enum DataType: Hashable, Sendable {
  /// 32-bit floating point.
  case f32
  /// 16-bit floating point with the exponent of 32 bits.
  case bf16
  /// Whole numbers from 0 to 255.
  case u8
  /// Whole numbers of 32 bits with a sign.
  case s32

  var raw: dnnl_data_type_t {
    switch self {
    case .f32: dnnl_f32
    case .bf16: dnnl_bf16
    case .u8: dnnl_u8
    case .s32: dnnl_s32
    }
  }

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f32, .s32: 4
    case .bf16: 2
    case .u8: 1
    }
  }
}

/// Dimensions, number format and layout of a tensor in memory, in oneDNN's logical order (N, C, H, W).
public struct MemoryDescriptor: Hashable, Sendable {
  private(set) var raw: dnnl_memory_desc_t

  init(raw: dnnl_memory_desc_t) { self.raw = raw }

  /// No tensor at all, for an absent bias.
  static let zero = MemoryDescriptor(raw: dnnl_memory_desc_t())

  /// A layout that the primitive chooses.
  public static func any(_ dimensions: [Int], _ type: DataType) throws(OneDNNError) -> MemoryDescriptor {
    var raw = dnnl_memory_desc_t()
    try call("dnnl_memory_desc_init_by_tag") {
      dnnl_memory_desc_init_by_tag(
        &raw, Int32(dimensions.count), dimensions.map(Int64.init), type.raw, dnnl_format_tag_any)
    }
    return MemoryDescriptor(raw: raw)
  }

  /// A plain layout: element (i, j, …) lies at i·strides[0] + j·strides[1] + ….
  public static func strided(
    _ dimensions: [Int], _ type: DataType, strides: [Int]
  ) throws(OneDNNError) -> MemoryDescriptor {
    var raw = dnnl_memory_desc_t()
    try call("dnnl_memory_desc_init_by_strides") {
      dnnl_memory_desc_init_by_strides(
        &raw, Int32(dimensions.count), dimensions.map(Int64.init), type.raw, strides.map(Int64.init))
    }
    return MemoryDescriptor(raw: raw)
  }

  /// A plain layout without gaps, row-major in the logical order.
  public static func dense(_ dimensions: [Int], _ type: DataType) throws(OneDNNError) -> MemoryDescriptor {
    var strides = [Int](repeating: 1, count: dimensions.count)
    for axis in dimensions.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * max(dimensions[axis + 1], 1)
    }
    return try strided(dimensions, type, strides: strides)
  }

  /// An image [N, C, H, W] in blocks of 16 or 8 channels, `aBcd16b` or `aBcd8b`: sample, block, row, column, channel within
  /// the block.
  public static func channelBlocks(
    of block: Int, _ dimensions: [Int], _ type: DataType
  ) throws(OneDNNError) -> MemoryDescriptor {
    var raw = dnnl_memory_desc_t()
    try call("dnnl_memory_desc_init_by_tag") {
      dnnl_memory_desc_init_by_tag(
        &raw, Int32(dimensions.count), dimensions.map(Int64.init), type.raw,
        block == 16 ? dnnl_aBcd16b : dnnl_aBcd8b)
    }
    return MemoryDescriptor(raw: raw)
  }

  /// The number of dimensions; 0 where there is no tensor.
  public var rank: Int { Int(raw.ndims) }
  /// The sizes along the axes, in the logical order.
  public var dimensions: [Int] { first(rank, of: raw.dims) }
  /// Dimensions with the zeros that blocked layouts add at the end of an axis.
  public var paddedDimensions: [Int] { first(rank, of: raw.padded_dims) }
  /// Bytes in memory, with the zeros that blocked layouts add.
  public var byteCount: Int { withUnsafePointer(to: raw) { Int(dnnl_memory_desc_get_size($0)) } }
  /// Whether there is no tensor.
  public var isEmpty: Bool { raw.ndims == 0 }

  /// The strides of a plain layout; nil where elements lie in blocks or in a kernel's private order.
  public var plainStrides: [Int]? {
    guard raw.format_kind == dnnl_blocked, raw.format_desc.blocking.inner_nblks == 0 else { return nil }
    return first(rank, of: raw.format_desc.blocking.strides)
  }

  /// The number format of the elements.
  public var dataType: DataType {
    switch raw.data_type {
    case dnnl_bf16: .bf16
    case dnnl_u8: .u8
    case dnnl_s32: .s32
    default: .f32
    }
  }

  /// The same elements under other dimensions, where the layout allows it.
  public func reshaped(to dimensions: [Int]) throws(OneDNNError) -> MemoryDescriptor {
    var result = dnnl_memory_desc_t()
    var source = raw
    try call("dnnl_memory_desc_reshape") {
      dnnl_memory_desc_reshape(&result, &source, Int32(dimensions.count), dimensions.map(Int64.init))
    }
    return MemoryDescriptor(raw: result)
  }

  /// A box of the elements, in the same memory.
  ///
  /// - Parameters:
  ///   - start: the first element's place along each axis; in blocked layouts a whole number of blocks.
  ///   - dimensions: the size of the box.
  public func slice(from start: [Int], dimensions: [Int]) throws(OneDNNError) -> MemoryDescriptor {
    var result = dnnl_memory_desc_t()
    var parent = raw
    try call("dnnl_memory_desc_init_submemory") {
      dnnl_memory_desc_init_submemory(&result, &parent, dimensions.map(Int64.init), start.map(Int64.init))
    }
    return MemoryDescriptor(raw: result)
  }

  /// Where a slice begins, in bytes from the beginning of what it is a slice of.
  public var startByteOffset: Int { Int(raw.offset0) * dataType.byteCount }

  /// The same layout in memory that begins with its first element.
  public var fromItsStart: MemoryDescriptor {
    var copy = self
    copy.raw.offset0 = 0
    return copy
  }

  /// Channels in a block of an image in ``channelBlocks(of:_:_:)``; nil for every other layout.
  public var channelBlock: Int? {
    if case .channelBlocks(let block) = layout { block } else { nil }
  }

  /// The same layout with another number format, where blocks do not depend on it.
  public func with(_ type: DataType) -> MemoryDescriptor {
    var copy = self
    copy.raw.data_type = type.raw
    return copy
  }

  /// How the elements lie in memory.
  public var layout: TensorLayout {
    switch raw.format_kind {
    case dnnl_format_kind_any: return .any
    case dnnl_format_kind_wino: return .winograd
    case dnnl_blocked: break
    default: return .opaque
    }
    let tag = blockedTag
    guard raw.format_desc.blocking.inner_nblks > 0 else { return .plain(tag) }
    switch (rank, tag) {
    case (4, "aBcd16b"): return .channelBlocks(16)
    case (4, "aBcd8b"): return .channelBlocks(8)
    default: return .blocks(tag)
    }
  }

  /// The library's name of a blocked layout: the axes from outermost to innermost, those cut into blocks in capitals, and
  /// the blocks' sizes.
  private var blockedTag: String {
    let blocking = raw.format_desc.blocking
    let blockCount = Int(blocking.inner_nblks)
    let sizes = first(blockCount, of: blocking.inner_blks)
    let axes = first(blockCount, of: blocking.inner_idxs)
    let strides = first(rank, of: blocking.strides)
    let letters = Array("abcdefghijkl")
    let order = (0..<rank).sorted { strides[$0] != strides[$1] ? strides[$0] > strides[$1] : $0 < $1 }
    let outer = order.map { axis in
      let letter = String(letters[axis])
      return axes.contains(axis) ? letter.uppercased() : letter
    }
    let inner = zip(sizes, axes).map { "\($0)\(letters[$1])" }
    return outer.joined() + inner.joined()
  }

  /// Whether two descriptors mean the same place for every element.
  public static func == (left: MemoryDescriptor, right: MemoryDescriptor) -> Bool {
    withUnsafePointer(to: left.raw) { l in
      withUnsafePointer(to: right.raw) { r in dnnl_memory_desc_equal(l, r) != 0 }
    }
  }

  /// Feeds what equality compares.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(dimensions)
    hasher.combine(raw.data_type.rawValue)
  }
}

/// How the elements of a tensor lie in memory.
public enum TensorLayout: Hashable, Sendable {
  /// A layout that is not settled: the kernel chooses.
  case any
  /// Strides alone, by the order of the axes, `abcd` or `acdb`.
  case plain(String)
  /// An image in blocks of this many channels.
  case channelBlocks(Int)
  /// Blocks of other axes, or of several, by the library's name.
  case blocks(String)
  /// Weights transformed for a Winograd kernel, in its own order.
  case winograd
  /// Another order of a kernel's own.
  case opaque

  /// Whether only the kernel that asked for it knows the order, so that nothing can be kept in it and brought back.
  public var isPrivate: Bool {
    switch self {
    case .winograd, .opaque: true
    case .any, .plain, .channelBlocks, .blocks: false
    }
  }
}

extension TensorLayout: CustomStringConvertible {
  /// The layout as plan tables write it: `aBcd16b`, `acdb`, `winograd`.
  public var description: String {
    switch self {
    case .any: "any"
    case .plain(let tag), .blocks(let tag): tag
    case .channelBlocks(let block): "aBcd\(block)b"
    case .winograd: "winograd"
    case .opaque: "opaque"
    }
  }
}

/// The first elements of a C array, which Swift sees as a tuple of Int64.
private func first<Tuple>(_ count: Int, of tuple: Tuple) -> [Int] {
  withUnsafeBytes(of: tuple) { bytes in
    Array(bytes.bindMemory(to: Int64.self).prefix(count).map { Int($0) })
  }
}

/// A tensor: a descriptor over memory that somebody else owns.
///
/// Creating one writes zeros into the layout's padding, so memory objects are made once, before the data.
public final class Memory {
  let raw: dnnl_memory_t

  /// Makes the library see memory of ours as a tensor.
  ///
  /// - Parameter address: at least `descriptor.byteCount` bytes that outlive this object.
  public init(_ descriptor: MemoryDescriptor, at address: UnsafeMutableRawPointer) throws(OneDNNError) {
    let engine = try Engine.shared.get()
    var memory: dnnl_memory_t?
    var description = descriptor.raw
    try call("dnnl_memory_create") { dnnl_memory_create(&memory, &description, engine.raw, address) }
    guard let memory else { throw OneDNNError(function: "dnnl_memory_create", status: 0) }
    raw = memory
  }

  deinit { dnnl_memory_destroy(raw) }
}
