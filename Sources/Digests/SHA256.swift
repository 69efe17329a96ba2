internal import CCrypto

/// SHA-256 of bytes that come piece by piece, computed by the system's libcrypto (OpenSSL 3).
///
/// The digest depends on the bytes alone, not on how they are cut into pieces. A value belongs to one thread at a time;
/// values are independent of each other.
///
/// Nothing here throws: the algorithm is part of libcrypto itself and cannot be configured away, so that only a process
/// without memory or with a broken library can fail, and then it stops with libcrypto's reason.
/// - SeeAlso: FIPS 180-4, <https://doi.org/10.6028/NIST.FIPS.180-4>.
public struct SHA256: ~Copyable {
  /// Owned: an `EVP_MD_CTX`.
  private let context: OpaquePointer

  /// A digest of no bytes yet.
  public init() {
    guard let context = EVP_MD_CTX_new() else { LibCrypto.fail("EVP_MD_CTX_new") }
    self.context = context
    guard EVP_DigestInit_ex2(context, LibCrypto.sha256.pointer, nil) == 1 else {
      LibCrypto.fail("EVP_DigestInit_ex2")
    }
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Adds bytes after those that came before; there may be none.
  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
      LibCrypto.fail("EVP_DigestUpdate")
    }
  }

  /// Adds bytes after those that came before; there may be none.
  public mutating func update(_ bytes: some Sequence<UInt8>) {
    // Arrays, their slices, `Data` and the UTF-8 of texts lend their memory; anything else is copied.
    let lent: Void? = bytes.withContiguousStorageIfAvailable { update(UnsafeRawBufferPointer($0)) }
    if lent == nil { Array(bytes).withUnsafeBytes { update($0) } }
  }

  /// The digest of all bytes that came.
  public consuming func finalize() -> Digest {
    let bytes = [UInt8](unsafeUninitializedCapacity: Digest.byteCount) { buffer, count in
      guard EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1 else {
        LibCrypto.fail("EVP_DigestFinal_ex")
      }
      count = Digest.byteCount
    }
    return Digest(bytes)
  }

  /// The digest of bytes that are given all at once.
  public static func digest(of bytes: some Sequence<UInt8>) -> Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finalize()
  }

  /// The digest of a text's UTF-8.
  public static func digest(of text: String) -> Digest { digest(of: text.utf8) }
}

extension SHA256 {
  /// The 32 bytes of a SHA-256.
  public struct Digest: Hashable, Sendable {
    /// The size of a digest in bytes.
    public static let byteCount = 32

    /// The digest's bytes, exactly ``byteCount``, in the standard's order.
    public let bytes: [UInt8]

    /// A digest from its bytes, such as stored ones.
    ///
    /// - Parameter bytes: ``byteCount`` of them.
    public init(_ bytes: some Collection<UInt8>) {
      precondition(bytes.count == Self.byteCount, "a SHA-256 has 32 bytes, got \(bytes.count)")
      self.bytes = Array(bytes)
    }

    /// 64 hexadecimal digits, lower-case.
    public var hexadecimal: String {
      let digits = Array("0123456789abcdef".utf8)
      return String(
        decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
  }
}
