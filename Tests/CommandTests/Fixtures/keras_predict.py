"""Prints what Keras predicts from a checkpoint, as JSON on the last line: a list of probabilities for each row.

    python3 keras_predict.py keras|tf_keras CHECKPOINT.h5 DATA.h5

Needs keras or tf_keras, tensorflow-cpu and h5py.
"""

import sys

from keras_checkpoint import opened, print_probabilities

keras, model, images = opened(*sys.argv[1:4])
print_probabilities(model, images)
