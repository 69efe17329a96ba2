internal import CHDF5

/// Owns one reference to an object of the library and gives it back at the end of its life.
final class Handle: @unchecked Sendable {
  // @unchecked because the id is used only inside `Library`'s lock, and changed only by `close`.

  private(set) var id: hid_t
  /// Released after this object, because a file that has open objects cannot be closed.
  private let file: Handle?

  /// Takes over the reference that `body`, a C call, returns.
  ///
  /// - Parameter file: the file that must stay open as long as this object lives.
  init(
    _ function: StaticString, _ context: @autoclosure () -> String, in file: Handle? = nil,
    _ body: () throws -> hid_t
  ) throws {
    self.file = file
    id = try Library.call(function, context(), body)
  }

  deinit {
    guard id >= 0 else { return }
    let id = id
    Library.withLock {
      // A failure here has nobody to tell: whoever must know calls `close` first.
      _ = H5Idec_ref(id)
    }
  }

  /// Gives the reference back now, and reports what goes wrong in doing so.
  func close(_ context: @autoclosure () -> String) throws {
    try Library.withLock {
      guard id >= 0 else { return }
      let closing = id
      id = -1
      try Library.call("H5Idec_ref", context()) { H5Idec_ref(closing) }
    }
  }

  /// Properties of a class, to be set by the caller.
  static func properties(of classId: @autoclosure () -> hid_t) throws -> Handle {
    try Library.withLock {
      let classId = classId()
      return try Handle("H5Pcreate", "preparing a call of libhdf5") { H5Pcreate(classId) }
    }
  }
}

/// The product of dimensions, or nil when it does not fit in an `Int`.
func checkedProduct(_ dimensions: [Int]) -> Int? {
  var product = 1
  // A zero makes the product zero whatever the others are, as HDF5 has it.
  if dimensions.contains(0) { return 0 }
  for dimension in dimensions {
    let (result, overflow) = product.multipliedReportingOverflow(by: dimension)
    if overflow || dimension < 0 { return nil }
    product = result
  }
  return product
}
