internal import Compute
internal import Datasets
public import Settings

extension TrainingConfiguration {
  /// The settings, as configurations write them.
  public static let settings = SettingsDescription<TrainingConfiguration>(
    "How the network learns.",
    TrainingConfiguration(epochs: 1, batch: 1, optimizer: .sgd(SGD(learningRate: 1))),
    [
      SettingKey(
        "epochs", \.epochs, .integer(1...1_000_000), default: .required, change: .extend,
        "How many times the training samples are gone through."),
      SettingKey(
        "batch", \.batch, .integer(1...1 << 20), default: .required,
        "How many samples one optimizer step takes."),
      SettingKey(
        "shard", \.shard, .optional("auto", .integer(1...1 << 20)),
        "How many samples a worker takes at once, at most `batch`; part of the numerics, unlike the number of workers."
      ),
      SettingKey(
        "parallelism", \.parallelism, .word,
        "How workers share a step; part of the numerics, unlike their number. `intra` takes shards of 1 and fp32."
      ),
      SettingKey(
        "augmentation", \.augmentation, .augmentation,
        "How training samples are varied, in the order of the list; evaluation sees them as they are."),
      SettingKey(
        "loss", \.objective, TrainingObjective.settings.form, default: .required, "What is minimised."),
      SettingKey(
        "metrics", \.metrics, given: .list(.metric, count: 1...16),
        otherwise: Criterion.usualMetricsText,
        "Figures that are taken besides the loss, in the order of tables. Each sample counts once, whatever its weight."
      ),
      SettingKey(
        "optimizer", \.optimizer, OptimizerConfiguration.settings.form, default: .required,
        "The rule that turns gradients into new parameters."),
      SettingKey(
        "base_batch", \.baseBatch, .optional("none", .integer(1...1 << 20)),
        "The batch that the learning rate is meant for; the rate is multiplied by a step's samples divided by this (Goyal 2017)."
      ),
      SettingKey(
        "schedule", \.schedule, ScheduleConfiguration.settings.form,
        "How the learning rate changes during the training."),
      SettingKey(
        "precision", \.precision, .word, "The number format of activations and weights in kernels."),
      SettingKey(
        "tuning", \.tuning, TuningConfiguration.settings.form,
        "How the kernel of each convolution is chosen. A resumed run keeps what it began with."),
      SettingKey(
        "weight_decay_on", \.weightDecayScope, .word,
        "Which parameters the optimizer's weight decay acts on."),
      SettingKey(
        "monitor", \.monitor, .monitoredFigure,
        default: .derived("accuracy where it is among the metrics, otherwise loss"),
        "The figure that decides which epoch is the best, `loss` or a metric; it is taken of the test data, or without it of the training data."
      ),
      SettingKey(
        "patience", \.patience, .optional("none", .integer(1...1_000_000)),
        "Stops early when `monitor` has not improved for this many epochs."),
      SettingKey(
        "clipping", \.clipping, GradientClipping.settings.form,
        "A bound on the minibatch's mean gradient, before the optimizer."),
      SettingKey(
        "on_nonfinite", \.nonFinite, NonFinitePolicy.settings.form,
        "What happens when the loss or a gradient is NaN or infinite."),
      SettingKey(
        "accumulate", \.accumulate, .integer(1...65_536),
        "How many minibatches make one optimizer step; with the same `shard`, a `batch` this many times as large gives the same bytes."
      ),
      SettingKey("limits", \.limits, EpochLimits.settings.form, "Bounds on the minibatches of an epoch."),
      SettingKey(
        "overfit_batches", \.overfitBatches, .optional("none", .integer(1...1 << 20)),
        "How many minibatches, the first ones, are trained on over and over, without augmentation, to see whether the network can "
          + "learn them; `convoy train --overfit-batches`."),
      SettingKey(
        "ema", \.average, .optional("none", MovingAverage.settings.form),
        "A running average of the parameters, which evaluation uses in their place."),
      SettingKey(
        "max_norm", \.maxNorm, .optional("none", MaxNorm.settings.form),
        "A bound on the norm of each filter or unit (Srivastava 2014)."),
      SettingKey(
        "weight_decay_rules", \.weightDecayRules, .weightDecayRules,
        "How much weight decay acts on which layers; for each parameter the first rule that matches counts, or else `weight_decay_on`."
      ),
      SettingKey(
        "layers", \.layerRules, .layerRules,
        "Which layers stay as they are, and which have a learning rate or weight decay of their own."),
      SettingKey(
        "start", \.start, .optional("none", StartConfiguration.settings.form),
        "A trained network to begin with, in place of the initialisers' values."),
    ])

  /// The loss with the weights of classes.
  private var objective: TrainingObjective {
    get { TrainingObjective(loss: loss, classWeights: classWeights) }
    set { (loss, classWeights) = (newValue.loss, newValue.classWeights) }
  }
}
