internal import CHDF5

/// The numbers that this wrapper reads and writes.
public enum NumberType: String, Sendable, CaseIterable, CustomStringConvertible {
  case float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64

  public var byteCount: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

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
  static var numberType: NumberType { get }
  /// The value that memory is prepared with before it is read into.
  static var zero: Self { get }
}

extension Float: HDF5Number { public static var numberType: NumberType { .float32 } }
extension Double: HDF5Number { public static var numberType: NumberType { .float64 } }
extension Int8: HDF5Number { public static var numberType: NumberType { .int8 } }
extension Int16: HDF5Number { public static var numberType: NumberType { .int16 } }
extension Int32: HDF5Number { public static var numberType: NumberType { .int32 } }
extension Int64: HDF5Number { public static var numberType: NumberType { .int64 } }
extension Int: HDF5Number { public static var numberType: NumberType { .int64 } }
extension UInt8: HDF5Number { public static var numberType: NumberType { .uint8 } }
extension UInt16: HDF5Number { public static var numberType: NumberType { .uint16 } }
extension UInt32: HDF5Number { public static var numberType: NumberType { .uint32 } }
extension UInt64: HDF5Number { public static var numberType: NumberType { .uint64 } }

/// What a stored element is.
public struct Datatype: Hashable, Sendable, CustomStringConvertible {
  public enum Class: Hashable, Sendable {
    case integer(signed: Bool)
    case float
    /// Text, each of the element's length or of a length of its own.
    case string(variableLength: Bool)
    /// Anything else, by the library's name for it: `enumeration`, `compound`, …
    case other(String)
  }

  public let `class`: Class
  /// Bytes per element in the file.
  public let byteCount: Int
  public let isBigEndian: Bool
  /// The number whose little-endian bytes are exactly what the file holds; nil for every other encoding.
  public let exactNumber: NumberType?

  /// Whether reading can convert an element to a number.
  public var isNumber: Bool {
    switch self.class {
    case .integer, .float: true
    case .string, .other: false
    }
  }

  public var description: String {
    let order = isBigEndian && byteCount > 1 ? " big-endian" : ""
    switch self.class {
    case .integer(let signed): return "\(signed ? "int" : "uint")\(byteCount * 8)\(order)"
    case .float: return "float\(byteCount * 8)\(order)"
    case .string(let variable): return variable ? "string" : "string of \(byteCount) bytes"
    case .other(let name): return name
    }
  }

  /// Describes the type `id`, which stays the caller's.
  init(describing id: hid_t) {
    self = Library.withLock {
      let byteCount = Int(H5Tget_size(id))
      let isBigEndian = H5Tget_order(id) == H5T_ORDER_BE
      let kind: Class
      switch H5Tget_class(id) {
      case H5T_INTEGER: kind = .integer(signed: H5Tget_sign(id) == H5T_SGN_2)
      case H5T_FLOAT: kind = .float
      case H5T_STRING: kind = .string(variableLength: H5Tis_variable_str(id) > 0)
      case H5T_BITFIELD: kind = .other("bit field")
      case H5T_OPAQUE: kind = .other("opaque")
      case H5T_COMPOUND: kind = .other("compound")
      case H5T_REFERENCE: kind = .other("reference")
      case H5T_ENUM: kind = .other("enumeration")
      case H5T_VLEN: kind = .other("variable-length array")
      case H5T_ARRAY: kind = .other("array")
      default: kind = .other("unknown type")
      }
      var exact = NumberType.allCases.first { H5Tequal(id, $0.fileId) > 0 }
      // One byte has no order, but the library calls u8 big-endian and u8 little-endian two types.
      if exact == nil, byteCount == 1, case .integer(let signed) = kind, H5Tget_precision(id) == 8 {
        exact = signed ? .int8 : .uint8
      }
      return Datatype(kind, byteCount: byteCount, isBigEndian: isBigEndian, exactNumber: exact)
    }
  }

  private init(_ kind: Class, byteCount: Int, isBigEndian: Bool, exactNumber: NumberType?) {
    self.class = kind
    self.byteCount = byteCount
    self.isBigEndian = isBigEndian
    self.exactNumber = exactNumber
  }
}
