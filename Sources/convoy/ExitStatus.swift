internal import Audio
internal import Compute
internal import Datasets
internal import Experiments
internal import Go
internal import HDF5
internal import ImageFiles
internal import Insight
internal import Interchange
internal import MPI
internal import Networks
internal import OneDNN
internal import Parallel
internal import Paths
internal import Reporting
internal import Training

/// The exit codes, after `sysexits.h` where it has one; only this type decides which error ends the process with which code.
///
/// There are two more: 0, and 130 for a process that a second Ctrl-C ended.
enum ExitStatus: Int32, CaseIterable {
  case no = 1
  case usage = 64
  case badData = 65
  case missingInput = 66
  case lostRank = 69
  case internalError = 70
  case cannotCreate = 73
  case inputOutput = 74
  case stopped = 75
  case notFinite = 76
  case inUse = 77
  case configuration = 78

  /// The meaning in a few words, for help.
  var meaning: String {
    switch self {
    case .no: "not learned with --overfit-batches"
    case .usage: "wrong usage"
    case .badData: "bad data"
    case .missingInput: "missing input"
    case .lostRank: "a rank is gone or does not answer (run again to resume)"
    case .internalError: "internal error"
    case .cannotCreate: "cannot create"
    case .inputOutput: "input/output error"
    case .stopped: "stopped by a signal with a valid checkpoint (run again to resume)"
    case .notFinite: "loss not finite"
    case .inUse: "run directory in use"
    case .configuration: "wrong config"
    }
  }

  /// The code for an error.
  ///
  /// - Returns: nil for an error that none of this project's targets declares.
  init?(_ error: any Error) {
    switch error {
    case let error as CommandError: self = error.status
    case let errors as SeveralErrors: self = errors.status
    case let end as SilentEnd: self = end.status
    case let error as HDF5Error: self = Self.status(of: error)
    case is OneDNNError: self = .internalError
    case is Isolation.Stopped: self = .stopped
    case let error as ImageError: self = Self.status(of: error)
    case is NetworkError: self = .configuration
    case let error as ComputeError: self = Self.status(of: error)
    case let error as DatasetError: self = Self.status(of: error)
    case let error as SoundError: self = error.kind == .missingInput ? .missingInput : .badData
    case let error as TrainingError: self = Self.status(of: error)
    // Nothing is lost: the same command begins again.
    case is StoppedEarly: self = .stopped
    case let error as InsightError: self = Self.status(of: error)
    case let errors as ConfigurationErrors:
      self = errors.isMissingFile ? .missingInput : errors.isUsage ? .usage : .configuration
    case is ConfigurationError: self = .configuration
    case let failure as Gnuplot.Failure: self = Self.status(of: failure)
    case let error as InterchangeError: self = Self.status(of: error)
    case is IllegalMove: self = .badData
    case is NetworkText.Problem: self = .badData
    case let error as MPIError: self = Self.status(of: error)
    // A checkpoint is there as after any interruption: a batch system may start the job again.
    case is CommunicationError: self = .lostRank
    case let failure as FileFailure: self = Self.status(of: failure)
    // An error of the system that a target below has let through.
    case _ where SystemReason.isForeign(error): self = .inputOutput
    // The compiler does not know all types of errors; a test does.
    default: return nil
    }
  }

  // MARK: - Kinds of errors

  private static func status(of failure: FileFailure) -> ExitStatus {
    switch failure.step {
    case .opening, .notAFile: .missingInput
    case .reading: .inputOutput
    case .creating, .writing: .cannotCreate
    case .tooLarge: .badData
    }
  }

  private static func status(of error: HDF5Error) -> ExitStatus {
    if error.isOutOfSpace || error.systemRefusal != nil { return .inputOutput }
    return switch error.kind {
    case .missingFile, .notPermitted: .missingInput
    case .exists: .cannotCreate
    case .notHDF5, .noSuchName, .refusedLink, .mismatch, .missingFilter, .harmful, .tooLarge, .library:
      .badData
    }
  }

  private static func status(of error: ImageError) -> ExitStatus {
    switch error.kind {
    case .missingInput: .missingInput
    case .badData: .badData
    case .cannotCreate: .cannotCreate
    case .inputOutput: .inputOutput
    }
  }

  private static func status(of error: ComputeError) -> ExitStatus {
    switch error {
    case .library, .noKernel: .internalError
    case .output, .precision: .configuration
    case .sample: .badData
    case .trace: .usage
    }
  }

  private static func status(of error: DatasetError) -> ExitStatus {
    switch error.kind {
    case .missingInput: .missingInput
    case .badData: .badData
    case .cannotCreate: .cannotCreate
    case .inputOutput: .inputOutput
    }
  }

  private static func status(of error: TrainingError) -> ExitStatus {
    switch error.kind {
    case .badData: .badData
    case .missingInput: .missingInput
    case .cannotCreate: .cannotCreate
    case .inputOutput: .inputOutput
    case .notFinite: .notFinite
    case .inUse: .inUse
    case .configuration: .configuration
    case .stopped: .stopped
    }
  }

  private static func status(of error: InsightError) -> ExitStatus {
    switch error.kind {
    case .usage: .usage
    case .badData: .badData
    }
  }

  private static func status(of error: MPIError) -> ExitStatus {
    switch error.kind {
    case .missing: .missingInput
    case .mismatch: .configuration
    }
  }

  private static func status(of failure: Gnuplot.Failure) -> ExitStatus {
    switch failure {
    case .notInstalled: .cannotCreate
    case .failed: .internalError
    }
  }

  private static func status(of error: InterchangeError) -> ExitStatus {
    switch error.kind {
    case .usage: .usage
    case .badData: .badData
    }
  }
}
