internal import Foundation
internal import Glibc

/// The reasons that the system or Foundation gives for an error, in words.
public enum SystemReason {
  /// The text of an error; an error of the system or Foundation gives its reason, without domain and code.
  public static func text(_ error: any Error) -> String {
    guard isForeign(error) else { return "\(error)" }
    let error = error as NSError
    if let code = systemCode(error) { return String(cString: strerror(code)) }
    return error.domain == NSCocoaErrorDomain ? error.localizedDescription : "\(error)"
  }

  /// Whether an error comes from the system or Foundation: this project's own errors describe themselves.
  public static func isForeign(_ error: any Error) -> Bool {
    error is CocoaError || error is POSIXError || type(of: error) == NSError.self
  }

  /// The error number at the bottom of a Foundation error.
  private static func systemCode(_ error: NSError) -> Int32? {
    if error.domain == NSPOSIXErrorDomain { return Int32(exactly: error.code) }
    if let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError, let code = systemCode(inner) {
      return code
    }
    guard error.domain == NSCocoaErrorDomain else { return nil }
    switch CocoaError.Code(rawValue: error.code) {
    case .fileWriteOutOfSpace: return ENOSPC
    case .fileWriteVolumeReadOnly: return EROFS
    case .fileNoSuchFile, .fileReadNoSuchFile: return ENOENT
    case .fileReadNoPermission, .fileWriteNoPermission: return EACCES
    default: return nil
    }
  }
}
