internal import CHDF5
internal import Paths

/// The numbers that this wrapper reads and writes.
public enum NumberType: String, Sendable, CaseIterable, CustomStringConvertible {
  /// IEEE 754, single and double precision.
  case float32, float64
  /// Whole numbers with a sign, in two's complement.
  case int8, int16, int32, int64
  /// Whole numbers from 0.
  case uint8, uint16, uint32, uint64

  /// The size of one number in bytes.
  public var byteCount: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// The name that NumPy uses, too: `float32`.
  public var description: String { rawValue }

  /// The library's constant for such a number in memory; used inside the lock.
  var memoryId: hid_t {
    switch self {
    case .float32: chdf5_native_float()
    case .float64: chdf5_native_double()
    case .int8: chdf5_native_int8()
    case .int16: chdf5_native_int16()
    case .int32: chdf5_native_int32()
    case .int64: chdf5_native_int64()
    case .uint8: chdf5_native_uint8()
    case .uint16: chdf5_native_uint16()
    case .uint32: chdf5_native_uint32()
    case .uint64: chdf5_native_uint64()
    }
  }

  /// The library's constant for such a number in a file, little-endian; used inside the lock.
  var fileId: hid_t {
    switch self {
    case .float32: chdf5_file_float()
    case .float64: chdf5_file_double()
    case .int8: chdf5_file_int8()
    case .int16: chdf5_file_int16()
    case .int32: chdf5_file_int32()
    case .int64: chdf5_file_int64()
    case .uint8: chdf5_file_uint8()
    case .uint16: chdf5_file_uint16()
    case .uint32: chdf5_file_uint32()
    case .uint64: chdf5_file_uint64()
    }
  }
}

/// A Swift number that has a counterpart in HDF5.
public protocol HDF5Number: BitwiseCopyable, Sendable {
  /// The same number as HDF5 has it.
  static var numberType: NumberType { get }
  /// The value that memory is prepared with before it is read into.
  static var zero: Self { get }
}

extension Float: HDF5Number {
  /// Single precision.
  public static var numberType: NumberType { .float32 }
}

extension Double: HDF5Number {
  /// Double precision.
  public static var numberType: NumberType { .float64 }
}

extension Int8: HDF5Number {
  /// Whole numbers of 8 bits with a sign.
  public static var numberType: NumberType { .int8 }
}

extension Int16: HDF5Number {
  /// Whole numbers of 16 bits with a sign.
  public static var numberType: NumberType { .int16 }
}

extension Int32: HDF5Number {
  /// Whole numbers of 32 bits with a sign.
  public static var numberType: NumberType { .int32 }
}

extension Int64: HDF5Number {
  /// Whole numbers of 64 bits with a sign.
  public static var numberType: NumberType { .int64 }
}

extension Int: HDF5Number {
  /// Whole numbers of 64 bits with a sign.
  public static var numberType: NumberType { .int64 }
}

extension UInt8: HDF5Number {
  /// Bytes.
  public static var numberType: NumberType { .uint8 }
}

extension UInt16: HDF5Number {
  /// Whole numbers of 16 bits without a sign.
  public static var numberType: NumberType { .uint16 }
}

extension UInt32: HDF5Number {
  /// Whole numbers of 32 bits without a sign.
  public static var numberType: NumberType { .uint32 }
}

extension UInt64: HDF5Number {
  /// Whole numbers of 64 bits without a sign.
  public static var numberType: NumberType { .uint64 }
}

/// What a stored element is.
public struct Datatype: Hashable, Sendable, CustomStringConvertible {
  /// The class of a type: what its elements are.
  public enum Class: Hashable, Sendable {
    /// Whole numbers.
    case integer(signed: Bool)
    /// Numbers with a fraction, of any size.
    case float
    /// Whole numbers of which some have names; h5py writes truth values as an enumeration of `FALSE` and `TRUE`.
    case enumeration([Name])
    /// Bits without a meaning, read as a whole number from 0; PyTables writes truth values as 8 of them.
    case bitField
    /// Text, each of the element's length or of a length of its own.
    case string(variableLength: Bool)
    /// Anything else, by the library's name for it: `compound`, `reference`, …
    case other(String)
  }

  /// What an enumeration calls one of its values.
  public struct Name: Hashable, Sendable {
    /// The name.
    public let text: String
    /// The number that it stands for.
    public let value: Int64
  }

  /// What elements are, whatever their size.
  public let `class`: Class
  /// Bytes per element in the file.
  public let byteCount: Int
  /// Whether the most significant byte comes first.
  public let isBigEndian: Bool
  /// The number whose little-endian bytes are exactly what the file holds; nil for every other encoding.
  public let exactNumber: NumberType?

  /// Whether reading can convert an element to a number.
  public var isNumber: Bool {
    switch self.class {
    // No number of any program has more; the library would take memory for what a damaged file claims.
    case .integer, .float, .enumeration: (1...16).contains(byteCount)
    case .bitField: [1, 2, 4, 8].contains(byteCount)
    case .string, .other: false
    }
  }

  /// Whether an element is a number without a fraction, whatever its value.
  public var isWholeNumber: Bool { isNumber && self.class != .float }

  /// Whether elements are true or false, as h5py and PyTables write them.
  public var isBoolean: Bool {
    switch self.class {
    case .enumeration(let names):
      names.count == 2 && names.allSatisfy { ["FALSE", "TRUE"].firstIndex(of: $0.text) == Int($0.value) }
    case .bitField: byteCount == 1
    case .integer, .float, .string, .other: false
    }
  }

  /// The names of an enumeration whose values count from 0 without a gap, in their order; nil for everything else.
  public var namesFromZero: [String]? {
    guard case .enumeration(let names) = self.class, !names.isEmpty else { return nil }
    let sorted = names.sorted { $0.value < $1.value }
    guard sorted.indices.allSatisfy({ sorted[$0].value == Int64($0) }) else { return nil }
    return sorted.map(\.text)
  }

  /// The type in a few words, for messages: `float32 big-endian`.
  public var description: String {
    let order = isBigEndian && byteCount > 1 ? " big-endian" : ""
    switch self.class {
    case .integer(let signed): return "\(signed ? "int" : "uint")\(byteCount * 8)\(order)"
    case .float: return "float\(byteCount * 8)\(order)"
    case .enumeration: return isBoolean ? "bool" : "enumeration"
    case .bitField: return isBoolean ? "bool" : "bit field of \(byteCount) bytes"
    case .string(let variable): return variable ? "string" : "string of \(byteCount) bytes"
    case .other(let name): return name
    }
  }

  /// Describes the type `id`, which stays the caller's.
  init(describing id: hid_t) {
    self = Library.withLock {
      H5Eset_auto2(chdf5_default_error_stack(), nil, nil)
      let byteCount = Int(H5Tget_size(id))
      let isBigEndian = H5Tget_order(id) == H5T_ORDER_BE
      let kind: Class
      switch H5Tget_class(id) {
      case H5T_INTEGER: kind = .integer(signed: H5Tget_sign(id) == H5T_SGN_2)
      case H5T_FLOAT: kind = .float
      case H5T_STRING: kind = .string(variableLength: H5Tis_variable_str(id) > 0)
      case H5T_BITFIELD: kind = .bitField
      case H5T_OPAQUE: kind = .other("opaque")
      case H5T_COMPOUND: kind = .other("compound")
      case H5T_REFERENCE: kind = .other("reference")
      case H5T_ENUM: kind = Self.names(of: id).map(Class.enumeration) ?? .other("enumeration of many names")
      case H5T_VLEN: kind = .other("variable-length array")
      case H5T_ARRAY: kind = .other("array")
      default: kind = .other("unknown type")
      }
      var exact = NumberType.allCases.first { H5Tequal(id, $0.fileId) > 0 }
      // One byte has no order, but the library calls u8 big-endian and u8 little-endian two types.
      if exact == nil, byteCount == 1, case .integer(let signed) = kind, H5Tget_precision(id) == 8 {
        exact = signed ? .int8 : .uint8
      }
      let type = Datatype(kind, byteCount: byteCount, isBigEndian: isBigEndian, exactNumber: exact)
      guard type.isBoolean, byteCount == 1 else { return type }
      return Datatype(kind, byteCount: byteCount, isBigEndian: isBigEndian, exactNumber: .uint8)
    }
  }

  /// No data set that people train on has more classes than this.
  private static let mostNames: Int32 = 1 << 16

  /// The names of an enumeration in the file's order; used inside the lock.
  ///
  /// - Returns: nil where there are too many, or one cannot be read.
  private static func names(of id: hid_t) -> [Name]? {
    let count = H5Tget_nmembers(id)
    guard count >= 0, count <= mostNames else { return nil }
    let base = H5Tget_super(id)
    guard base >= 0 else { return nil }
    defer { _ = H5Tclose(base) }
    // Converted in place: the longer of the stored number and the one it becomes must fit.
    let size = max(H5Tget_size(base), 8)
    guard size <= 64 else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    var names: [Name] = []
    for index in 0..<UInt32(count) {
      guard let text = H5Tget_member_name(id, index) else { return nil }
      defer { _ = H5free_memory(text) }
      guard H5Tget_member_value(id, index, &bytes) >= 0,
        H5Tconvert(base, chdf5_native_int64(), 1, &bytes, nil, chdf5_default_properties()) >= 0
      else { return nil }
      let value = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
      names.append(Name(text: PathText.text(of: text), value: value))
    }
    return names
  }

  private init(_ kind: Class, byteCount: Int, isBigEndian: Bool, exactNumber: NumberType?) {
    self.class = kind
    self.byteCount = byteCount
    self.isBigEndian = isBigEndian
    self.exactNumber = exactNumber
  }
}
